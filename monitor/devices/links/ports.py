"""The serial ports of this machine, under names that stay when a cable is moved or a hub wakes up late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from monitor.devices.driver import Driver, SerialSettings
from monitor.devices.links.link import LinkLost
from monitor.devices.links.serial import open_serial

_NAMES = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))
"""Best first: the adapter's own serial number, else the socket it is plugged into (both kept by udev)."""

PROBE_S = 3.0
"""An oximeter speaks once a second, a monitor every two: what is silent for three must be asked."""
_PROBE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Port:
    """One serial port: the name for clinic.toml, the kernel's name of today, and what is printed on it."""

    name: str
    device: str
    what: str
    serial_number: str | None


def ports(folders: Iterable[Path] = _NAMES) -> list[Port]:
    """Every serial port there is now, in the order of their names."""
    stable = _stable_names(folders)
    found = [
        Port(
            name=stable.get(info.device, info.device),
            device=info.device,
            what=" ".join(word for word in (info.manufacturer, info.product) if word) or "serial port",
            serial_number=info.serial_number,
        )
        for info in list_ports.comports()
    ]
    return sorted(found, key=lambda port: port.name)


def _stable_names(folders: Iterable[Path]) -> Mapping[str, str]:
    """Kernel name -> the best lasting name. Adapters without serial numbers go by their socket."""
    names: dict[str, str] = {}
    for folder in folders:
        with contextlib.suppress(OSError):
            for link in sorted(folder.iterdir()):
                names.setdefault(str(link.resolve()), str(link))
    return names


async def probe(url: str, drivers: Iterable[Driver], seconds: float = PROBE_S) -> tuple[str, ...]:
    """The drivers whose devices seem to speak on this port; listens at each line setting, and never writes.

    Raises `LinkLost` if the port cannot be opened.
    """
    by_settings: dict[SerialSettings, list[Driver]] = {}
    for driver in drivers:
        if driver.transport == "serial" and driver.looks_like is not None:
            by_settings.setdefault(driver.settings, []).append(driver)
    for settings, candidates in by_settings.items():
        heard = await _overhear(url, settings, seconds)
        seem = tuple(driver.name for driver in candidates if driver.looks_like and driver.looks_like(heard))
        if seem:
            return seem
    return ()


async def _overhear(url: str, settings: SerialSettings, seconds: float) -> bytes:
    link = await open_serial(url, settings)
    heard = b""
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(heard) < _PROBE_BYTES and (data := await link.read()):
                    heard += data
    finally:
        with contextlib.suppress(LinkLost):
            await link.close()
    return heard
