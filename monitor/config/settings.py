"""The sections of clinic.toml as frozen, typed settings. A value that stands here has been checked."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from ipaddress import ip_network
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    StrictBool,
    StringConstraints,
    ValidationInfo,
)

from monitor.config.words import nearest, plainly
from monitor.model import Bed as BedName
from monitor.model import Device as DeviceName
from monitor.model import Staff as StaffName
from monitor.people import Role

NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"
"""What a bed, device, person or pager may be called: harmless in a topic, path, URL or log line (T11)."""

# The kinds of value.


def _no_bool(value: object) -> object:
    # To pydantic, true is the number 1; to whoever wrote `port = true` it was a slip.
    if isinstance(value, bool):
        raise ValueError("should be a number")  # noqa: TRY004  pydantic turns only ValueErrors into mistakes
    return value


def _rule_number(value: object) -> object:
    numbers = value if isinstance(value, list) else [value]
    if isinstance(value, str) or (
        len(numbers) in (1, 2)
        and all(isinstance(n, int | float) and not isinstance(n, bool) and isfinite(n) for n in numbers)
    ):
        return tuple(numbers) if isinstance(value, list) else value
    raise ValueError("should be a number; only a span has two")


def _therapy(value: object) -> object:
    # Whatever [therapies] holds beside its own keys is a therapy, so a key that is no table is a slip.
    if isinstance(value, Mapping):
        return value
    raise ValueError("there is no such key; there are default, overrides and a table for each therapy")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _from_folder(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path())
    return Path(folder) / path.expanduser()


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _revealed(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str) or not value.startswith("file:"):
        return value
    path = _from_folder(Path(value.removeprefix("file:")), info)
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the secret in {path} cannot be read: {plainly(error)}") from None
    if not secret:
        raise ValueError(f"the secret file {path} is empty")
    return secret


def _zone(name: str) -> str:
    # UTC is known without the time-zone files, which small systems leave out.
    if name == "UTC" or name in zoneinfo.available_timezones():
        return name
    raise ValueError(f'there is no time zone "{name}"{nearest(name, zoneinfo.available_timezones())}')


def _database(url: SecretStr) -> SecretStr:
    try:
        kind = urlsplit(url.get_secret_value()).scheme.partition("+")[0]
    except ValueError:
        kind = ""
    if kind not in {"sqlite", "postgresql"}:
        raise ValueError("should be a sqlite:/// or postgresql:// address")
    return url


def _host(name: str) -> str:
    if "/" in name or name != name.strip() or not name:
        raise ValueError("should be a host name or an address, without a scheme or a port")
    return name


def _link(link: str) -> str:
    if link.startswith("/"):
        return link
    try:
        url = urlsplit(link, allow_fragments=False)  # "#" is a wild card in a topic
        port = url.port
    except ValueError:
        raise ValueError("has no port between 0 and 65535") from None
    if url.scheme == "mqtt" and url.path.strip("/"):
        return link
    if url.scheme in {"socket", "rfc2217"} and url.hostname and port:
        return link
    if url.scheme == "mllp" and port and not url.path.strip("/"):
        return link
    raise ValueError(
        "should be a path such as /dev/serial/by-id/..., socket://HOST:PORT, rfc2217://HOST:PORT, "
        "mqtt://HOST/TOPIC (mqtt:///TOPIC for the broker of [mqtt]), or mllp://:PORT"
    )


def _eui64(name: str) -> str:
    digits = name.replace("-", "").replace(":", "").upper()
    if len(digits) != 16 or any(sign not in "0123456789ABCDEF" for sign in digits):
        raise ValueError("should be 16 hexadecimal digits (EUI-64), which nobody else at the receiver has")
    return digits


def _topic(topic: str) -> str:
    if not topic or topic.startswith("$") or any(sign in topic for sign in "+#\0"):
        raise ValueError("should be one plain topic, without + or #")
    return topic


def _web_address(url: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(url.get_secret_value())
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise ValueError("should be an address such as https://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise ValueError("should hold no user and no password; the signature tells the receiver who calls")
    return url


def _apprise_address(url: SecretStr) -> SecretStr:
    from apprise import Apprise

    # apprise says no by None, and why only to its log, where a token might show.
    if Apprise.instantiate(url.get_secret_value()) is None:
        raise ValueError("is no address that apprise understands")
    return url


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("should name somebody")
    return values


def _role(role: object) -> object:
    if role in _PEOPLE:
        return role
    raise ValueError(f"should be {', '.join(_PEOPLE[:-1])} or {_PEOPLE[-1]}")


_PEOPLE = (Role.NURSE, Role.CHARGE_NURSE, Role.PRESCRIBER, Role.ADMINISTRATOR)
"""Screens and machines are roles too, but no staff."""


def _in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps or steps[0].after_s != 0:
        raise ValueError("the first step should have after_s = 0: it is the one at the start of the alarm")
    for before, step in pairwise(steps):
        if step.after_s <= before.after_s:
            raise ValueError(f"a step after {step.after_s:g} s cannot follow one after {before.after_s:g} s")
    return steps


Name = Annotated[str, StringConstraints(pattern=NAME)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Port = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=65535)]
Whole = Annotated[int, BeforeValidator(_no_bool), Field(ge=1)]
Seconds = Annotated[float, BeforeValidator(_no_bool), Field(gt=0, allow_inf_nan=False)]
Moment = Annotated[float, BeforeValidator(_no_bool), Field(ge=0, allow_inf_nan=False)]
RuleNumber = Annotated[float | tuple[float, float] | str, BeforeValidator(_rule_number)]
"""A number of a limit's row; the span has two; how its terms are joined is a word."""
Secret = Annotated[SecretStr, BeforeValidator(_revealed)]
"""A text that never shows: `.get_secret_value()` gives it. `file:PATH` in the file means what PATH holds."""

