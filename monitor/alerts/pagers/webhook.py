"""The webhook: a page as signed JSON to an address of the clinic's own.

Each message is one POST. `Chairside-Signature: t=<Unix seconds>, v1=<hex>` is the HMAC-SHA256 of
`<t>.<body>` with the secret both sides know; a receiver that checks it and refuses an old `t` cannot be
fooled by a stranger or by a message played again. `page_id` is the same whenever a page is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Callable
from typing import Any

import httpx

from monitor.alerts.pagers.pager import Link, no_link
from monitor.model import Outcome, PageChanged, PageOrdered, PageRecalled

ANSWER_MAX = 64 * 1024
"""So much of an answer is read (F31); a gateway says all it has to say in a line."""

LATE_S = 30.0
"""A connection is given up after this, long after the page counted as lost: a late yes is still news."""

_SAID = {
    outcome.value: outcome for outcome in (Outcome.SENT, Outcome.DELIVERED, Outcome.READ, Outcome.FAILED)
}


class Webhook:
    """Posts to one address. No redirect is followed, no proxy asked, no answer shown to anybody (T17)."""

    def __init__(
        self,
        way: str,
        url: str,
        secret: str,
        now_ms: Callable[[], int],
        timeout_s: float = 5,
        *,
        heartbeat_s: float = 10,
        link: Link = no_link,
    ) -> None:
        """`now_ms` is the service's clock: the signature carries its time."""
        self.way = way
        self.timeout_s = timeout_s
        self.heartbeat_s = heartbeat_s
        self._link = link
        self._url = url
        self._secret = secret.encode()
        self._now_ms = now_ms
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=LATE_S,
            # Longer than from one heartbeat to the next: a page finds the connection open.
            limits=httpx.Limits(keepalive_expiry=max(LATE_S, 2 * heartbeat_s)),
            # The system's own list of authorities, so that a clinic can add its own.
            verify=ssl.create_default_context() if url.startswith("https:") else False,
        )

    async def send(self, page: PageOrdered) -> tuple[Outcome, str]:
        """Post the page."""
        link = self._link(page)
        return await self._post(
            {
                "kind": "page",
                "page_id": page.page_id,
                "alarm_id": page.alarm_id,
                "to": page.to,
                "bed": page.bed,
                "priority": page.priority.name,
                "step": page.step,
                "why": page.why.value,
                "text": page.text,
                "ordered_at_ms": page.at_ms,
                **({"link": link} if link else {}),
            }
        )

    async def beat(self) -> str:
        """Ask with a HEAD, which pages nobody, whether somebody answers at the address; why not, if not.

        Whatever is answered will do: a gateway need not know HEAD. One that says it is broken (5xx) is so.
        """
        try:
            answer = await self._client.head(
                self._url, headers={"User-Agent": "chairside"}, timeout=self.timeout_s
            )
        except httpx.TimeoutException:
            return "does not answer"
        except httpx.HTTPError:
            return "cannot be reached"
        return f"answers {answer.status_code}" if answer.is_server_error else ""

    async def change(self, changed: PageChanged, page: PageOrdered) -> tuple[Outcome, str]:
        """Post what it says now, under the same id."""
        return await self._post(
            {
                "kind": "changed",
                "page_id": changed.page_id,
                "alarm_id": page.alarm_id,
                "to": page.to,
                "bed": page.bed,
                "priority": page.priority.name,
                "text": changed.text,
                "changed_at_ms": changed.at_ms,
            },
            again=f"-{changed.at_ms}",
        )

    async def recall(self, recalled: PageRecalled, page: PageOrdered) -> tuple[Outcome, str]:
        """Post its end, under the same id."""
        return await self._post(
            {
                "kind": "over",
                "page_id": recalled.page_id,
                "alarm_id": page.alarm_id,
                "to": page.to,
                "bed": page.bed,
                "priority": page.priority.name,
                "text": recalled.text,
                "over_at_ms": recalled.at_ms,
            }
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _post(self, message: dict[str, Any], again: str = "") -> tuple[Outcome, str]:
        # A page is sent and ends once, and may change more often: `again` tells one change from the next.
        body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "chairside",
            "Idempotency-Key": f"{message['page_id']}-{message['kind']}{again}",
            "Chairside-Signature": signature(self._secret, self._now_ms() // 1000, body),
        }
        try:
            async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                return await _judged(answer)
        except httpx.TimeoutException:
            return Outcome.TIMED_OUT, "the gateway did not answer"
        except httpx.ConnectError:
            return Outcome.FAILED, "the gateway cannot be reached"
        except httpx.HTTPError:
            return Outcome.FAILED, "the connection to the gateway broke"


def signature(secret: bytes, at_s: int, body: bytes) -> str:
    """The value of the `Chairside-Signature` header for a body sent at `at_s`."""
    mark = hmac.new(secret, str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at_s}, v1={mark}"


async def _judged(answer: httpx.Response) -> tuple[Outcome, str]:
    if answer.is_redirect:
        return Outcome.FAILED, "the gateway sent us elsewhere, and redirects are not followed"
    if not answer.is_success:
        return Outcome.FAILED, f"the gateway answered {answer.status_code}"
    read = bytearray()
    # Raw: a small compressed answer could unpack into a very large one.
    async for part in answer.aiter_raw():
        read += part
        if len(read) > ANSWER_MAX:
            break
    outcome = _said(bytes(read[:ANSWER_MAX]))
    return outcome, "the gateway says it could not pass the page on" if outcome is Outcome.FAILED else ""


def _said(body: bytes) -> Outcome:
    """What an answer's `{"outcome": ...}` says; a gateway that says nothing has taken the page over."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Outcome.SENT
    outcome = said.get("outcome") if isinstance(said, dict) else None
    return _SAID.get(outcome, Outcome.SENT) if isinstance(outcome, str) else Outcome.SENT
