"""The sections of clinic.toml as frozen, typed settings, in its order. What stands here has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, IPvAnyNetwork, StrictBool, StringConstraints

from monitor.config.kinds import (
    NAME,
    OWN_NETWORKS,
    AppriseAddress,
    DatabaseUrl,
    DeviceLink,
    Eui64,
    Folder,
    Host,
    Listed,
    Moment,
    Name,
    Port,
    ReadFile,
    RuleNumber,
    Seconds,
    Secret,
    Section,
    StaffRole,
    Text,
    TherapyTable,
    Topic,
    WebAddress,
    Whole,
    Zone,
)
from monitor.model import Bed as BedName
from monitor.model import Device as DeviceName
from monitor.model import Staff as StaffName

Limits = Mapping[str, Mapping[str, RuleNumber]]
"""By rule, the numbers that this clinic changes in the profile's row. The profile judges whether they fit."""


class About(Section):
    """[clinic]: what it is called, where its clock hangs, where its records are kept."""

    name: Text = "Clinic"
    zone: Zone = "UTC"
    data_dir: Annotated[Folder, Field(validate_default=True)] = Path("data")
    database: DatabaseUrl | None = None
    """None: SQLite files in `data_dir`."""


class Server(Section):
    """[server]: where the screens find it."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    tls_cert: ReadFile | None = None
    tls_key: ReadFile | None = None
    insecure_lan: bool = False
    allowed_hosts: tuple[Host, ...] = ()
    """Names in the address bar that are answered, besides `host` itself (T06)."""
    idle_lock_s: Seconds = 120
    """A person who signed in with a PIN is signed out after this long without a touch."""


class Mqtt(Section):
    """[mqtt]: the broker of every `mqtt://` link that names no host."""

    host: Host = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    password: Secret | None = None
    tls: bool = False
    availability_topic: Topic | None = None
    """Where the service says, retained, whether it is there. None: nowhere."""
    home_assistant: bool = False
    """Whether Home Assistant is told of every bed and vital. Not a clinical display."""
    home_assistant_prefix: Topic = "homeassistant"

    @property
    def status_topic(self) -> str | None:
        """Where the service says whether it is there; Home Assistant must always be able to read it."""
        return self.availability_topic or ("chairside/status" if self.home_assistant else None)


class Bed(Section):
    """[[bed]]: a chair or bed, and the words for where it stands."""

    name: Annotated[BedName, StringConstraints(pattern=NAME)]
    place: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    same_arm: StrictBool = False
    """Cuff and SpO2 probe are on one arm here: a running cuff explains a lost pulse, for 60 s at most."""
    chains: BedChains | None = None


class Device(Section):
    """[[device]]: a monitor, how it is wired, and whose bed it stands at."""

    name: Annotated[DeviceName, StringConstraints(pattern=NAME)]
    driver: str
    link: DeviceLink
    bed: BedName
    backend: Literal["serialx", "pyserial"] = "serialx"
    options: Mapping[str, Any] = {}
    """Passed to the driver as they are; `chairside drivers` says which it knows."""


class Therapies(Section):
    """[therapies]: which profile a session opens with, and what the clinic changes in profiles and therapies.

    [therapies.NAME] is laid over the shipped therapy of this name, and its signature with it; what may stand
    there is for the therapy itself to say.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, TherapyTable] = Field(init=False)

    default: Name = "watch"
    overrides: Mapping[str, Limits] = {}
    """By profile, what [limits] is for all of them."""

    @property
    def own(self) -> Mapping[str, Mapping[str, Any]]:
        """By therapy, what this clinic says of it."""
        return self.__pydantic_extra__


Recipient = Literal["assigned nurse", "second nurse", "charge nurse", "prescriber", "everyone"]
"""Whom a step of a chain may name (alarms.md 8)."""


class Step(Section):
    """One rung of a chain: how long after the start of the alarm, and to whom."""

    after_s: Moment
    to: Listed[Recipient]


