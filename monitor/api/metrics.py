"""What Prometheus may know: how the service does, never who anybody is."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.api.doors import Doors
from monitor.api.hub import Hub
from monitor.model import AlarmState, LinkState, Priority
from monitor.numbers import ANSWER_BUCKETS_S, TIMED, Became, Counters


class Metrics:
    """Counters kept here, gauges read from the ward when somebody asks."""

    def __init__(self, doors: Doors, hub: Hub) -> None:
        """A registry of its own, so that two clinics in one process do not meet."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "chairside_http_requests",
            "Answers given, by route.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._sign_ins = Counter(
            "chairside_sign_ins", "Tries to sign in.", ["outcome"], registry=self._registry
        )
        self._registry.register(_Now(doors, hub))

    def answered(self, method: str, route: str, status: int) -> None:
        """Count one answer. Methods nobody offers are one, so that a visitor cannot make up labels."""
        known = method if method in {"GET", "POST", "PUT", "DELETE"} else "other"
        self._requests.labels(known, route, str(status)).inc()

    def tried(self, outcome: str) -> None:
        """Count one try to sign in: "in" or "refused"."""
        self._sign_ins.labels(outcome).inc()

    def text(self) -> bytes:
        """The page Prometheus reads."""
        return generate_latest(self._registry)


class _Now(Collector):
    """The ward and the service as they are at the moment of asking."""

    def __init__(self, doors: Doors, hub: Hub) -> None:
        self._doors = doors
        self._hub = hub

    def describe(self) -> list[Metric]:
        """Nothing in advance: the names are the same at every asking, and the ward may not be up yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every gauge."""
        status, snapshot = self._doors.status(), self._doors.read()
        yield GaugeMetricFamily("chairside_recording", "1 if the journal is written.", int(status.recording))
        yield GaugeMetricFamily("chairside_paging", "1 if pages go out.", int(status.paging))
        yield GaugeMetricFamily(
            "chairside_loop_lag_seconds", "How late the loop is.", status.loop_lag_ms / 1000
        )
        yield GaugeMetricFamily(
            "chairside_turn_age_seconds", "How long ago the ward last turned.", status.turn_age_ms / 1000
        )
        yield GaugeMetricFamily("chairside_journal_seq", "The journal's last row.", status.journal_seq)
        if status.ehr_waiting is not None and status.ehr_aside is not None:
            yield GaugeMetricFamily("chairside_ehr_waiting", "Messages that wait.", status.ehr_waiting)
            yield GaugeMetricFamily("chairside_ehr_aside", "Messages not taken.", status.ehr_aside)
        yield GaugeMetricFamily("chairside_streams", "Open live streams.", self._hub.listeners)
        yield GaugeMetricFamily(
            "chairside_streams_dropped",
            "Streams let go since the start because nobody read them.",
            self._hub.dropped,
        )
        yield GaugeMetricFamily(
            "chairside_beds_occupied",
            "Beds with a session.",
            sum(bed.session is not None for bed in snapshot.beds),
        )
        alarms = GaugeMetricFamily(
            "chairside_alarms", "Alarms by priority and state.", labels=["priority", "state"]
        )
        for priority in Priority:
            for state in AlarmState:
                if state is not AlarmState.CLEAR:
                    count = sum(a.priority is priority and a.state is state for a in snapshot.alarms)
                    alarms.add_metric([priority.name, state.value], count)
        yield alarms
        links = GaugeMetricFamily("chairside_links", "Device links by state.", labels=["state"])
        for link_state in LinkState:
            links.add_metric([link_state.value], sum(link.state is link_state for link in snapshot.links))
        yield links
        yield from _became(self._doors.counters())


def _became(counters: Counters) -> Iterator[Metric]:
    """What has become of alarms since the start, and how long people took to answer."""
    for became in Became:
        family = CounterMetricFamily(
            f"chairside_alarms_{became.value.replace('-', '_').replace(' ', '_')}",
            f"Alarms that were {became.value} since the start of the service.",
            labels=["condition", "priority"],
        )
        for (what, condition, priority), count in sorted(counters.counts.items(), key=str):
            if what is became:
                family.add_metric([condition, priority.name], count)
        yield family
    for became in TIMED:
        times = HistogramMetricFamily(
            f"chairside_alarm_{became.value}_seconds",
            "From the first page to the first acceptance."
            if became is Became.ACCEPTED
            else "From the raise to the acknowledgement at the bed.",
            labels=["priority"],
        )
        for priority in Priority:
            answers = counters.answers[became, priority]
            if answers:
                kept = [(str(b), counters.within[became, priority, b]) for b in ANSWER_BUCKETS_S]
                times.add_metric(
                    [priority.name], [*kept, ("+Inf", answers)], counters.seconds[became, priority]
                )
        yield times
