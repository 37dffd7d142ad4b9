"""The serial ports of this machine, under names that stay when a cable is moved or a hub wakes up late."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

_NAMES = (Path("/dev/serial/by-id"), Path("/dev/serial/by-path"))
"""Best first: the adapter's own serial number, else the socket it is plugged into (both kept by udev)."""


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
