"""What a monitor averages by itself before it says a number: seconds that come on top of every delay here.

The spans are data with their sources (`averaging.toml`); nothing in the service waits by them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from monitor.devices.driver import Driver
from monitor.model import Vital

GENERAL = "general"

Span = tuple[float, float]
"""Least and most, in seconds."""


def averaged_s(driver: Driver) -> dict[Vital, Span]:
    """By vital that this device measures all along, how long it averages: least and most, in seconds."""
    rows = _rows()
    own, general = rows.get(driver.name, {}), rows[GENERAL]
    spans = {name: span for name, span in (general | own).items() if name != "source"}
    return {vital: _span(spans[vital.value]) for vital in driver.vitals if vital.value in spans}


def source(driver: Driver) -> str:
    """Where the spans of this device come from."""
    rows = _rows()
    said: str = rows.get(driver.name, rows[GENERAL])["source"]
    return said


def named() -> tuple[str, ...]:
    """The drivers that have spans of their own."""
    return tuple(name for name in _rows() if name != GENERAL)


def _span(given: list[float]) -> Span:
    least, most = given
    return float(least), float(most)


@cache
def _rows() -> Mapping[str, dict[str, Any]]:
    return tomllib.loads((files("monitor.devices") / "averaging.toml").read_text(encoding="utf-8"))
