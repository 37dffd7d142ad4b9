"""Who is asking: a person, a paired screen, or a program, and how each comes to be believed.

Two layers on one browser. The *screen* has a token of its own and may show the Floor for as long as it is
paired; the *person* is laid over it with a PIN, and when the person ends the screen stays. Only hashes of
secrets are kept. Sign-ins live on the wall clock: a demonstration that runs ten times faster does not sign
people out ten times sooner.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import structlog
from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from starlette.requests import HTTPConnection
from starlette.responses import Response

from monitor.api.doors import Accounts, Settings
from monitor.api.problems import Problem
from monitor.api.throttle import Throttle
from monitor.model import Staff
from monitor.people import Account, Role, Token, TokenKind

HASHES_AT_ONCE = 2
"""One argon2 hash takes 64 MiB and a core for a third of a second; more at once would starve the ward."""
HASHES_WAITING_MAX = 16
SEEN_WRITE_MS = 15_000
"""How often at most it is written down that somebody is still there."""
SCREEN_COOKIE_S = 400 * 86_400
"""The longest a browser keeps a cookie; a screen that is looked at renews it."""

WRONG = "The name and the password or PIN do not belong together."
FIVE_WRONG_PINS = "Too many wrong PINs. Sign in with your password."

_log = structlog.get_logger(__name__)

_argon2 = PasswordHash.recommended()


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody or something that has proved who it is."""

    name: Staff
    display: str
    role: Role
    kind: TokenKind
    sign_in: str
    """The hash of the token it came with."""
    screen: str | None
    ends_at_ms: int | None
    page: int | None = None
    """The one page that it may see and answer, where it was opened by that page's link."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What an account was when its sign-in was first seen: when any of it changes, the sign-in ends."""

    role: Role
    password_hash: str | None
    pin_hash: str | None


def hash_of(text: str) -> str:
    """The argon2 hash of a password or PIN, as it is kept in an account. Takes a third of a second."""
    return _argon2.hash(text)


