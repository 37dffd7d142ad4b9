"""How often a password or PIN may be tried: five wrong ones, then a growing wait. On real time."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

WRONG_FREE = 5
"""Wrong tries per account and source in 15 minutes before anybody has to wait (faults-and-threats T03)."""
WRONG_FREE_SOURCE = 20
"""Wrong tries of one source over all names in 15 minutes: for who tries a common password on everybody."""
WAIT_FIRST_S = 15
WAIT_MAX_S = 900
PIN_WRONG_A_DAY = 20
"""A PIN has as few as ten thousand values: after so many wrong ones in a day only the password helps."""

_COUNT_MAX = 10_000
_QUARTER = RateLimitItemPerMinute(_COUNT_MAX, 15)
_PIN_QUARTER = RateLimitItemPerMinute(WRONG_FREE, 15)
_PIN_DAY = RateLimitItemPerDay(PIN_WRONG_A_DAY)


class Throttle:
    """Counts wrong tries in memory. A restart forgets them, and costs an attacker more than the wait."""

    def __init__(self) -> None:
        """Nobody has tried yet."""
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)

    def wait_s(self, account: str, source: str) -> int:
        """Seconds until this account may be tried again from this source; 0 for now."""
        return max(self._left_s(key) for key in (_key(account, source), _key("", source)))

    def wrong_password(self, account: str, source: str) -> None:
        """Count a wrong password, and from the fifth on make the next try wait twice as long as the last."""
        for key, free in ((_key(account, source), WRONG_FREE), (_key("", source), WRONG_FREE_SOURCE)):
            over = self._count(_QUARTER, key) - free
            if over >= 0:
                self._storage.clear(f"wait/{key}")
                self._storage.incr(f"wait/{key}", min(WAIT_FIRST_S * 2 ** min(over, 10), WAIT_MAX_S))

    def right_password(self, account: str, source: str) -> None:
        """The account's own counts start afresh; what its source has tried on others stays counted."""
        key = _key(account, source)
        self._storage.clear(_QUARTER.key_for(key))
        self._storage.clear(f"wait/{key}")
        for item in (_PIN_QUARTER, _PIN_DAY):
            self._storage.clear(item.key_for(f"pin/{key}"))

    def pin_allowed(self, account: str, screen: str) -> bool:
        """Whether a PIN may be tried, or only the password."""
        key = f"pin/{_key(account, screen)}"
        return self._windows.test(_PIN_QUARTER, key) and self._windows.test(_PIN_DAY, key)

    def wrong_pin(self, account: str, screen: str) -> None:
        """Count a wrong PIN."""
        key = f"pin/{_key(account, screen)}"
        self._windows.hit(_PIN_QUARTER, key)
        self._windows.hit(_PIN_DAY, key)

    def _count(self, item: RateLimitItem, key: str) -> int:
        self._windows.hit(item, key)
        return _COUNT_MAX - self._windows.get_window_stats(item, key).remaining

    def _left_s(self, key: str) -> int:
        if self._storage.get(f"wait/{key}") == 0:
            return 0
        return max(1, math.ceil(self._storage.get_expiry(f"wait/{key}") - time.time()))


def _key(account: str, source: str) -> str:
    return f"{account}@{source}"
