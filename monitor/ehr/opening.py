"""The EHR link as the settings want it: every part of it made and put together, and nothing running yet."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable
from importlib.util import find_spec

from monitor.config.settings import Clinic, Ehr
from monitor.ehr.line import Line
from monitor.ehr.link import EhrLink, Part
from monitor.ehr.sending import Sending
from monitor.ehr.telling import Journalled, Report, Telling, Wanted
from monitor.records.hl7_out import Site
from monitor.snapshot import Snapshot
from monitor.store.database import StoreError
from monitor.store.opening import places
from monitor.store.outgoing import Outgoing


async def open_link(
    clinic: Clinic,
    ehr: Ehr,
    journal: Journalled,
    read: Callable[[], Snapshot],
    report: Report,
    now_ms: Callable[[], int],
    part: Part,
) -> EhrLink:
    """Open the queue and make the rest. StoreError says in a sentence what is missing."""
    if find_spec("hl7") is None:
        raise StoreError("[ehr] needs one more part: pip install 'chairside[hl7]'.")
    line = line_of(ehr)
    database = clinic.about.database
    url = database.get_secret_value() if database else None
    queue = await Outgoing.open(places(clinic.about.data_dir, url).outgoing)
    wanted = Wanted("sessions" in ehr.send, "vitals" in ehr.send, ehr.vitals_every_s * 1_000)
    telling = Telling(queue, journal, read, report, site_of(clinic, ehr), wanted, now_ms)
    try:
        await telling.begin()
    except StoreError:
        await queue.close()
        raise
    sending = Sending(queue, line, now_ms, random.Random())  # noqa: S311  jitter of the back-off, no secret
    return EhrLink(queue, telling, sending, line, now_ms, part)


def line_of(ehr: Ehr) -> Line:
    """The line to the receiver; StoreError where its certificates cannot be read."""
    return Line(ehr.host, ehr.port, _tls(ehr) if ehr.tls else None)


def site_of(clinic: Clinic, ehr: Ehr) -> Site:
    """Who sends, as every message has it."""
    return Site(
        ehr.sender,
        ehr.sender_id,
        ehr.facility,
        ehr.receiver,
        ehr.authority,
        ehr.point_of_care or clinic.about.name,
        clinic.about.zone,
        training=ehr.training,
    )


def _tls(ehr: Ehr) -> ssl.SSLContext:
    try:
        made = ssl.create_default_context(cafile=ehr.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise StoreError(f"The certificates in {ehr.tls_ca} cannot be read.") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