def secret_hash(secret: str) -> str:
    """What is kept of a token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class SignIns:
    """Everybody who is signed in, over whatever the store keeps."""

    def __init__(
        self, accounts: Accounts, throttle: Throttle, settings: Settings, now_ms: Callable[[], int]
    ) -> None:
        """`now_ms` is the wall clock."""
        self._accounts = accounts
        self._throttle = throttle
        self._settings = settings
        self._now_ms = now_ms
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0
        self._nobody: str | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._standing: dict[str, _Standing] = {}
        self._seen: dict[str, int] = {}
        self._last_tokens: dict[str, Token] = {}
        self._last_accounts: dict[Staff, Account] = {}
        prefix = "" if settings.insecure_lan else "__Host-"
        self.person_cookie = f"{prefix}chairside"
        self.screen_cookie = f"{prefix}chairside-screen"
        self.page_cookie = f"{prefix}chairside-page"

    async def asker(self, request: HTTPConnection, *, acting: bool, page: bool = False) -> Asker | None:
        """Who sent this request, or None. `acting` marks what only a person does: it puts idleness off.

        `page`: this is about one page, which whoever has opened it by its link may do, too.
        """
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if bearer:
            return await self._machine(bearer.strip()) if scheme.lower() == "bearer" else None
        screen = await self.screen(request)
        person = await self._person(request.cookies.get(self.person_cookie), screen, acting=acting)
        if person is None and page:
            person = await self._paged(request.cookies.get(self.page_cookie))
        return person or screen

    async def screen(self, request: HTTPConnection) -> Asker | None:
        """The paired screen this request comes from."""
        token = await self._good_token(request.cookies.get(self.screen_cookie), TokenKind.SCREEN)
        if token is None:
            return None
        return Asker(token.name, token.name, Role.DISPLAY, token.kind, token.secret_hash, token.screen, None)

    async def begin(self, account: Account, screen: Asker | None) -> tuple[str, Token]:
        """Sign in whoever has proved it: the new secret and its token. With a `screen`, for that one only."""
        kind = TokenKind.PASSWORD if screen is None else TokenKind.PIN
        secret = secrets.token_urlsafe(32)
        now_ms = self._now_ms()
        ends_at_ms = now_ms + self._settings.absolute_ms
        token = Token(
            secret_hash(secret),
            kind,
            account.name,
            screen.name if screen else None,
            now_ms,
            now_ms,
            ends_at_ms,
        )
        await self._accounts.put_token(token)
        self._standing[token.secret_hash] = _Standing(account.role, account.password_hash, account.pin_hash)
        return secret, token

    async def begin_page(self, account: Account, page_id: int, lasts_ms: int) -> str:
        """Let whoever has opened the link of a page go on with that page: the secret their browser keeps."""
        secret, now_ms = secrets.token_urlsafe(32), self._now_ms()
        token = Token(
            secret_hash(secret),
            TokenKind.PAGE,
            account.name,
            f"{_PAGE}{page_id}",
            now_ms,
            now_ms,
            now_ms + lasts_ms,
        )
        await self._accounts.put_token(token)
        return secret

    async def may_sign_in(self, name: Staff) -> Account | None:
        """The account of this name, where somebody may sign in with it."""
        account = await self._account(name)
        return account if account is not None and _may_sign_in(account) else None

    async def proves_password(self, name: Staff, password: str, source: str) -> Account:
        """Whose password this is, or a Problem; a wrong one counts, whatever it was for."""
        async with self._one_at_a_time(source):
            wait_s = self._throttle.wait_s(name, source)
            if wait_s:
                # Said the same way for names that do not exist.
                raise Problem(
                    429, f"Too many wrong tries. Wait {wait_s} s.", headers={"Retry-After": str(wait_s)}
                )
            account = await self._accounts.account(name)
            good = await self._matches(password, account.password_hash if account else None)
            if account is None or not good or not _may_sign_in(account):
                self._throttle.wrong_password(name, source)
                raise Problem(401, WRONG)
            self._throttle.right_password(name, source)
        return account

    async def proves_pin(self, name: Staff, pin: str, screen: Asker | None) -> Account:
        """Whose PIN this is, on a paired screen: as `proves_password`."""
        if screen is None:
            raise Problem(403, "A PIN works only on a paired screen. Sign in with your password.")
        source = f"screen {screen.name}"
        async with self._one_at_a_time(source):
            if not self._throttle.pin_allowed(name, source):
                raise Problem(429, FIVE_WRONG_PINS)
            account = await self._accounts.account(name)
            good = await self._matches(pin, account.pin_hash if account else None)
            if account is None or not good or not _may_sign_in(account):
                self._throttle.wrong_pin(name, source)
                raise Problem(401, WRONG)
        return account

    async def pair(self, name: str) -> str:
        """Pair a screen under a name of its own: the secret its browser is to keep, or a Problem."""
        if await self._accounts.account(Staff(name)) is not None:
            raise Problem(409, "A member of staff has this name. Give the screen another one.")
        if any(token.kind is TokenKind.SCREEN for token in await self._accounts.tokens(Staff(name))):
            raise Problem(409, "A screen of this name is paired already. Revoke it first, or choose another.")
        secret = secrets.token_urlsafe(32)
        now_ms = self._now_ms()
        token = Token(secret_hash(secret), TokenKind.SCREEN, Staff(name), name, now_ms, now_ms, None)
        await self._accounts.put_token(token)
        return secret

    async def screens(self) -> list[Token]:
        """All paired screens."""
        return [token for token in await self._accounts.tokens() if token.kind is TokenKind.SCREEN]

    async def unpair(self, name: str) -> list[str]:
        """Revoke a screen, and with it whoever has signed in on it: the sign-ins that have ended."""
        ended = [
            token.secret_hash
            for token in await self._accounts.tokens()
            if token.screen == name and token.kind in {TokenKind.SCREEN, TokenKind.PIN}
        ]
        for sign_in in ended:
            await self.end(sign_in)
        return ended

    async def end(self, sign_in: str) -> None:
        """End one sign-in."""
        self._standing.pop(sign_in, None)
        self._last_tokens.pop(sign_in, None)
        self._seen.pop(sign_in, None)
        await self._accounts.drop_token(sign_in)

    async def still_good(self, sign_ins: Sequence[str]) -> set[str]:
        """Those of these sign-ins that have not ended: by time, by sign-out, by a change of the account."""
        return {sign_in for sign_in in sign_ins if await self._still_good(sign_in)}

    def remember_person(self, answer: Response, secret: str) -> None:
        """Give the browser its person cookie."""
        self._set(answer, self.person_cookie, secret, self._settings.absolute_ms // 1000)

    def remember_page(self, answer: Response, secret: str, lasts_ms: int) -> None:
        """Give the browser the cookie of one page."""
        self._set(answer, self.page_cookie, secret, lasts_ms // 1000)

    def remember_screen(self, answer: Response, secret: str) -> None:
        """Give the browser its screen cookie, or renew it."""
        self._set(answer, self.screen_cookie, secret, SCREEN_COOKIE_S)

    def forget(self, answer: Response, cookie: str) -> None:
        """Take a cookie back."""
        self._set(answer, cookie, "", 0)

    def _set(self, answer: Response, cookie: str, value: str, max_age_s: int) -> None:
        answer.set_cookie(
            cookie,
            value,
            max_age=max_age_s,
            path="/",
            secure=not self._settings.insecure_lan,
            httponly=True,
            samesite="strict",
        )

    async def _machine(self, secret: str) -> Asker | None:
        token = await self._good_token(secret, TokenKind.BEARER)
        if token is None:
            return None
        account = await self._account(token.name)
        if account is not None and account.disabled:
            return None
        return Asker(
            token.name, token.name, Role.MACHINE, token.kind, token.secret_hash, None, token.ends_at_ms
        )

    async def _person(self, secret: str | None, screen: Asker | None, *, acting: bool) -> Asker | None:
        token = await self._good_token(secret, TokenKind.PASSWORD, TokenKind.PIN)
        if token is None:
            return None
        if token.kind is TokenKind.PIN and (screen is None or screen.name != token.screen):
            return None  # a PIN is worth something only on the screen it was typed on
        account = await self._account_of(token)
        if account is None:
            return None
        if acting:
            await self._saw(token)
        return Asker(
            account.name,
            account.display,
            account.role,
            token.kind,
            token.secret_hash,
            token.screen,
            token.ends_at_ms,
        )

    async def _paged(self, secret: str | None) -> Asker | None:
        """Whoever has opened one page by its link."""
        token = await self._good_token(secret, TokenKind.PAGE)
        account = await self._account_of(token) if token else None
        if token is None or account is None or token.screen is None:
            return None
        return Asker(
            account.name,
            account.display,
            account.role,
            token.kind,
            token.secret_hash,
            None,
            token.ends_at_ms,
            int(token.screen.removeprefix(_PAGE)),
        )

    async def _good_token(self, secret: str | None, *kinds: TokenKind) -> Token | None:
        if not secret:
            return None
        token = await self._token(secret_hash(secret))
        if token is None or token.kind not in kinds:
            return None
        if self._over(token):
            await self._end_if_it_can(token.secret_hash)
            return None
        return token

    async def _account_of(self, token: Token) -> Account | None:
        """The account behind a sign-in, unless it has changed in a way that ends the sign-in."""
        account = await self._account(token.name)
        if account is not None and _may_sign_in(account):
            standing = _Standing(account.role, account.password_hash, account.pin_hash)
            if self._standing.setdefault(token.secret_hash, standing) == standing:
                return account
        await self._end_if_it_can(token.secret_hash)
        return None

    async def _still_good(self, sign_in: str) -> bool:
        token = await self._token(sign_in)
        if token is None or self._over(token):
            return False
        match token.kind:
            case TokenKind.PASSWORD | TokenKind.PIN | TokenKind.PAGE:
                return await self._account_of(token) is not None
            case TokenKind.SCREEN | TokenKind.BEARER:
                account = await self._account(token.name)
                return account is None or not account.disabled

    # Acknowledging must not wait for a broken disk: while the accounts cannot be read, whoever is signed in
    # already stays so, as last known. A new sign-in is not believed from memory.

    async def _token(self, sign_in: str) -> Token | None:
        try:
            token = await self._accounts.token(sign_in)
        except Exception:  # noqa: BLE001  whatever the store's own kind of error is
            _log.exception("the accounts cannot be read")
            return self._last_tokens.get(sign_in)
        if token is None:
            self._last_tokens.pop(sign_in, None)
        else:
            self._last_tokens[sign_in] = token
        return token

    async def _account(self, name: Staff) -> Account | None:
        try:
            account = await self._accounts.account(name)
        except Exception:  # noqa: BLE001  whatever the store's own kind of error is
            _log.exception("the accounts cannot be read")
            return self._last_accounts.get(name)
        if account is not None:
            self._last_accounts[name] = account
        return account

    def _over(self, token: Token) -> bool:
        now_ms = self._now_ms()
        if token.ends_at_ms is not None and now_ms >= token.ends_at_ms:
            return True
        idle_ms = {
            TokenKind.PIN: self._settings.idle_pin_ms,
            TokenKind.PASSWORD: self._settings.idle_password_ms,
        }.get(token.kind)
        seen_ms = max(token.seen_at_ms, self._seen.get(token.secret_hash, 0))
        return idle_ms is not None and now_ms - seen_ms >= idle_ms

    async def _saw(self, token: Token) -> None:
        now_ms = self._now_ms()
        self._seen[token.secret_hash] = now_ms
        if now_ms - token.seen_at_ms < SEEN_WRITE_MS:
            return
        try:
            await self._accounts.put_token(replace(token, seen_at_ms=now_ms))
        except Exception:  # noqa: BLE001  an act is not refused because of this note
            _log.exception("the accounts cannot be written")

    async def _end_if_it_can(self, sign_in: str) -> None:
        """Forget a sign-in that is over anyway; it opens nothing even where it cannot be forgotten."""
        try:
            await self.end(sign_in)
        except Exception:  # noqa: BLE001  as above
            _log.exception("the accounts cannot be written")

    def _one_at_a_time(self, source: str) -> asyncio.Lock:
        """Tries of one source follow each other, so that none slips through before another is counted."""
        turn = self._turns.get(source)
        if turn is None:
            turn = self._turns[source] = asyncio.Lock()
        return turn

    async def _matches(self, text: str, kept: str | None) -> bool:
        """Whether the text is right. A name that does not exist costs the same time as one that does."""
        if self._waiting >= HASHES_WAITING_MAX:
            raise Problem(
                503, "Too many people are signing in. Try again in a moment.", headers={"Retry-After": "2"}
            )
        self._waiting += 1
        try:
            async with self._hashing:
                if self._nobody is None:
                    self._nobody = await asyncio.to_thread(hash_of, secrets.token_urlsafe(16))
                right = await asyncio.to_thread(_verify, text, kept or self._nobody)
                return right and kept is not None
        finally:
            self._waiting -= 1


_PAGE = "page."
"""What the token of one page has for a screen: no screen's name has a dot."""


def _may_sign_in(account: Account) -> bool:
    return not account.disabled and account.role not in {Role.DISPLAY, Role.MACHINE}


def _verify(text: str, kept: str) -> bool:
    try:
        return _argon2.verify(text, kept)
    except PwdlibError:
        return False  # a hash of a kind nobody here knows opens nothing
