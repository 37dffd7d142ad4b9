"""clinic.toml: what is right is used, and what is wrong is said, all of it, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import planning
from monitor.alerts.escalation import CHAINS
from monitor.alerts.rules import INDEX
from monitor.alerts.trials import Terms
from monitor.config import Clinic, ConfigError, described, judged, load
from monitor.config.settings import HighChain, MediumChain, WebhookPager
from monitor.devices.codecs import DRIVERS
from monitor.model import Bed, Priority
from monitor.people import Role
from monitor.sessions.loading import digest, merged
from monitor.sessions.therapy import Therapy

EXAMPLE = Path(__file__).parents[2] / "docs" / "clinic.example.toml"

LISTENED_TO = "anybody on the network could listen in; set tls_cert and tls_key, or insecure_lan = true"

# apprise loads its plug-ins when the first URL is read, and one of them an old part of the standard library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

AT_ONCE = '{after_s = 0, to = "everyone"}'

ONE_BED = '[[bed]]\nname = "3"\n'

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        path = tmp_path / "clinic.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return put


def mistakes(path: Path, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {}, drivers={"nonin", "dinamap"}, rules={"spo2-low", "hr-high"})
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return caught.value.mistakes


def test_the_shipped_example_is_right() -> None:
    clinic = load(EXAMPLE, {}, DRIVERS, INDEX)
    assert [bed.name for bed in clinic.beds] == ["1", "2"]
    assert clinic.staff[1].role is Role.CHARGE_NURSE
    assert clinic.duty.beds == {"1": "anna", "2": "anna"}
    assert clinic.about.data_dir == EXAMPLE.parent / "data"


def test_every_commented_line_of_the_example_is_right_too(write: Write, tmp_path: Path) -> None:
    # A key that is only shown in a comment is a promise as well.
    secrets = {
        "database-url": "postgresql://chairside:pw@localhost/chairside",
        "mqtt-password": "a password",
        "webhook-secret": "sixteen characters and more",
        "anna-phone-url": "json://localhost/",
        "link-secret": "thirty-two characters and some more",
        "dead-man-url": "https://watcher.example/ping/7f3c",
    }
    for name, text in secrets.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "tls").mkdir()
    for name in ("tls/clinic.pem", "tls/clinic.key", "tls/ehr-ca.pem"):
        (tmp_path / name).touch()
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    shown = [line.removeprefix("# ") if _is_setting(line) else line for line in lines]
    assert len([line for line in shown if line not in lines]) > 20
    clinic = load(write("\n".join(shown)), {}, DRIVERS, INDEX)
    assert clinic.mqtt is not None
    assert clinic.limits == {"spo2-low": {"limit": 88, "hold_s": 15}}
    assert clinic.therapies.overrides == {"watch": {"hr-high-m": {"limit": 125}}}
    assert clinic.therapies.own["spravato_us"]["floor"] == {"min": 150}
    assert planning.mistakes(clinic, DRIVERS) == []
    assert [pager.way for pager in clinic.paging.pagers] == ["console", "screen", "webhook", "apprise"]
    assert clinic.paging.link is not None
    assert [str(network) for network in clinic.paging.link.networks] == ["192.168.20.0/24"]
    assert clinic.dead_man is not None
    made = planning.plan(clinic, DRIVERS)
    assert [step.after_ms for step in made.bed_chains[Bed("1")][Priority.HIGH].steps] == [0, 15_000]
    assert made.chain(Bed("1"), Priority.MEDIUM) == made.chain(Bed("2"), Priority.MEDIUM)
    assert made.tests == Terms()


def _is_setting(line: str) -> bool:
    commented = line.removeprefix("# ")
    key = commented.partition(" = ")[0]
    return commented != line and (commented.startswith("[") or (" = " in commented and " " not in key))


def test_the_default_chains_are_the_escalation_table() -> None:
    for settings, priority in ((HighChain(), Priority.HIGH), (MediumChain(), Priority.MEDIUM)):
        chain = CHAINS[priority]
        assert [(step.after_s * 1000, step.to) for step in settings.steps] == [
            (step.after_ms, step.to) for step in chain.steps
        ]
        assert settings.repeat_s * 1000 == chain.repeat_ms
        assert settings.not_at_bed_s * 1000 == chain.not_at_bed_ms
        assert settings.latched_repeat_s * 1000 == chain.latched_repeat_ms


def test_settings_cannot_be_changed_afterwards(write: Write) -> None:
    clinic = load(write(ONE_BED), {})
    with pytest.raises(ValueError, match="frozen"):
        clinic.server.port = 1


def test_every_mistake_is_said_at_once(write: Write) -> None:
    said = mistakes(
        write("""
        [clinic]
        name = 3
        zone = "Europe/Viena"
        [server]
        host = "0.0.0.0"
        port = 80800
        [[bed]]
        name = "Room 3"
        [[bed]]
        name = "4"
        plase = "by the door"
        [[device]]
        name = "bp"
        driver = "dynamap"
        link = "/dev/ttyUSB0"
        bed = "5"
        [limits.spo2-lo]
        limit = true
        [[staff]]
        name = "anna"
        role = "doctor"
        pagers = ["desk"]
        """)
    )
    assert said == [
        "clinic.toml: clinic.name: should be text in quotes",
        'clinic.toml: clinic.zone: there is no time zone "Europe/Viena"; did you mean "Europe/Vienna"?',
        "clinic.toml: server.port: should be at most 65535",
        "clinic.toml: bed.Room 3.name: should be 1 to 32 of a-z, 0-9, _ and -, the first a letter or a digit",
        'clinic.toml: bed.4.plase: there is no such key; did you mean "place"?',
        "clinic.toml: limits.spo2-lo.limit: should be a number; only a span has two",
        "clinic.toml: staff.anna.role: should be nurse, charge nurse, prescriber or administrator",
        'clinic.toml: device.bp.bed: there is no bed "5"',
        'clinic.toml: device.bp.driver: there is no driver "dynamap"; did you mean "dinamap"?',
        f"clinic.toml: server.host: {LISTENED_TO}",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[srever]", 'srever: there is no such key; did you mean "server"?'),
        ("[server]\nprot = 1", 'server.prot: there is no such key; did you mean "port"?'),
        (
            "[paging.chains.high]\nrepeats_s = 1",
            'paging.chains.high.repeats_s: there is no such key; did you mean "repeat_s"?',
        ),
        (
            '[[paging.pager]]\nname = "a"\nway = "console"\ntimeout = 1',
            'paging.pager.a.timeout: there is no such key; did you mean "timeout_s"?',
        ),
        ("[server]\nzzz = 1", "server.zzz: there is no such key; there are host, port, tls_cert, tls_key, "),
        ("[server]\nport = 0", "server.port: should be at least 1"),
        ("[server]\nport = true", "server.port: should be a number"),
        ("[server]\nport = 8080.5", "server.port: should be a whole number"),
        ('[server]\nhost = "http://here"', "server.host: should be a host name or an address"),
        ("server = 3", "server: should be a table"),
        ("[server]\nallowed_hosts = 3", "server.allowed_hosts: should be a list"),
        ('[server]\ntls_cert = "nowhere.pem"', "server.tls_cert: there is no file "),
        ("[server]\nidle_lock_s = 0", "server.idle_lock_s: should be more than 0"),
        ("[server]\nidle_lock_s = inf", "server.idle_lock_s: should be a number, and not without end"),
        ('[mqtt]\navailability_topic = "a/#"', "mqtt.availability_topic: should be one plain topic"),
        ('[clinic]\ndatabase = "mysql://x"', "clinic.database: should be a sqlite:/// or postgresql://"),
        ('[clinic]\ndatabase = "file:gone"', "clinic.database: the secret in "),
        ("[[bed]]\nplace = 'x'", "bed.#2.name: is missing"),
        ('[[paging.pager]]\nname = "a"', "paging.pager.a: has no way; a pager goes by console, webhook or"),
        (
            '[[paging.pager]]\nname = "a"\nway = "sms"',
            "paging.pager.a: there is no such way; a pager goes by console, webhook or apprise",
        ),
        ("[retention]\ntrends_days = 0", "retention.trends_days: should be at least 1"),
        ("[paging.chains.high]\nsteps = []", "paging.chains.high.steps: the first step should have"),
        (
            '[paging.chains.high]\nsteps = [{after_s = 5, to = "everyone"}]',
            "paging.chains.high.steps: the first step should have after_s = 0",
        ),
        (
            f"[paging.chains.medium]\nsteps = [{AT_ONCE}, {AT_ONCE}]",
            "paging.chains.medium.steps: a step after 0 s cannot follow one after 0 s",
        ),
        (
            '[paging.chains.high]\nsteps = [{after_s = 0, to = "the cat"}]',
            "paging.chains.high.steps.#1.to.#1: should be 'assigned nurse', ",
        ),
        (
            "[paging.chains.high]\nsteps = [{after_s = 0, to = []}]",
            "paging.chains.high.steps.#1.to: should name somebody",
        ),
        ("limits.spo2-lo.limit = 88", 'limits.spo2-lo: there is no rule "spo2-lo"; did you mean "spo2-low"?'),
        ("limits.spo2-low.limit = inf", "limits.spo2-low.limit: should be a number; only a span has two"),
        ("[therapies.overrides.watch.hr-hig]", 'therapies.overrides.watch.hr-hig: there is no rule "hr-hig"'),
        ('[duty]\non = ["ana"]', 'duty.on: there is nobody called "ana"'),
        ("x = ", "this is not TOML: invalid value"),
    ],
)
def test_a_mistake_names_its_key_and_says_what_is_wrong(text: str, said: str, write: Write) -> None:
    # A plain `key = value` has to stand before the first table.
    ahead = text.startswith(("limits.", "server =", "x ="))
    found = mistakes(write(f"{text}\n{ONE_BED}" if ahead else f"{ONE_BED}{text}"))
    assert [line for line in found if line.startswith(f"clinic.toml: {said}")], found


WEBHOOK = '[[paging.pager]]\nname = "w"\nway = "webhook"\nurl = "https://here/pages"\n'
NONIN = '[[device]]\nname = "m"\ndriver = "nonin"\nlink = "/dev/x"\nbed = "3"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # wrong type
        ("[server]\nport = [1]", "server.port: should be a whole number"),
        ("[server]\nport = 2026-11-26", "server.port: should be a whole number"),
        ('[server]\nport = "eighty"', "server.port: should be a whole number"),
        ("[server]\nhost = 3", "server.host: should be text in quotes"),
        ('[server]\ninsecure_lan = "maybe"', "server.insecure_lan: should be true or false"),
        ("[server]\ninsecure_lan = [true]", "server.insecure_lan: should be true or false"),
        ('[server]\nallowed_hosts = ["a", 3]', "server.allowed_hosts.#2: should be text in quotes"),
        ("[server]\ntls_cert = 3", "server.tls_cert: should be a path in quotes"),
        ("[clinic]\ndata_dir = 3", "clinic.data_dir: should be a path in quotes"),
        ("[clinic]\ndatabase = 3", "clinic.database: should be text in quotes"),
        ("[[server]]\nport = 1", "server: should be a table"),
        ('[staff]\nname = "anna"', "staff: should be a list: each of them begins with [[staff]]"),
        ("[paging]\npager = 3", "paging.pager: should be a list: each of them begins with [[paging.pager]]"),
        ("[paging]\npager = [3]", "paging.pager.#1: should be a table"),
        ("[paging.chains.high]\nsteps = 3", "paging.chains.high.steps: should be a list"),
        (f"{NONIN}options = 3", "device.m.options: should be a table"),
        ("[limits]\nspo2-low = 88", "limits.spo2-low: should be a table"),
        ("[limits.spo2-low]\nlimit = true", "limits.spo2-low.limit: should be a number; only a span has two"),
        ("[duty.beds]\n3 = 4", "duty.beds.3: should be text in quotes"),
        ('[duty]\non = "anna"', "duty.on: should be a list"),
        # unknown
        (f"{NONIN}bakend = 'x'", 'device.m.bakend: there is no such key; did you mean "backend"?'),
        (f"{NONIN}backend = 'x'", "device.m.backend: should be 'serialx' or 'pyserial'"),
        ("[paging.chains.low]", "paging.chains.low: there is no such key; there are high, medium"),
        (
            '[clinic]\nzone = "Europe/Berln"',
            'clinic.zone: there is no time zone "Europe/Berln"; did you mean "Europe/Berlin"?',
        ),
        (
            '[[staff]]\nname = "a"\nrole = "boss"',
            "staff.a.role: should be nurse, charge nurse, prescriber or administrator",
        ),
        # missing
        (WEBHOOK, "paging.pager.w.secret: is missing"),
        ('[[device]]\nname = "m"\ndriver = "nonin"\nbed = "3"', "device.m.link: is missing"),
        # out of range
        (f'{WEBHOOK}secret = "short"', "paging.pager.w.secret: should have at least 16 characters"),
        (f'{WEBHOOK}secret = ""', "paging.pager.w.secret: should have at least 16 characters"),
        (
            f'{WEBHOOK}secret = "sixteen letters +"\ntimeout_s = 11',
            "paging.pager.w.timeout_s: should be at most 10",
        ),
        ("[server]\nport = 65536", "server.port: should be at most 65535"),
        (f"[server]\nport = {'9' * 40}", "server.port: should be at most 65535"),
        ("[paging]\nundelivered_s = -1", "paging.undelivered_s: should be more than 0"),
        ('[clinic]\nname = " "', "clinic.name: should not be empty"),
        (f'[clinic]\nname = "{"x" * 81}"', "clinic.name: should have at most 80 characters"),
        (
            '[clinic]\ndatabase = "postgresql://[x"',
            "clinic.database: should be a sqlite:/// or postgresql:// address",
        ),
        ('[clinic]\ndatabase = ""', "clinic.database: should be a sqlite:/// or postgresql:// address"),
        (
            f'{WEBHOOK.replace("https://here/pages", "ftp://here")}secret = "sixteen letters +"',
            "paging.pager.w.url: should be an address such as https://HOST/PATH",
        ),
        # a secret that is not there
        (
            f'{WEBHOOK}secret = "file:gone"',
            "paging.pager.w.secret: the secret in FOLDER/gone cannot be read: no such file or directory",
        ),
        (
            f'{WEBHOOK}secret = "file:."',
            "paging.pager.w.secret: the secret in FOLDER cannot be read: is a directory",
        ),
        (f'{WEBHOOK}secret = "file:short"', "paging.pager.w.secret: should have at least 16 characters"),
        ('[mqtt]\npassword = "file:empty"', "mqtt.password: the secret file FOLDER/empty is empty"),
        (
            '[mqtt]\npassword = "file:bytes"',
            "mqtt.password: the secret in FOLDER/bytes cannot be read: it is not UTF-8 text",
        ),
    ],
)
def test_each_kind_of_mistake_is_one_line_in_our_own_words(
    text: str, said: str, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "short").write_text("fifteen letters\n")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    assert mistakes(write(ONE_BED + text)) == [f"clinic.toml: {said}".replace("FOLDER", str(tmp_path))]


@pytest.mark.parametrize("beds", ['[bed]\nname = "3"', "bed = 3", 'bed = {name = "3"}'])
def test_one_pair_of_brackets_round_a_bed_is_one_mistake(beds: str, write: Write) -> None:
    assert mistakes(write(beds)) == ["clinic.toml: bed: should be a list: each of them begins with [[bed]]"]


def test_a_bed_without_a_good_name_is_one_mistake(write: Write) -> None:
    assert mistakes(write("[[bed]]\nname = 3")) == ["clinic.toml: bed.#1.name: should be text in quotes"]


@pytest.mark.parametrize(
    ("link", "right"),
    [
        ("/dev/serial/by-id/usb-1", True),
        ("socket://192.0.2.1:4001", True),
        ("rfc2217://server:2217", True),
        ("mqtt://broker/vs1/clinic/+/numeric", True),
        ("mqtt://broker:1884/#", True),
        ("mllp://:2575", True),
        ("mllp://0.0.0.0:2575", True),
        ("mllp://192.0.2.1", False),
        ("mllp://:2575/topic", False),
        ("ttyUSB0", False),
        ("socket://192.0.2.1", False),
        ("socket://192.0.2.1:99999", False),
        ("mqtt://broker", False),
        ("http://192.0.2.1:80", False),
        ("", False),
    ],
)
def test_a_link_is_a_path_or_an_address_that_can_be_opened(link: str, right: bool, write: Write) -> None:  # noqa: FBT001  a case of the table
    path = write(f'{ONE_BED}[[device]]\nname = "d"\ndriver = "nonin"\nbed = "3"\nlink = "{link}"\n')
    if right:
        assert load(path, {}).devices[0].link == link
    else:
        assert mistakes(path)[0].startswith("clinic.toml: device.d.link: ")


def test_monitors_that_call_one_port_are_told_apart_by_their_options(write: Write) -> None:
    def clinic(*options: str) -> Path:
        links = ("mllp://:2575", "mllp://127.0.0.1:2575", "mllp://:2575")
        device = '[[device]]\nname = "m{}"\ndriver = "nonin"\nbed = "3"\nlink = "{}"\noptions = {{{}}}\n'
        rows = [device.format(at, links[at], each) for at, each in enumerate(options)]
        return write(ONE_BED + "".join(rows))

    assert len(load(clinic('sender = "A"', 'location = "7"', 'sender = "B"'), {}).devices) == 3
    assert len(load(clinic(""), {}).devices) == 1
    shared = "several devices share this port: say by which of sender, device_id, location, from"
    assert mistakes(clinic('sender = "A"', "silent_after_s = 60")) == [
        f"clinic.toml: device.m1.options: {shared} this one is known"
    ]
    assert mistakes(clinic('sender = "A"', 'sender = "A"')) == [
        'clinic.toml: device.m1.options: "m0" is known by the same'
    ]


def test_two_devices_cannot_sit_on_one_port(write: Write) -> None:
    device = '[[device]]\nname = "{}"\ndriver = "nonin"\nbed = "3"\nlink = "/dev/ttyS0"\n'
    assert mistakes(write(ONE_BED + device.format("left") + device.format("right"))) == [
        'clinic.toml: device.right.link: "left" is on this port already'
    ]


def test_C10_one_arm_is_said_of_a_bed_plainly_and_is_never_taken_for_granted(write: Write) -> None:
    assert [bed.same_arm for bed in load(write(ONE_BED), {}).beds] == [False]
    assert [bed.same_arm for bed in load(write(ONE_BED + "same_arm = true\n"), {}).beds] == [True]
    for slip in ('"yes"', "1"):
        assert mistakes(write(ONE_BED + f"same_arm = {slip}\n")) == [
            "clinic.toml: bed.3.same_arm: should be true or false"
        ]


@pytest.mark.parametrize(
    ("drivers", "lacking"),
    [((), "a cuff or SpO2"), (("dinamap",), None), (("masimo-ascii1",), "a cuff")],
)
def test_C10_one_arm_where_cuff_or_probe_is_missing_is_a_mistake(
    write: Write, drivers: Sequence[str], lacking: str | None
) -> None:
    device = '[[device]]\nname = "m-{0}"\ndriver = "{0}"\nbed = "3"\nlink = "/dev/{0}"\n'
    file = write(ONE_BED + "same_arm = true\n" + "".join(map(device.format, drivers)))
    said = [] if lacking is None else [f"bed.3.same_arm: no device of this bed measures {lacking}"]
    assert planning.mistakes(load(file, {}), DRIVERS) == said


# A clinic's own therapies.


SPRAVATO = f"{ONE_BED}[therapies.spravato_us]\n"
LAYER = f'{ONE_BED}[[therapies.spravato_us.layer]]\nname = "from 60 minutes"\n'
US = "therapies.spravato_us"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{ONE_BED}[therapies.spravato]\nversion = 2",
            'therapies.spravato: there is no therapy "spravato"; did you mean "spravato_us"?',
        ),
        (f"{ONE_BED}[therapies.watch]\nversion = 2", 'therapies.watch: there is no therapy "watch"'),
        (f'{SPRAVATO}floor.min = "long"', f"{US}.floor.min: should be a number"),
        (f"{SPRAVATO}floor.mins = 150", f"{US}.floor.mins: is not known here"),
        (f"{SPRAVATO}floor = 150", f"{US}.floor: should be a table"),
        (f"{SPRAVATO}gate = 3", f"{US}.gate: should be a list"),
        (f'{SPRAVATO}name = "mine"', f"{US}.name: is spravato_us, and cannot be changed"),
        (f'{SPRAVATO}digest = "{"0" * 64}"', f"{US}.digest: is not known here; it belongs to the signature"),
        (f'{SPRAVATO}limits = "wach"', f'{US}.limits: there is no limit profile "wach"'),
        (f'{SPRAVATO}limits = "spravato_eu"', f'{US}.limits: there is no limit profile "spravato_eu"'),
        (
            f'{SPRAVATO}signature = {{ by = "kim", on = "soon", digest = "{"0" * 64}" }}',
            f"{US}.signature.on: should be a date, such as 2026-05-01",
        ),
        (
            f"{LAYER}rules.sbp-hi.limit = 150",
            f'{US}.layer.from 60 minutes.rules.sbp-hi: there is no rule "sbp-hi"',
        ),
        (
            f'{LAYER}unconfirmed = ["sbp-hihg-m"]',
            f'{US}.layer.from 60 minutes.unconfirmed: there is no rule "sbp-hihg-m"; did you mean "sbp-high-',
        ),
        (
            f"{LAYER}rules.sbp-high-m = {{ limit = 400 }}",
            f"{US}.layer.from 60 minutes.rules.sbp-high-m.limit: 400 is outside its span ",
        ),
        (
            f"{LAYER}rules.spo2-low = {{ limit = 88, severe = 95 }}",
            f"{US}.layer.from 60 minutes.rules.spo2-low.severe: 95 must lie beyond the limit 88",
        ),
        (
            f"{LAYER}rules.spo2-low = {{ limit = 88, sevre = 80 }}",
            f"{US}.layer.from 60 minutes.rules.spo2-low.sevre: is not known here",
        ),
    ],
)
def test_a_mistake_in_a_therapy_is_one_line_that_names_its_key(text: str, said: str, write: Write) -> None:
    [line] = planning.mistakes(load(write(text), {}), DRIVERS)
    assert line.startswith(said), line


def test_a_key_of_therapies_that_is_no_table_is_a_mistake(write: Write) -> None:
    [line] = mistakes(write(f'{ONE_BED}[therapies]\ndefalt = "watch"\n'))
    assert line.startswith(
        "clinic.toml: therapies.defalt: there is no such key; there are default, overrides"
    )


def test_a_layer_is_held_against_the_limits_as_this_clinic_has_changed_them(write: Write) -> None:
    narrow = "[limits.sbp-high-m]\nspan = [130, 162]\nlimit = 160\n"
    layer = f"{LAYER}rules.sbp-high-m.limit = 165\n"
    assert planning.mistakes(load(write(layer), {}), DRIVERS) == []
    assert planning.mistakes(load(write(layer + narrow), {}), DRIVERS) == [
        f"{US}.layer.from 60 minutes.rules.sbp-high-m.limit: 165 is outside its span 130 to 162"
    ]


def test_what_is_wrong_with_the_limits_is_not_said_again_of_each_layer(write: Write) -> None:
    # Two layers of this therapy change the limit of spo2-low, and none of them its severe bound.
    text = f"{LAYER}after_min = 61\n[limits.spo2-low]\nsevere = 95\n[limits.hr-low]\nhold_s = -1\n"
    said = planning.mistakes(load(write(text), {}), DRIVERS)
    assert {line.partition(": ")[0] for line in said} == {"limits.spo2-low.severe", "limits.hr-low.hold_s"}
    assert len(said) == 2


def test_every_mistake_of_every_therapy_is_said_at_once(write: Write) -> None:
    text = f"{SPRAVATO}floor.min = -1\ntiming.late_min = -1\n[therapies.spravato_eu]\nage = [90, 18]\n"
    assert [line.split(": ")[0] for line in planning.mistakes(load(write(text), {}), DRIVERS)] == [
        f"{US}.timing.late_min",
        f"{US}.floor.min",
        "therapies.spravato_eu.age",
    ]


def test_who_signs_is_told_what_for(write: Write) -> None:
    text = f'{SPRAVATO}floor.min = 150\nsignature = {{ by = "kim", on = 2026-05-01 }}\n'
    [line] = planning.mistakes(load(write(text), {}), DRIVERS)
    own = merged(planning.treatment("spravato_us"), {"floor": {"min": 150}})
    assert line == f'{US}.signature.digest: is missing; of what stands here it is "{digest(own)}"'


def test_a_therapy_is_said_in_words_with_who_has_signed_it(write: Write) -> None:
    kim = '[[staff]]\nname = "kim"\nrole = "{}"\n'
    changed = f"{SPRAVATO}floor.min = 150\ngate = []\n"
    own = merged(planning.treatment("spravato_us"), {"floor": {"min": 150}, "gate": []})
    signed = f'{changed}signature = {{ by = "kim", on = 2026-05-01, digest = "{digest(own)}" }}\n'

    def said(text: str) -> list[str]:
        clinic = load(write(text), {})
        assert planning.mistakes(clinic, DRIVERS) == []
        return [line for line in planning.therapies(clinic) if line.startswith(US)]

    closed = f"{US}: no session can be opened with it. spravato_us"
    gates = [row["name"] for row in planning.treatment("spravato_us")["gate"]]
    *left_out, longer, state = sorted(
        said(signed + kim.format("prescriber")), key=lambda line: "gate" not in line
    )
    assert longer == f"{US} changes floor.min: 150 instead of 120"
    assert state == f"{US}: signed by kim on 2026-05-01"
    assert [line.partition(": ")[0] for line in left_out] == [f"{US} changes gate.{name}" for name in gates]
    assert all(": left out; shipped is " in line for line in left_out)

    assert said(signed + kim.format("nurse"))[-1] == f"{closed} is signed by kim, who is no prescriber here."
    assert said(signed)[-1] == f"{closed} is signed by kim, who is no prescriber here."
    later = said(signed.replace("150", "151") + kim.format("prescriber"))[-1]
    assert later.startswith(
        f"{closed} was changed after kim signed it. It has to be signed again: [{US}.signature]"
    )
    unsigned = said(ONE_BED)
    as_shipped = digest(planning.treatment("spravato_us"))
    how = f'To sign it: [{US}.signature] by, on, digest = "{as_shipped}".'
    assert unsigned == [f"{closed} has not been signed by a prescriber. {how}"]


def test_two_things_of_a_kind_cannot_have_one_name(write: Write) -> None:
    pager = '[[paging.pager]]\nname = "log"\nway = "console"\n'
    assert mistakes(write(ONE_BED * 2 + pager * 2)) == [
        "clinic.toml: bed.3: 2 of them have this name",
        "clinic.toml: paging.pager.log: 2 of them have this name",
    ]


@pytest.mark.parametrize("link", ["mqtt:///a/b", "mqtt:a/b", "mqtt:a/#"])
def test_a_topic_without_a_broker_is_a_mistake(write: Write, link: str) -> None:
    device = f'[[device]]\nname = "d"\ndriver = "nonin"\nbed = "3"\nlink = "{link}"\n'
    assert mistakes(write(ONE_BED + device)) == [
        "clinic.toml: device.d.link: there is no [mqtt] section to say where the broker is"
    ]
    assert load(write(ONE_BED + device + "[mqtt]\n"), {}).mqtt is not None


def test_a_clinic_without_a_bed_is_a_mistake(write: Write) -> None:
    assert mistakes(write("")) == ["clinic.toml: bed: there is none; a clinic has at least one [[bed]]"]


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "clinic.toml") == ["clinic.toml: cannot be read: no such file or directory"]
    (tmp_path / "clinic.toml").write_bytes(b"\xff\xfe")
    assert mistakes(tmp_path / "clinic.toml") == ["clinic.toml: cannot be read: it is not UTF-8 text"]


def test_a_duty_list_names_people_and_beds_that_exist(write: Write) -> None:
    anna = '[[staff]]\nname = "anna"\nrole = "nurse"\n'
    duty = '[duty]\non = ["anna"]\nbeds = {3 = "anna", 4 = "anna", 5 = "bob"}\n'
    assert mistakes(write(ONE_BED + anna + duty)) == [
        'clinic.toml: duty.beds.4: there is no bed "4"',
        'clinic.toml: duty.beds.5: there is no bed "5"',
        'clinic.toml: duty.beds.5: there is nobody called "bob"',
    ]
    away = '[duty]\nbeds = {3 = "anna"}\n'
    assert mistakes(write(ONE_BED + anna + away)) == ['clinic.toml: duty.beds.3: "anna" is not in duty.on']


def test_a_bed_with_another_mistake_is_still_a_bed_that_exists(write: Write) -> None:
    device = '[[device]]\nname = "d"\ndriver = "nonin"\nbed = "4"\nlink = "/dev/ttyS0"\n'
    assert mistakes(write(f'{ONE_BED}[[bed]]\nname = "4"\nplase = "x"\n{device}')) == [
        'clinic.toml: bed.4.plase: there is no such key; did you mean "place"?'
    ]


# T23: TLS, loopback, or said out loud.


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_t23_plain_http_is_fine_on_this_machine(host: str, write: Write) -> None:
    assert load(write(f'{ONE_BED}[server]\nhost = "{host}"\n'), {}).server.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "monitor.clinic.example"])
def test_t23_plain_http_on_the_network_is_refused_unless_it_is_asked_for(
    host: str, write: Write, tmp_path: Path
) -> None:
    server = f'{ONE_BED}[server]\nhost = "{host}"\n'
    assert "anybody on the network could listen in" in mistakes(write(server))[0]
    assert load(write(f"{server}insecure_lan = true\n"), {}).server.insecure_lan
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).touch()
    assert load(write(f'{server}tls_cert = "c.pem"\ntls_key = "k.pem"\n'), {}).server.tls_cert
    alone = write(f'{server}tls_cert = "c.pem"\n')
    assert mistakes(alone) == [
        "clinic.toml: server.tls_key: is missing; a certificate and its key come together"
    ]


# The environment.


def test_the_environment_wins_over_the_file(write: Write) -> None:
    path = write(f"{ONE_BED}[server]\nport = 8000\n")
    environ = {
        "CHAIRSIDE_SERVER__PORT": "9000",
        "CHAIRSIDE_MQTT__TLS": "true",
        "CHAIRSIDE_SERVER__ALLOWED_HOSTS": '["a.example", "b.example"]',
        "CHAIRSIDE_PAGING__CHAINS__HIGH__REPEAT_S": "45.5",
        "CHAIRSIDE_RECORDINGS": "not a setting: no section",
        "SERVER__PORT": "1",
    }
    clinic = load(path, environ)
    assert clinic.server.port == 9000
    assert clinic.server.allowed_hosts == ("a.example", "b.example")
    assert clinic.mqtt is not None
    assert clinic.mqtt.tls
    assert clinic.paging.chains.high.repeat_s == 45.5


def test_a_mistake_in_the_environment_names_the_variable(write: Write) -> None:
    environ = {
        "CHAIRSIDE_SERVER__PORT": "high",
        "CHAIRSIDE_SREVER__PORT": "1",
        "CHAIRSIDE_SERVER__PROT": "1",
        "CHAIRSIDE_BED__PLACE": "here",
        "CHAIRSIDE_SERVER__ALLOWED_HOSTS": "[broken",
    }
    assert set(mistakes(write(ONE_BED), environ)) == {
        "CHAIRSIDE_SERVER__PORT: should be a whole number",
        'CHAIRSIDE_SREVER__PORT: there is no section [srever]; did you mean "server"?',
        'CHAIRSIDE_SERVER__PROT: there is no such key; did you mean "port"?',
        "CHAIRSIDE_BED__PLACE: bed is a list, which only the file can change",
        "CHAIRSIDE_SERVER__ALLOWED_HOSTS: should be a list",
    }


# T16: secrets.

CANARY = "canary-5f2a-not-to-be-seen"


def test_t16_a_secret_may_stand_in_a_file_of_its_own_and_never_shows(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    clinic = load(
        write(f"""{ONE_BED}
        [clinic]
        database = "postgresql://chairside:{CANARY}@localhost/chairside"
        [mqtt]
        password = "file:secret"
        [[paging.pager]]
        name = "gateway"
        way = "webhook"
        url = "https://pager.example/{CANARY}"
        secret = "file:{tmp_path / "secret"}"
        [[paging.pager]]
        name = "phone"
        way = "apprise"
        url = "jsons://user:{CANARY}@pager.example/"
        """),
        {},
    )
    assert clinic.mqtt is not None
    assert clinic.mqtt.password is not None
    assert clinic.mqtt.password.get_secret_value() == CANARY
    gateway = clinic.paging.pagers[0]
    assert isinstance(gateway, WebhookPager)
    assert gateway.secret.get_secret_value() == CANARY
    everything = [repr(clinic), str(clinic), clinic.model_dump_json(), *described(clinic)]
    assert not [text for text in everything if CANARY in text]


def test_t16_a_secret_does_not_show_in_a_mistake(write: Write) -> None:
    said = mistakes(
        write(f"""{ONE_BED}
        [clinic]
        database = "mysql://{CANARY}"
        [mqtt]
        port = "{CANARY}"
        password = ["{CANARY}"]
        [[paging.pager]]
        name = "gateway"
        way = "webhook"
        url = "https://user:{CANARY}@pager.example/"
        secret = "canary-5f2a"
        [[paging.pager]]
        name = "phone"
        way = "apprise"
        url = "nosuchservice://{CANARY}"
        """)
    )
    assert len(said) == 6
    assert not [line for line in said if "canary" in line]


def test_an_empty_secret_file_is_a_mistake(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    said = mistakes(write(f'{ONE_BED}[mqtt]\npassword = "file:secret"\n'))
    assert said == [f"clinic.toml: mqtt.password: the secret file {tmp_path / 'secret'} is empty"]


# T11, T17: names and addresses.


@given(st.text(max_size=40))
def test_t11_a_name_is_harmless_or_refused(name: str) -> None:
    bed = {"bed": [{"name": name}]}
    plain = 1 <= len(name) <= 32 and all(c in "abcdefghijklmnopqrstuvwxyz0123456789_-" for c in name)
    if plain and name[0] not in "_-":
        assert Clinic.model_validate(bed).beds[0].name == name
    else:
        with pytest.raises(ValueError, match=r"bed\.0\.name"):
            Clinic.model_validate(bed)


def test_t10_a_name_cannot_fake_a_line_of_its_own(write: Write) -> None:
    said = mistakes(write(f'{ONE_BED}[[bed]]\nname = "x\\nclinic.toml: all is well"\n'))
    assert said[0].startswith("clinic.toml: bed.x?clinic.toml: all is well.name: should be 1 to 32 of")


@pytest.mark.parametrize(
    "url", ["ftp://host/", "https://", "https://user@host/", "https://a:b@host/", "host/path", "https://h:x/"]
)
def test_t17_a_webhook_goes_to_a_plain_web_address(url: str, write: Write) -> None:
    pager = f'[[paging.pager]]\nname = "w"\nway = "webhook"\nsecret = "0123456789abcdef"\nurl = "{url}"\n'
    assert mistakes(write(ONE_BED + pager))[0].startswith("clinic.toml: paging.pager.w.url: should ")


SECTIONS = (
    "clinic",
    "server",
    "mqtt",
    "bed",
    "device",
    "therapies",
    "limits",
    "paging",
    "staff",
    "duty",
    "zzz",
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "bed", "way", "pager", "chains", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(section=st.sampled_from(SECTIONS), value=ANYTHING)
def test_whatever_stands_in_a_section_is_a_mistake_in_words_and_never_a_crash(
    section: str, value: object
) -> None:
    _, found = judged({section: value}, {}, Path("clinic.toml"))
    assert all(line.startswith("clinic.toml: ") and "\n" not in line for line in found)
    assert not [line for line in found if "nput should" in line or "alidation" in line], "not our words"
    assert not [line for line in found if line.endswith("is not as it should be")], "no words of their own"


@given(key=st.sampled_from(sorted(Therapy.model_fields)), value=ANYTHING)
def test_whatever_stands_in_a_therapy_is_a_mistake_in_words_and_never_a_crash(
    key: str, value: object
) -> None:
    clinic = Clinic.model_validate({"therapies": {"spravato_us": {key: value}}})
    found = planning.mistakes(clinic, DRIVERS)
    assert all(line.startswith("therapies.spravato_us.") and ": " in line for line in found)
    assert not [line for line in found if line.endswith("is not as it should be")], "no words of their own"
    assert found or list(planning.therapies(clinic))


# [ehr].


EHR = '[ehr]\nhost = "127.0.0.1"\nsender_id = "1a-2b-3c-4d-5e-6f-70-81"\n'


def test_an_ehr_needs_to_be_told_where_it_is_and_who_calls(write: Write) -> None:
    ehr = load(write(ONE_BED + EHR), {}).ehr
    assert ehr is not None
    assert (ehr.port, ehr.sender_id, ehr.send, ehr.tls) == (2575, "1A2B3C4D5E6F7081", ("sessions",), False)
    assert load(write(ONE_BED), {}).ehr is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('sender_id = "1A2B"', "ehr.sender_id: should be 16 hexadecimal digits (EUI-64), which nobody else"),
        ('send = ["reports"]', "ehr.send"),
        ("send = []", "ehr.send: "),
        ("vitals_every_s = 5", "ehr.vitals_every_s: should be at least 10"),
        ("port = 70000", "ehr.port: should be at most 65535"),
        ('tls_ca = "nowhere.pem"', "ehr.tls_ca: there is no file "),
        ('host = "mllp://a"', "ehr.host: should be a host name or an address, without a scheme or a port"),
        ('tls = "yes"', "ehr.tls: should be true or false"),
        ('reciever = "A"', 'ehr.reciever: there is no such key; did you mean "receiver"?'),
    ],
)
def test_a_mistake_about_the_ehr_is_said_by_its_key(write: Write, line: str, said: str) -> None:
    key = line.split(" ", maxsplit=1)[0]
    kept = "\n".join(one for one in EHR.splitlines() if not one.startswith(f"{key} "))
    (mistake,) = mistakes(write(f"{ONE_BED}{kept}\n{line}\n"))
    assert said in mistake


def test_what_an_ehr_is_told_crosses_no_network_in_the_clear_unless_somebody_says_so(write: Write) -> None:
    far = EHR.replace("127.0.0.1", "192.0.2.50")
    read_along = "anybody on the network could read along; set tls = true, or insecure_lan = true"
    assert mistakes(write(ONE_BED + far)) == [f"clinic.toml: ehr.host: {read_along}"]
    for way in ("tls", "insecure_lan"):
        assert load(write(f"{ONE_BED}{far}{way} = true\n"), {}).ehr is not None


def test_a_certificate_authority_without_tls_is_a_slip(write: Write, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    said = ["clinic.toml: ehr.tls: should be true where tls_ca is set"]
    assert mistakes(write(f'{ONE_BED}{EHR}tls_ca = "ca.pem"\n')) == said
