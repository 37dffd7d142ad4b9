"""The host's side of a session: ask for an association, answer the monitor, poll, notice that it has gone.

    RESTING --request--> ASKED --accept--> ACCEPTED --MDS create event--> TALKING
       ^                   |                   |                             |
       '------ abort ------'------ abort ------'------ abort, release -------'

An abort is sent whenever the monitor does not do the next step in time: it may believe that an old
association is alive, of this service before it was started again or of a cable that was pulled, and then
refuses a new one or goes on with the old. A host that leaves releases the monitor.
"""

from __future__ import annotations

from enum import Enum, auto

from monitor.devices.codecs.intellivue.association import (
    TICKS_PER_MS,
    Association,
    Step,
    Terms,
    encode_abort,
    encode_association_request,
    encode_release_request,
    encode_release_response,
    timeout_ms,
)
from monitor.devices.codecs.intellivue.export import (
    Error,
    Group,
    Kind,
    MdsCreated,
    Message,
    Refusal,
    Result,
    encode_extended_poll,
    encode_mds_create_result,
    encode_poll,
)
from monitor.model import Notice, Said

REQUEST_AGAIN_MS = 2_000  # a public client's rhythm; the cable may be plugged in at any moment
ANSWER_MS = 10_000  # for the accept, and again for the create event (fact sheet, 3)
REST_MS = 1_000
LOST_MS = 5_000  # while polling once a second

POLL_MS = 1_000
ALARMS_MS = 2_000
EXTENDED_MS = 60_000
RENEW_LEAST_MS, RENEW_SHARE = 4_000, 0.4
"""Extended results come by themselves, so it is the renewal that tells the monitor we are there."""

REFUSED = Notice("the monitor refuses the connection: does another computer read it?")
ENDED = Notice("the monitor ended the connection")


class Phase(Enum):
    """How far it has come."""

    RESTING = auto()
    ASKED = auto()
    ACCEPTED = auto()
    TALKING = auto()


