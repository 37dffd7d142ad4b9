"""The vectors of every driver: bytes from manuals and captures, and what they say."""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from monitor.devices.codecs import DRIVERS
from monitor.devices.driver import Driver
from monitor.devices.lines import from_hex

FOLDER = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True)
class Vector:
    """One piece of a stream, where it comes from, and its meaning as JSON lines."""

    driver: Driver
    name: str
    wire: bytes
    says: list[dict[str, Any]]
    encode: dict[str, Any] | None

    def __str__(self) -> str:
        """How it is called in a test report."""
        return f"{self.driver.name}: {self.name}"


def vectors(*names: str) -> list[Vector]:
    """All vectors of these drivers, of all drivers if none is named."""
    return [vector for name in names or DRIVERS for vector in _read(DRIVERS[name])]


def codec(driver: Driver) -> ModuleType:
    """The module of a driver."""
    return importlib.import_module(f"monitor.devices.codecs.{driver.name.replace('-', '_')}")


def _read(driver: Driver) -> list[Vector]:
    rows = tomllib.loads((FOLDER / f"{driver.name}.toml").read_text())["vector"]
    return [
        Vector(
            driver,
            row["name"],
            from_hex(row["hex"]) if "hex" in row else row["wire"].encode("latin-1"),
            row["says"],
            row.get("encode"),
        )
        for row in rows
        if row["source"]
    ]
