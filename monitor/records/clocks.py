"""Times of a record as the clinic's own clock showed them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def zone_of(name: str) -> tzinfo:
    """The zone of this name; UTC is known also where the system has no time-zone files."""
    return UTC if name == "UTC" else ZoneInfo(name)


def local(zone: str, at_ms: int) -> datetime:
    """This moment in that zone."""
    return datetime.fromtimestamp(at_ms / 1_000, zone_of(zone))