def _in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps or steps[0].after_s != 0:
        raise ValueError("the first step should have after_s = 0: it is the one at the start of the alarm")
    for before, step in pairwise(steps):
        if step.after_s <= before.after_s:
            raise ValueError(f"a step after {step.after_s:g} s cannot follow one after {before.after_s:g} s")
    return steps


Steps = Annotated[tuple[Step, ...], AfterValidator(_in_order)]


class HighChain(Section):
    """[paging.chains.high]: who is paged for a HIGH alarm, and when (alarms.md 8)."""

    steps: Steps = (
        Step(after_s=0, to=("assigned nurse",)),
        Step(after_s=30, to=("second nurse",)),
        Step(after_s=60, to=("everyone", "prescriber")),
        Step(after_s=120, to=("everyone",)),
    )
    repeat_s: Seconds = 60
    """The last step again and again, while nobody has accepted."""
    not_at_bed_s: Seconds = 120
    """Somebody has accepted, nobody has acknowledged at the bed: the second step again."""
    latched_repeat_s: Seconds = 300
    """The condition has ended and nobody has looked: the assigned nurse again."""


class MediumChain(Section):
    """[paging.chains.medium]: the same for a MEDIUM alarm. LOW never pages."""

    steps: Steps = (
        Step(after_s=0, to=("assigned nurse",)),
        Step(after_s=90, to=("second nurse",)),
        Step(after_s=180, to=("charge nurse",)),
        Step(after_s=300, to=("charge nurse",)),
    )
    repeat_s: Seconds = 120
    not_at_bed_s: Seconds = 300
    latched_repeat_s: Seconds = 300


class BedChains(Section):
    """[bed.chains]: the ladders of one bed, in place of the clinic's."""

    high: HighChain | None = None
    medium: MediumChain | None = None


class Chains(Section):
    """[paging.chains]: one for each priority that pages."""

    high: HighChain = HighChain()
    medium: MediumChain = MediumChain()


class ConsolePager(Section):
    """[[paging.pager]] way = "console": a line on the service's standard output."""

    name: Name
    way: Literal["console"]
    timeout_s: Annotated[Seconds, Field(le=10)] = 2


class ScreenPager(Section):
    """[[paging.pager]] way = "screen": the person's own phone or tablet that has Chairside open."""

    name: Name
    way: Literal["screen"]
    timeout_s: Annotated[Seconds, Field(le=10)] = 2


class WebhookPager(Section):
    """[[paging.pager]] way = "webhook": signed JSON to an address of the clinic's own."""

    name: Name
    way: Literal["webhook"]
    url: WebAddress
    secret: Annotated[Secret, Field(min_length=16)]
    """Both sides know it; the signature is made with it."""
    timeout_s: Annotated[Seconds, Field(le=10)] = 5
    heartbeat_s: Annotated[Moment, Field(le=60)] = 10
    """How often the gateway is asked whether it is there (ALM-082); 0: never."""


class ApprisePager(Section):
    """[[paging.pager]] way = "apprise": any service apprise knows, by its URL."""

    name: Name
    way: Literal["apprise"]
    url: AppriseAddress
    timeout_s: Annotated[Seconds, Field(le=10)] = 10


Pager = Annotated[ConsolePager | ScreenPager | WebhookPager | ApprisePager, Field(discriminator="way")]


class Trial(Section):
    """[paging.test]: how it is known that pages reach those on duty (ALM-082)."""

    lasts_s: Seconds = 43_200
    """How long an answer counts: no shift is longer."""
    answer_s: Seconds = 120
    """A test page that nobody has answered for this long has failed."""
    coming_on: StrictBool = True
    """Whoever comes on duty is sent a test page."""


class Link(Section):
    """[paging.link]: a page carries a link that opens it, once, for its person, in the clinic's network."""

    address: WebAddress
    """Where phones find the dashboard. No secret, but shown nowhere."""
    secret: Annotated[Secret, Field(min_length=32)]
    """The links are signed with it; nobody else knows it."""
    lasts_s: Annotated[Seconds, Field(le=3600)] = 900
    networks: tuple[IPvAnyNetwork, ...] = tuple(map(ip_network, OWN_NETWORKS))
    """Where a link may be opened: the private networks, unless said otherwise."""


