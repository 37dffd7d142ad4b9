"""The ways of paging that a clinic has set up, made of its settings, with the links that pages carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.alerts.pagers.apprise_way import ApprisePager
from monitor.alerts.pagers.console import Console
from monitor.alerts.pagers.heartbeat import Heartbeat
from monitor.alerts.pagers.pager import Link, Pager, no_link
from monitor.alerts.pagers.screen_way import ScreenPager
from monitor.alerts.pagers.webhook import Webhook
from monitor.config import settings
from monitor.config.settings import Paging
from monitor.model import Staff
from monitor.page_link import PageLinks


def pagers(
    paging: Paging, made: PageLinks | None, watches: Callable[[Staff], bool], now_ms: Callable[[], int]
) -> dict[str, Pager]:
    """One pager for each `[[paging.pager]]`; `watches`: whether a browser of somebody's own is connected."""
    link, found = _linked(made), dict[str, Pager]()
    for pager in paging.pagers:
        name = pager.name
        match pager:
            case settings.ConsolePager():
                found[name] = Console(name, pager.timeout_s)
            case settings.ScreenPager():
                found[name] = ScreenPager(name, watches, pager.timeout_s)
            case settings.WebhookPager():
                url, secret, beat_s = pager.url, pager.secret.get_secret_value(), pager.heartbeat_s
                found[name] = Webhook(
                    name,
                    url.get_secret_value(),
                    secret,
                    now_ms,
                    pager.timeout_s,
                    heartbeat_s=beat_s,
                    link=link,
                )
            case settings.ApprisePager():
                found[name] = ApprisePager(name, pager.url.get_secret_value(), pager.timeout_s, link)
    return found


def links(paging: Paging) -> PageLinks | None:
    """What makes the links of pages, where they carry any."""
    link = paging.link
    if link is None:
        return None
    address, secret = link.address.get_secret_value(), link.secret.get_secret_value()
    return PageLinks(address, secret, round(link.lasts_s * 1_000))


def heartbeat(made: Mapping[str, Pager], tell: Callable[[bool, str], None]) -> Heartbeat | None:
    """Who asks the gateways whether they are there; None where there is none to ask."""
    asked = [pager for pager in made.values() if isinstance(pager, Webhook) and pager.heartbeat_s]
    return Heartbeat(asked, tell) if asked else None


def _linked(made: PageLinks | None) -> Link:
    return no_link if made is None else lambda page: made.of(page.page_id, page.to, page.at_ms)
