"""The link that goes out with a page: it opens that page, for whom it was sent to, for so long. Pure.

`ADDRESS/link#PAGE.UNTIL.MARK`. What follows the # never leaves the browser by itself: it stands in no log,
and no scanner of mails that fetches the address uses it up. The mark is an HMAC-SHA256 over page, time and
person, so that who is meant need not be named. That a link works once is for the ward to see to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from monitor.model import Staff

_TOKEN = re.compile(r"([1-9][0-9]{0,15})\.([1-9][0-9]{0,15})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link says of itself; it is true where `PageLinks.genuine` says so."""

    page_id: int
    until_ms: int
    mark: str


class PageLinks:
    """Makes and tells the links of one clinic."""

    def __init__(self, address: str, secret: str, lasts_ms: int) -> None:
        """`address` is that of the dashboard; whoever has the secret could make links."""
        self.lasts_ms = lasts_ms
        self._address = address.rstrip("/")
        self._secret = secret.encode()

    def of(self, page_id: int, to: Staff, at_ms: int) -> str:
        """The link of a page that is ordered now: the same one however often the page is sent."""
        until_ms = at_ms + self.lasts_ms
        return f"{self._address}/link#{page_id}.{until_ms}.{self._mark(page_id, to, until_ms)}"

    def genuine(self, claim: Claim, to: Staff) -> bool:
        """Whether this link was made here, for this page of this person."""
        return hmac.compare_digest(self._mark(claim.page_id, to, claim.until_ms), claim.mark)

    def _mark(self, page_id: int, to: Staff, until_ms: int) -> str:
        said = f"{page_id}.{until_ms}.{to}".encode()
        mark = hmac.new(self._secret, said, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mark).rstrip(b"=").decode()


def claim(token: str) -> Claim | None:
    """What stands behind the # of a link, or None where that is none of ours."""
    found = _TOKEN.fullmatch(token)
    return Claim(int(found[1]), int(found[2]), found[3]) if found else None
