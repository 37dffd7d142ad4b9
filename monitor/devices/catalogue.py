"""The catalogue as people and programs read it: a row a driver, made of the drivers themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver

HEADINGS = ("driver", "models", "link", "settings", "vitals", "starts a cuff")


def described() -> list[dict[str, Any]]:
    """Every driver as plain data: what `chairside drivers --json` prints."""
    return [
        {
            "driver": driver.name,
            "title": driver.title,
            "models": list(driver.models),
            "link": driver.transport,
            "settings": _settings(driver),
            "vitals": [vital.value for vital in driver.vitals] + (["nibp"] if driver.cuff else []),
            "starts_cuff": driver.starts_cuff,
            "options": dict(driver.options),
            "remark": driver.remark,
        }
        for driver in DRIVERS.values()
    ]


def tabled() -> Iterator[tuple[str, ...]]:
    """Every driver as the cells under `HEADINGS`."""
    for row in described():
        yield (
            row["driver"],
            ", ".join(row["models"]) + (f" ({row['remark']})" if row["remark"] else ""),
            row["link"],
            row["settings"],
            ", ".join(row["vitals"]),
            "yes" if row["starts_cuff"] else "no",
        )


def markdown() -> str:
    """The table of `docs/devices/README.md`, each driver linked to its page."""
    lines = [HEADINGS, ("---",) * len(HEADINGS)]
    lines += [(f"[`{name}`]({name}.md)", *cells) for name, *cells in tabled()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _settings(driver: Driver) -> str:
    """The line as a monitor's menu names it, other speeds behind it."""
    if driver.transport != "serial":
        return ""
    line = driver.settings
    words = [f"{line.baud} {line.bits}{line.parity}{line.stop}"]
    for baud in driver.bauds:
        parity = driver.parities.get(baud)
        words.append(f"or {baud}" if parity is None else f"or {baud} {line.bits}{parity}{line.stop}")
    words += ["RTS/CTS"] if line.rtscts else []
    return " ".join(words)
