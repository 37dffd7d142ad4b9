"""The core: everything that is known and decided, in rooms that touch nothing. Its one door is `Ward`."""

from __future__ import annotations

from monitor.ward.over import OVER_MAX
from monitor.ward.ward import Ward

__all__ = ["OVER_MAX", "Ward"]