class Session:
    """One host. Until `tick` is called it only listens, and answers nothing."""

    def __init__(self, *, extended: bool, alarms: bool) -> None:
        """`extended`: ask for results that come by themselves. `alarms`: ask for the monitor's own too."""
        self._extended = extended
        self._alarms = alarms
        self._now_ms: int | None = None
        self._phase = Phase.RESTING
        self._since_ms = 0
        self._due_ms = 0
        self._heard = False
        self._heard_ms = 0
        self._old_data = False
        self._terms = Terms()
        self._polls_due_ms = 0
        self._alarms_due_ms = 0
        self._alarms_asked: int | None = None
        self._asked = 0
        self._queue: list[bytes] = []

    @property
    def live(self) -> bool:
        """Whether there is a host at all: it has been told the time."""
        return self._now_ms is not None

    @property
    def phase(self) -> Phase:
        """How far it has come."""
        return self._phase

    def reset(self) -> None:
        """The line has gone: begin anew on the next one."""
        self._phase = Phase.RESTING
        self._due_ms = self._now_ms or 0
        self._heard = False
        self._queue.clear()

    # By the clock.

    def tick(self, now_ms: int) -> None:
        """Queue what is due, and give up what has not been answered in time."""
        if self._now_ms is None:
            self._due_ms = now_ms
        self._now_ms = now_ms
        if self._heard:
            self._heard, self._heard_ms = False, now_ms
        match self._phase:
            case Phase.RESTING:
                if now_ms >= self._due_ms:
                    self._enter(Phase.ASKED)
                    self._old_data = False
                    self._request()
            case Phase.ASKED | Phase.ACCEPTED if now_ms - self._since_ms >= ANSWER_MS:
                self._give_up()
            case Phase.ASKED:
                if now_ms >= self._due_ms:
                    self._request_again()
            case Phase.TALKING:
                if now_ms - self._heard_ms > max(LOST_MS, 3 * self._poll_ms):
                    self._give_up()
                else:
                    self._poll(now_ms)

    def due_ms(self) -> int:
        """When `tick` wants to be called next."""
        now_ms = self._now_ms
        if now_ms is None:
            return 0
        if self._queue:
            return now_ms
        match self._phase:
            case Phase.RESTING | Phase.ASKED:
                return self._due_ms
            case Phase.ACCEPTED:
                return self._since_ms + ANSWER_MS
            case Phase.TALKING:
                return min(self._polls_due_ms, self._alarms_due_ms) if self._alarms else self._polls_due_ms

    def to_send(self) -> bytes:
        """The frames to write now, once: never more than the four in 128 ms that a monitor takes."""
        written, self._queue = b"".join(self._queue), []
        return written

    def farewell(self) -> tuple[bytes, ...]:
        """Release the monitor, or it goes on waiting for us; abort what it may not have accepted yet."""
        phase = self._phase
        self.reset()
        match phase:
            case Phase.RESTING:
                return ()
            case Phase.ASKED:
                return (encode_abort(),)
            case Phase.ACCEPTED | Phase.TALKING:
                return (encode_release_request(),)

    # By what the monitor says.

    def hear(self, message: Association | Message) -> list[Said]:
        """Let the monitor's message have its effect, and say what a technician should know of it."""
        if self._now_ms is None:
            return []
        match message:
            case Association():
                return self._agreed(message)
            case MdsCreated():
                self._heard = True
                if self._phase is not Phase.RESTING:
                    self._queue.append(encode_mds_create_result(message.invoke_id))
                    self._begin()
            case Result():
                self._heard = True
                self._old_data = True
            case Refusal():
                self._heard = True
                return self._refused(message)
            case _:
                pass  # our own question, from a cable that echoes
        return []

    def _agreed(self, message: Association) -> list[Said]:
        open_ = self._phase in {Phase.ACCEPTED, Phase.TALKING}
        match message.step:
            case Step.ACCEPT if self._phase is Phase.ASKED:
                self._terms = message.terms or Terms()
                self._enter(Phase.ACCEPTED)
            case Step.REFUSE if self._phase is Phase.ASKED:
                self._give_up()
                return [REFUSED]
            case Step.RELEASE if open_:
                self._rest()
                self._queue.append(encode_release_response())
                return [ENDED]
            case Step.ABORT if open_:
                self._rest()
                return [ENDED]
            case _:
                pass
        return []

    def _refused(self, refusal: Refusal) -> list[Said]:
        if refusal.invoke_id == self._alarms_asked:
            self._alarms = False
            return [Notice(f"the monitor does not tell its own alarms (error {refusal.error})")]
        if refusal.error == Error.NO_SUCH_ACTION and self._extended:
            self._extended = False
            self._polls_due_ms = self._now_ms or 0
        return [Notice(f"the monitor refuses to answer (error {refusal.error})")]

    def _request_again(self) -> None:
        if self._old_data:
            self._give_up()  # results, but no accept: it goes on with an association that is not ours
        else:
            self._request()

    def _request(self) -> None:
        self._queue.append(encode_association_request())
        self._due_ms = (self._now_ms or 0) + REQUEST_AGAIN_MS

    def _begin(self) -> None:
        self._enter(Phase.TALKING)
        self._heard_ms = self._polls_due_ms = self._alarms_due_ms = self._since_ms

    def _enter(self, phase: Phase) -> None:
        self._phase, self._since_ms = phase, self._now_ms or 0

    def _rest(self) -> None:
        self._enter(Phase.RESTING)
        self._due_ms = self._since_ms + REST_MS
        self._queue.clear()

    def _give_up(self) -> None:
        self._rest()
        self._queue.append(encode_abort())

    @property
    def _poll_ms(self) -> int:
        return max(POLL_MS, self._terms.poll_period // TICKS_PER_MS)

    def _poll(self, now_ms: int) -> None:
        if now_ms >= self._polls_due_ms:
            number = self._next()
            if self._extended:
                renew_ms = max(RENEW_LEAST_MS, round(RENEW_SHARE * timeout_ms(self._terms.poll_period)))
                period_ms = max(EXTENDED_MS, 2 * renew_ms)
                self._queue.append(encode_extended_poll(number, number, period=period_ms * TICKS_PER_MS))
                self._polls_due_ms = now_ms + renew_ms
            else:
                self._queue.append(encode_poll(number, number))
                self._polls_due_ms = _next_ms(self._polls_due_ms, self._poll_ms, now_ms)
        if self._alarms and now_ms >= self._alarms_due_ms:
            self._alarms_asked = self._next()
            self._queue.append(
                encode_poll(self._alarms_asked, self._alarms_asked, kind=Kind.ALARMS, group=Group.ALARMS)
            )
            self._alarms_due_ms = _next_ms(self._alarms_due_ms, max(ALARMS_MS, self._poll_ms), now_ms)

    def _next(self) -> int:
        self._asked = self._asked % 0xFFFF + 1
        return self._asked


def _next_ms(due_ms: int, every_ms: int, now_ms: int) -> int:
    """The next moment of a rhythm; one that was missed for long begins anew."""
    return due_ms + every_ms if due_ms + every_ms > now_ms else now_ms + every_ms