class Paging(Section):
    """[paging]: the ladder, and the ways a page can go."""

    chains: Chains = Chains()
    undelivered_s: Seconds = 30
    """No page delivered for this long is a HIGH alarm on every screen (alarms.md 7)."""
    test: Trial = Trial()
    link: Link | None = None
    pagers: tuple[Pager, ...] = Field(default=(), alias="pager")


class Member(Section):
    """[[staff]]: a person, what they are, and the pagers that reach them. Passwords are not kept here."""

    name: Annotated[StaffName, StringConstraints(pattern=NAME)]
    display: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    role: StaffRole
    pagers: tuple[str, ...] = ()
    on_site: bool = True
    """False for somebody who is called in: "everyone" leaves them out."""


class Duty(Section):
    """[duty]: who is on when the service starts for the first time; the Duty page changes it."""

    on: tuple[StaffName, ...] = ()
    beds: Mapping[BedName, StaffName] = {}


class Screen(Section):
    """[[screen]]: what a paired screen sounds where it stands; one that is not listed here sounds everything.

    Only its sound: what it shows is the same everywhere. Pages go out whatever a screen sounds.
    """

    name: Name
    place: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    sounds: Literal["all", "high", "none"] = "all"
    """"high": HIGH alone; "none": a treatment room, where somebody is dreaming (dashboard.md 9)."""
    beds: tuple[BedName, ...] = ()
    """The alarms of these beds only. Empty: of all. Those of the system itself are of every bed."""


class Retention(Section):
    """[retention]: how long the flood of readings is kept. The journal is never pruned."""

    trends_days: Whole = 90


class Budget(Section):
    """[budget]: what the alarms of a week are held against (alarms.md 9, proposed); it changes no alarm."""

    pages_a_session_max: Annotated[float, Field(gt=0)] = 1.0
    """First pages at MEDIUM and HIGH, on average."""
    acted_on_percent_min: Annotated[float, Field(ge=0, le=100)] = 50.0
    high_accepted_median_s_max: Seconds = 30
    high_accepted_p95_s_max: Seconds = 90


class DeadMan(Section):
    """[dead_man]: whoever notices from outside that this service has died."""

    url: WebAddress
    every_s: Annotated[Seconds, Field(ge=5)] = 60


class Ehr(Section):
    """[ehr]: an EHR, or the interface engine before it, that is told by HL7 v2.6 over MLLP."""

    host: Host
    port: Port = 2575
    tls: StrictBool = False
    tls_ca: ReadFile | None = None
    """Who vouches for its certificate. None: whoever this machine trusts."""
    insecure_lan: StrictBool = False
    send: Listed[Literal["sessions", "vitals"]] = ("sessions",)
    """"sessions": the record of a session once it is over; "vitals": its numbers while it lasts."""
    vitals_every_s: Annotated[Whole, Field(ge=10, le=3600)] = 60
    sender: Text = "CHAIRSIDE"
    sender_id: Eui64
    """EUI-64, by which the receiver knows this clinic."""
    facility: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    receiver: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    authority: Text = "CHAIRSIDE"
    """Who gives out the aliases of patients."""
    point_of_care: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    """What comes before room and bed. Empty: the clinic's name."""
    training: StrictBool = False
    """Marks every message as one of training: no receiver takes it for a patient's."""


class Clinic(Section):
    """The whole file."""

    about: About = Field(default=About(), alias="clinic")
    server: Server = Server()
    mqtt: Mqtt | None = None
    beds: tuple[Bed, ...] = Field(default=(), alias="bed")
    devices: tuple[Device, ...] = Field(default=(), alias="device")
    therapies: Therapies = Therapies()
    limits: Limits = Field(default={})
    paging: Paging = Paging()
    staff: tuple[Member, ...] = ()
    duty: Duty = Duty()
    screens: tuple[Screen, ...] = Field(default=(), alias="screen")
    retention: Retention = Retention()
    budget: Budget = Budget()
    dead_man: DeadMan | None = None
    ehr: Ehr | None = None