Recipient = Literal["assigned nurse", "second nurse", "charge nurse", "prescriber", "everyone"]
"""Whom a step of a chain may name (alarms.md 8)."""


OWN_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)
"""The addresses that no machine on the internet has (RFC 1918, RFC 3927, RFC 4193, and this machine)."""

Limits = Mapping[str, Mapping[str, RuleNumber]]
"""By rule, the numbers that this clinic changes in the profile's row. The profile judges whether they fit."""


# The sections, in the order of the file.


class Section(BaseModel):
    """A table of the file. Frozen; a key it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class About(Section):
    """[clinic]: what it is called, where its clock hangs, where its records are kept."""

    name: Text = "Clinic"
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    data_dir: Annotated[Path, AfterValidator(_from_folder), Field(validate_default=True)] = Path("data")
    database: Annotated[Secret, AfterValidator(_database)] | None = None
    """None: SQLite files in `data_dir`."""


class Server(Section):
    """[server]: where the screens find it."""

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: Port = 8080
    tls_cert: Annotated[Path, AfterValidator(_from_folder), AfterValidator(_file)] | None = None
    tls_key: Annotated[Path, AfterValidator(_from_folder), AfterValidator(_file)] | None = None
    insecure_lan: bool = False
    allowed_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """Names in the address bar that are answered, besides `host` itself (T06)."""
    idle_lock_s: Seconds = 120
    """A person who signed in with a PIN is signed out after this long without a touch."""


class Mqtt(Section):
    """[mqtt]: the broker of every `mqtt://` link that names no host."""

    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: Port = 1883
    user: str | None = None
    password: Secret | None = None
    tls: bool = False
    availability_topic: Annotated[str, AfterValidator(_topic)] | None = None
    """Where the service says, retained, whether it is there. None: nowhere."""
    home_assistant: bool = False
    """Whether Home Assistant is told of every bed and vital. Not a clinical display."""
    home_assistant_prefix: Annotated[str, AfterValidator(_topic)] = "homeassistant"

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
    link: Annotated[str, AfterValidator(_link)]
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
    __pydantic_extra__: dict[str, Annotated[Mapping[str, Any], BeforeValidator(_therapy)]] = Field(init=False)

    default: Name = "watch"
    overrides: Mapping[str, Limits] = {}
    """By profile, what [limits] is for all of them."""

    @property
    def own(self) -> Mapping[str, Mapping[str, Any]]:
        """By therapy, what this clinic says of it."""
        return self.__pydantic_extra__


class Step(Section):
    """One rung of a chain: how long after the start of the alarm, and to whom."""

    after_s: Moment
    to: Annotated[tuple[Recipient, ...], BeforeValidator(_listed), AfterValidator(_some)]


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
    url: Annotated[Secret, AfterValidator(_web_address)]
    secret: Annotated[Secret, Field(min_length=16)]
    """Both sides know it; the signature is made with it."""
    timeout_s: Annotated[Seconds, Field(le=10)] = 5
    heartbeat_s: Annotated[Moment, Field(le=60)] = 10
    """How often the gateway is asked whether it is there (ALM-082); 0: never."""


class ApprisePager(Section):
    """[[paging.pager]] way = "apprise": any service apprise knows, by its URL."""

    name: Name
    way: Literal["apprise"]
    url: Annotated[Secret, AfterValidator(_apprise_address)]
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

    address: Annotated[Secret, AfterValidator(_web_address)]
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
    role: Annotated[Role, BeforeValidator(_role)]
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

    url: Annotated[Secret, AfterValidator(_web_address)]
    every_s: Annotated[Seconds, Field(ge=5)] = 60


class Ehr(Section):
    """[ehr]: an EHR, or the interface engine before it, that is told by HL7 v2.6 over MLLP."""

    host: Annotated[str, AfterValidator(_host)]
    port: Port = 2575
    tls: StrictBool = False
    tls_ca: Annotated[Path, AfterValidator(_from_folder), AfterValidator(_file)] | None = None
    """Who vouches for its certificate. None: whoever this machine trusts."""
    insecure_lan: StrictBool = False
    send: Annotated[
        tuple[Literal["sessions", "vitals"], ...], BeforeValidator(_listed), AfterValidator(_some)
    ] = ("sessions",)
    """"sessions": the record of a session once it is over; "vitals": its numbers while it lasts."""
    vitals_every_s: Annotated[Whole, Field(ge=10, le=3600)] = 60
    sender: Text = "CHAIRSIDE"
    sender_id: Annotated[str, AfterValidator(_eui64)]
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
    limits: Limits = {}
    paging: Paging = Paging()
    staff: tuple[Member, ...] = ()
    duty: Duty = Duty()
    screens: tuple[Screen, ...] = Field(default=(), alias="screen")
    retention: Retention = Retention()
    budget: Budget = Budget()
    dead_man: DeadMan | None = None
    ehr: Ehr | None = None
