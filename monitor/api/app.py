"""The API: build(...) -> FastAPI. It reads through `read` and acts through `submit`, and has no other door."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from monitor.api.doors import Accounts, History, Read, Settings, Status, Submit
from monitor.api.hub import Hub


def build(
    *,
    read: Read,
    submit: Submit,
    hub: Hub,
    history: History,
    accounts: Accounts,
    status: Callable[[], Status],
    now_ms: Callable[[], int],
    real_ms: Callable[[], int],
    settings: Settings,
) -> FastAPI:
    """The whole web side. `now_ms` is the service's clock, `real_ms` the wall clock (sign-ins only)."""
    raise NotImplementedError(read, submit, hub, history, accounts, status, now_ms, real_ms, settings)
