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
from monitor.devices.hextext import from_hex

FOLDER = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True)
class Vector:
    """One piece of a stream, where it comes from, and its meaning as JSON lines."""

    driver: Driver
    name: str
    wire: bytes
    says: list[dict[str, Any]]
    encode: dict[str, Any] | None
    options: dict[str, Any]

    def __str__(self) -> str:
        """How it is called in a test report."""
        return f"{self.driver.name}: {self.name}"


@dataclass(frozen=True)
class Good:
    """One whole frame of a serial driver that says the same wherever it stands: `[good]` of its vectors."""

    wire: bytes
    says: list[dict[str, Any]]
    read_at: int
    """Which whole frame after noise is the first to be read: 1, or 2 where the framing allows no better."""
    uncounted: bytes
    """Bytes that belong to no frame and are no loss: line ends, flags."""
    checked: bool
    """A checksum guards it: with any byte turned it says nothing."""


def good(driver: Driver) -> Good:
    """The good frame of a serial driver."""
    row = tomllib.loads((FOLDER / f"{driver.name}.toml").read_text())["good"]
    return Good(
        _wire(row),
        row["says"],
        row.get("read_at", 1),
        from_hex(row.get("uncounted", "")),
        row.get("checked", False),
    )


def without_nulls(line: dict[str, Any]) -> dict[str, Any]:
    """A JSON line as the vectors write it."""
    return {key: value for key, value in line.items() if value is not None}


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
            _wire(row),
            row["says"],
            row.get("encode"),
            row.get("options", {}),
        )
        for row in rows
        if row["source"]
    ]


def _wire(row: dict[str, Any]) -> bytes:
    return from_hex(row["hex"]) if "hex" in row else row["wire"].encode("latin-1")
