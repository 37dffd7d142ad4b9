"""The command line as a technician uses it: real processes, exit codes, one line that says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from monitor.__main__ import app
from monitor.devices.codecs import DRIVERS
from tests.shells.conftest import free_port
from tests.whole.clinic import PASSWORD, SMALLEST, Program, command

pytestmark = pytest.mark.real

IN_OUR_OWN_PROCESS = ["run", "check", "drivers", "ports", "decode", "listen", "replay"]
BY_GROUP = ["journal", "journal verify", "journal export", "journal tail"]
OF_USERS = ["user", "user add", "user list", "user disable", "user reset"]

MASIMO = (
    (  # fact sheet 7, 1: a Rad-8
        (
            "02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=097 PI=03.60% SPCO=--.-% SPMET=--.-% DESAT=-- "
            "PIDELTA=+-- ALARM=0000 EXC=000800"
        ),
        {"spo2": 98, "pr_spo2": 97, "pi": 3.6},
    ),
    (  # 2: a Rad-87
        (
            "02/24/18 04:48:53 SN=0000145838 SPO2=097% BPM=080 PI=04.96% SPCO=--.-% SPMET=--.-% DESAT=-- "
            "PIDELTA=+-- ALARM=0000 EXC=000800"
        ),
        {"spo2": 97, "pr_spo2": 80, "pi": 4.96},
    ),
    (  # 3: nothing attached
        (
            "05/15/07 08:12:21 SN=0000070986 SPO2=---% BPM=--- PI=--.--% SPCO=--.-% SPMET=--.-% DESAT=-- "
            "PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000"
        ),
        {"spo2": None, "pr_spo2": None, "pi": None},
    ),
    (  # 4: a Rad-5
        "09/15/10 15:10:29 SPO2=097% BPM=064 PI=11.82% ALARM=20 EXC=800",
        {"spo2": 97, "pr_spo2": 64, "pi": 11.82},
    ),
    (  # 6: the sensor is off, and digits are printed
        (
            "11/22/26 10:00:07 SN=0000012345 SPO2=095% BPM=071 PI=00.35% SPCO=--.-% SPMET=--.-% DESAT=-- "
            "PIDELTA=+-- ALARM=0010 EXC=000824"
        ),
        {"spo2": None, "pr_spo2": None, "pi": None},
    ),
)
NELLCOR = (  # fact sheet 2 and 7
    ("29-Dec-17 07:18:43    99      66      12", {"spo2": 99, "pr_spo2": 66}, "valid"),
    ("29-Dec-17 07:18:57    89*     66     201    MO SL", {"spo2": 89, "pr_spo2": 66}, "questionable"),
    (
        "29-Dec-17 07:19:01    79*     66      18    MO SL       AS",
        {"spo2": 79, "pr_spo2": 66},
        "questionable",
    ),
    ("29-Dec-17 07:19:31   ---     ---     ---    SD          AS", {"spo2": None, "pr_spo2": None}, ""),
    ("29-Dec-17 07:20:29     0       0     ---    PS", {"spo2": None, "pr_spo2": None}, ""),
)
DINAMAP = (  # fact sheet 8
    (
        "20 4e 41 31 31 30 30 30 34 32 31 33 38 30 38 34 31 30 32 26 25 0d",
        {"kind": "cuff", "sys": 138, "dia": 84, "map": 102, "age_s": 42, "quality": "valid"},
    ),
    (
        "20 4e 41 30 31 30 30 30 34 32 31 33 38 30 38 34 31 30 32 26 24 0d",
        {"kind": "status", "what": "cuff measuring"},
    ),
    ("20 4e 41 31 31 30 39 39 39 39 30 30 30 30 30 30 30 30 30 26 28 0d", None),
    (
        "20 4f 41 31 30 39 37 35 30 38 23 48 0d",
        {"kind": "sample", "vital": "spo2", "value": 97, "quality": "valid"},
    ),
    ("20 4f 41 36 30 30 30 30 30 38 23 38 0d", {"kind": "sample", "vital": "spo2", "value": None}),
    ("20 52 41 32 30 37 32 22 45 0d", {"kind": "sample", "vital": "pr_spo2", "value": 72}),
    (
        "20 54 43 30 30 21 30 30 30 31 32 30 39 38 36 31 25 23 0d",
        {"kind": "sample", "vital": "temp", "value": 37, "unit": "Cel", "quality": "valid"},
    ),
)


def ran(*arguments: str, given: bytes | str = b"") -> tuple[int, list[str], list[str]]:
    """Run a command in this process: its exit code, its lines, and its complaints."""
    done = CliRunner().invoke(app, list(arguments), input=given)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()


def decoded(driver: str, data: bytes, *more: str) -> list[dict[str, Any]]:
    """What `decode` says of these bytes."""
    code, lines, complaints = ran("decode", driver, *more, given=data)
    assert (code, complaints) == (0, [])
    return [json.loads(line) for line in lines]


def holds(line: dict[str, Any], part: dict[str, Any]) -> bool:
    """Whether a line says at least this."""
    return all(key in line and line[key] == value for key, value in part.items())


# Help.


@pytest.mark.parametrize("words", [*IN_OUR_OWN_PROCESS, *BY_GROUP, *OF_USERS, ""])
def test_every_command_has_help_with_an_example(words: str) -> None:
    code, lines, _ = ran(*words.split(), "--help")
    text = " ".join(" ".join(lines).split())
    assert code == 0
    assert "Example: chairside " in text


@pytest.mark.parametrize("words", ["demo", "simulate"])
def test_the_commands_of_the_simulators_have_help_with_an_example(words: str) -> None:
    code, out, _ = command(words, "--help")
    assert code == 0
    assert "Example: chairside " in " ".join(out.split())


# Decoding.


@pytest.mark.parametrize(("line", "values"), MASIMO)
def test_a_masimo_line_of_the_sheet_says_what_the_sheet_says(line: str, values: dict[str, float]) -> None:
    said = decoded("masimo-ascii1", line.encode() + b"\r\n")
    assert {s["vital"]: s["value"] for s in said if s["kind"] == "sample"} == values


def test_a_masimo_trend_line_is_no_live_value() -> None:
    """Sheet 5 and 7.5: zeros there mean nothing, and an old value is not a new one."""
    lines = (
        b"09/21/08 09:56:08 SpO2=000 PR=000 PI=00.00 EXC=820:OffPat,SET\r\n"
        b"09/21/08 09:56:12 SpO2=097 PR=069 PI=04.69 EXC=800:SET\r\n"
    )
    assert [
        s for s in decoded("masimo-ascii1", lines) if s["kind"] == "sample" and s["value"] is not None
    ] == []


@pytest.mark.parametrize(("line", "values", "quality"), NELLCOR)
def test_a_nellcor_line_of_the_sheet_says_what_the_sheet_says(
    line: str, values: dict[str, float], quality: str
) -> None:
    said = [s for s in decoded("nellcor-ascii", line.encode() + b"\r\n") if s["kind"] == "sample"]
    assert {s["vital"]: s["value"] for s in said} == values
    assert {s["quality"] for s in said} <= ({quality} if quality else {"invalid", "missing"})


@pytest.mark.parametrize(("digits", "says"), DINAMAP)
def test_a_dinamap_frame_of_the_sheet_says_what_the_sheet_says(
    digits: str, says: dict[str, Any] | None
) -> None:
    said = decoded("dinamap", digits.encode(), "--hex")
    if says is None:
        assert said == []
    else:
        assert [line for line in said if holds(line, says)], said


@pytest.mark.parametrize("driver", DRIVERS)
def test_decode_survives_any_bytes(driver: str, tmp_path: Path) -> None:
    for seed in range(20):
        luck = random.Random(seed)  # noqa: S311  bytes, no secret
        noise = luck.randbytes(5_000) + b"\r\n{}[1,2\r\n" + luck.randbytes(100).hex().encode()
        file = tmp_path / f"{seed}.raw"
        file.write_bytes(noise)
        code, lines, complaints = ran("decode", driver, str(file))
        assert (code, complaints) == (0, []), seed
        assert {json.loads(line)["kind"] for line in lines} <= {"sample", "cuff", "status", "fault"}


def test_decode_says_what_it_cannot_do_in_one_line(tmp_path: Path) -> None:
    for arguments, given in (
        (["decode", "rad-8"], b""),
        (["decode", "dinamap", "--hex"], b"20 4z"),
        (["decode", "dinamap", "--hex"], b"20 4"),
        (["decode", "dinamap", str(tmp_path / "nowhere.raw")], b""),
        (["decode", "dinamap", str(tmp_path)], b""),
    ):
        code, lines, complaints = ran(*arguments, given=given)
        assert (code, lines, len(complaints)) == (2, [], 1), arguments


def test_decode_takes_the_options_of_a_device_and_payloads_that_are_no_text() -> None:
    # Births and data of a node, byte by byte as in the vectors.
    lines = [
        {"topic": "spBv1.0/c/NBIRTH/n", "payload_hex": "08 A0 C1 DF CA AA 33 18 00"},
        {"topic": "spBv1.0/c/DBIRTH/n/d", "payload_base64": "EgoKBFNwTzIQASADGAE="},
        {"topic": "spBv1.0/c/DDATA/n/d", "payload_hex": "12 06 10 01 20 03 50 61 18 02"},
        {"topic": "spBv1.0/c/DDATA/n/d", "payload_hex": "12 0"},
        {"topic": "spBv1.0/c/DDATA/n/d", "payload_base64": "?"},
    ]
    capture = "\n".join(map(json.dumps, lines)).encode()
    wanted = ("shape=sparkplug", 'device={"is":"d"}', 'map=[{"metric":"SpO2","vital":"spo2"}]')
    options = [part for option in wanted for part in ("--option", option)]
    online, sample, *faults = decoded("mqtt-map", capture, *options)
    assert (online["what"], sample["vital"], sample["value"]) == ("online", "spo2", 97)
    assert [fault["reason"] for fault in faults] == [
        "payload_hex cannot be read",
        "payload_base64 cannot be read",
    ]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("shape", "--option shape: an option is KEY=VALUE"),
        ("shape=round", 'shape is "scalar", "flat", "envelope" or "sparkplug", not \'round\''),
        ("colour=1", "mqtt-map has no option 'colour'"),
    ],
)
@pytest.mark.parametrize("words", [["decode", "mqtt-map"], ["listen", "mqtt-map", "mqtt://127.0.0.1:9/x"]])
def test_an_option_that_cannot_be_is_said_in_one_line(words: list[str], option: str, complaint: str) -> None:
    code, out, err = ran(*words, "--option", option)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith(f"chairside: {complaint}")


def test_a_monitor_that_is_still_speaking_is_decoded_as_it_speaks() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "decode", "masimo-ascii1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as decoding:
        assert decoding.stdin is not None
        assert decoding.stdout is not None
        decoding.stdin.write(MASIMO[0][0].encode() + b"\r\n")
        decoding.stdin.flush()
        first = json.loads(decoding.stdout.readline())  # its input is still open
        assert (first["vital"], first["value"]) == ("spo2", 98)
        decoding.stdin.close()
        assert decoding.wait(30) == 0


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    line = MASIMO[0][0].encode() + b"\r\n"
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "decode", "masimo-ascii1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as decoding:
        assert decoding.stdin is not None
        assert decoding.stdout is not None
        assert decoding.stderr is not None
        decoding.stdout.close()  # nobody reads any more
        with contextlib.suppress(BrokenPipeError):  # and so it reads no more either
            decoding.stdin.write(line * 5_000)
            decoding.stdin.close()
        assert decoding.stderr.read() == b""
        assert decoding.wait(30) == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("frobnicate",), "No such command 'frobnicate'. See `chairside --help`."),
        (("decode",), "Missing argument 'driver'. See `chairside decode --help`."),
        (("replay", "--bogus"), "No such option: --bogus. See `chairside replay --help`."),
        (("journal", "verify"), "Missing argument 'CLINIC.toml'. See `chairside journal verify --help`."),
        (("simulate", "masimo-ascii1", "--seed", "x"), "See `chairside simulate --help`."),
        (("demo", "--beds", "x"), "See `chairside demo --help`."),
    ],
)
def test_what_is_asked_wrongly_is_answered_in_one_line(asked: tuple[str, ...], says: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *asked], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("chairside: ")
    assert line.endswith(says)


# What is there.


def test_drivers_are_listed_for_people_and_for_programs() -> None:
    code, lines, _ = ran("drivers", "--json")
    rows = json.loads("\n".join(lines))
    assert code == 0
    assert [row["driver"] for row in rows] == list(DRIVERS)
    assert {"models", "link", "settings", "vitals", "starts_cuff"} <= rows[0].keys()
    dinamap = next(row for row in rows if row["driver"] == "dinamap")
    assert (dinamap["settings"], dinamap["starts_cuff"]) == ("9600 8N1", True)
    assert "nibp" in dinamap["vitals"]
    _, table, _ = ran("drivers")
    assert all(any(driver in line for line in table) for driver in DRIVERS)


def test_ports_are_listed_or_said_to_be_missing() -> None:
    code, lines, _ = ran("ports", "--json")
    assert code == 0
    found = json.loads("\n".join(lines))
    _, said, _ = ran("ports")
    assert len(said) == max(1, len(found))
    assert found or said == ["No serial port is there: is the adapter plugged in?"]


async def test_listen_says_what_decode_then_says_of_the_kept_bytes(tmp_path: Path) -> None:
    port, kept = free_port(), tmp_path / "kept.raw"
    device = Program(
        tmp_path / "device.log", "simulators", "masimo-ascii1", "--link", f"socket://:{port}", "--speed", "5"
    )
    try:
        await device.says(" listens at ")
        link = f"socket://127.0.0.1:{port}"
        code, out, complaint = await asyncio.to_thread(
            command, "listen", "masimo-ascii1", link, "--seconds", "2", "--raw", str(kept)
        )
    finally:
        await device.stop()
    assert (code, complaint) == (0, "")
    heard = [json.loads(line) for line in out.splitlines()]
    assert len([s for s in heard if s.get("vital") == "spo2"]) >= 5
    assert heard == decoded("masimo-ascii1", kept.read_bytes())[: len(heard)]


def test_listen_to_nobody_says_so_and_exits_3() -> None:
    code, lines, complaints = ran("listen", "masimo-ascii1", f"socket://127.0.0.1:{free_port()}")
    assert (code, lines, len(complaints)) == (3, [], 1)
    code, _, complaint = command("listen", "mqtt-native", f"mqtt://127.0.0.1:{free_port()}/vs1/#")
    assert (code, complaint.count("\n")) == (3, 1), complaint
    code, _, complaints = ran("listen", "masimo-ascii1", "/dev/no-such-port")
    assert (code, len(complaints)) == (3, 1)


# Settings.


BROKEN = """
[clinic]
nmae = "Clinic"
zone = "Mars/Olympus"
[[bed]]
name = "3"
[[bed]]
name = "Bed Four"
[[device]]
name = "oximeter"
driver = "masimo"
link = "/dev/ttyUSB0"
bed = "3"
[[device]]
name = "cuff"
driver = "dinamap"
link = "ttyUSB1"
bed = "3"
[[device]]
name = "printer"
driver = "nellcor-ascii"
link = "/dev/ttyUSB2"
bed = "9"
[[paging.pager]]
name = "log"
way = "console"
[[paging.pager]]
name = "gateway"
way = "webhook"
url = "ftp://pager.example"
secret = "short"
[[staff]]
name = "dana"
role = "doctor"
[[staff]]
name = "sam"
role = "nurse"
pagers = ["beeper"]
[[device]]
name = "v100"
driver = "dinamap"
link = "/dev/ttyUSB7"
bed = "3"
options = { checksum = "maybe" }
[limits]
sbp-high = { limit = 300 }
spo2-lwo = { limit = 80 }
[therapies.overrides.watch]
spo2-low = { severe = 95 }
[therapies.spravato_su]
floor.min = 150
[therapies.spravato_us]
floor.min = "long"
[[therapies.spravato_eu.layer]]
name = "slowed breathing"
rules.spo2-lo.limit = 90
rules.spo2-low-m.limit = 20
[therapies.iv_ketamine_40.signature]
by = "sam"
on = 2026-05-01
"""
MISTAKES = (
    "clinic.nmae",
    "clinic.zone",
    "bed.Bed Four.name",
    "device.oximeter.driver",
    "device.cuff.link",
    "device.printer.bed",
    "paging.pager.gateway.url",
    "paging.pager.gateway.secret",
    "staff.dana.role",
    "staff.sam.pagers",
    "device.v100.options",
    "limits.sbp-high.limit",
    "limits.sbp-high.severe",
    "limits.spo2-lwo",
    "therapies.overrides.watch.spo2-low.severe",
    "therapies.spravato_su",
    "therapies.spravato_us.floor.min",
    "therapies.spravato_eu.layer.slowed breathing.rules.spo2-lo",
    "therapies.spravato_eu.layer.slowed breathing.rules.spo2-low-m.limit",
    "therapies.iv_ketamine_40.signature.digest",
)


@pytest.mark.parametrize("words", [["check"], ["run"], ["journal", "verify"]])
def test_every_mistake_of_the_settings_is_one_line_that_names_its_key(
    tmp_path: Path, words: Sequence[str]
) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(BROKEN, "utf-8")
    code, lines, complaints = ran(*words, str(file))
    assert (code, lines) == (2, [])
    assert all(line.startswith("clinic.toml: ") for line in complaints)
    keys = [line.split(": ")[1] for line in complaints]
    assert set(keys) == set(MISTAKES), complaints
    assert not any("short" in line for line in complaints)  # a secret is not repeated


def test_settings_that_are_right_are_said_as_they_would_be_used(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(SMALLEST, "utf-8")
    code, lines, complaints = ran("check", str(file))
    assert (code, complaints) == (0, [])
    assert "server.port = 8080" in lines
    assert "device.oximeter.driver = masimo-ascii1" in lines


def test_check_says_what_a_clinic_changed_in_a_therapy_and_who_has_signed_it(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    own = "[therapies.spravato_us]\nfloor.min = 150\n"
    kim = '[[staff]]\nname = "kim"\nrole = "prescriber"\n'
    file.write_text(SMALLEST + kim + own, "utf-8")

    def said() -> list[str]:
        code, lines, complaints = ran("check", str(file))
        assert (code, complaints) == (0, [])
        return [line for line in lines if line.startswith("therapies.") and " = " not in line.split(":")[0]]

    iv, eu, changes, us = said()
    assert changes == "therapies.spravato_us changes floor.min: 150 instead of 120"
    for name, line in (("iv_ketamine_40", iv), ("spravato_eu", eu), ("spravato_us", us)):
        assert line.startswith(
            f"therapies.{name}: no session can be opened with it. {name} has not been signed"
        )
    found = re.search(r'\[(therapies\.spravato_us\.signature)\] by, on, (digest = "[0-9a-f]{64}")', us)
    assert found is not None, us

    # What it says is what has to be written.
    signature = f'[{found[1]}]\nby = "kim"\non = 2026-05-01\n{found[2]}\n'
    file.write_text(SMALLEST + kim + own + signature, "utf-8")
    assert said()[2:] == [changes, "therapies.spravato_us: signed by kim on 2026-05-01"]

    file.write_text(SMALLEST + kim + own.replace("150", "151") + signature, "utf-8")
    assert "was changed after kim signed it. It has to be signed again" in said()[-1]


def test_settings_that_are_no_settings_are_one_line(tmp_path: Path) -> None:
    for text in ("[clinic", "\x00", "bed = 3"):
        file = tmp_path / "clinic.toml"
        file.write_text(text, "utf-8")
        code, _, complaints = ran("check", str(file))
        assert code == 2
        assert complaints
        assert all(line.startswith("clinic.toml: ") for line in complaints)
    code, _, complaints = ran("check", str(tmp_path / "nowhere.toml"))
    assert (code, len(complaints)) == (2, 1)


def test_a_clock_that_stands_still_or_races_is_refused(tmp_path: Path) -> None:
    for speed in ("0", "-1", "nan", "1e9"):
        code, _, complaints = ran("run", str(tmp_path / "clinic.toml"), "--speed", speed)
        assert (code, len(complaints)) == (2, 1), speed


# People.


def test_people_are_added_listed_reset_and_disabled(tmp_path: Path) -> None:
    file = str(tmp_path / "clinic.toml")
    Path(file).write_text(SMALLEST, "utf-8")

    def user(*words: str, given: str = PASSWORD) -> tuple[int, list[str], list[str]]:
        return ran("user", *words, "--config", file, given=given)

    add = ("add", "dana", "--role", "nurse", "--display", "Dana B.", "--password-stdin")
    assert user(*add, given=f"{PASSWORD}\n4711\n") == (0, [], [])
    assert user("list") == (0, ["dana  nurse  Dana B."], [])
    assert user("disable", "dana")[0] == 0
    assert user("list")[1] == ["dana  nurse  Dana B.  disabled"]
    assert user("reset", "dana", "--password-stdin")[0] == 0
    assert user("list")[1] == ["dana  nurse  Dana B."]
    for refused in (
        add,
        ("add", "sam", "--role", "doctor", "--password-stdin"),
        ("add", "Sam B.", "--role", "nurse", "--password-stdin"),
        ("disable", "nobody"),
        ("reset", "nobody", "--password-stdin"),
    ):
        code, _, complaints = user(*refused)
        assert (code, len(complaints)) == (2, 1), refused
    for secret in ("short", "", f"{PASSWORD}\n12\n"):
        code, _, complaints = user("add", "sam", "--role", "nurse", "--password-stdin", given=secret)
        assert (code, len(complaints)) == (2, 1), secret
    assert PASSWORD.encode() not in (tmp_path / "data" / "accounts.sqlite3").read_bytes()


# The service and its journal.


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Program, Path, int]]:
    """A service that is up: the program, its settings and its port."""
    config, port = tmp_path / "clinic.toml", free_port()
    config.write_text(f"{SMALLEST}\n[server]\nport = {port}\n", "utf-8")
    program = Program(tmp_path / "service.log", "monitor", "run", str(config))
    await program.says("chairside is up")
    yield program, config, port
    assert await program.stop() == 0


async def test_a_second_service_on_the_same_records_is_told_who_has_them(
    running: tuple[Program, Path, int], tmp_path: Path
) -> None:
    program, config, port = running
    other = tmp_path / "other.toml"
    other.write_text(config.read_text("utf-8").replace(str(port), str(free_port())), "utf-8")
    code, _, complaint = await asyncio.to_thread(command, "run", str(other))
    assert code == 3
    assert f"process {program.process.pid}" in complaint
    assert complaint.count("\n") == 1
    # Records of its own, but the port of the first.
    other.write_text(config.read_text("utf-8").replace('"data"', '"other"'), "utf-8")
    code, _, complaint = await asyncio.to_thread(command, "run", str(other))
    assert code == 3
    assert f"port {port}: is in use" in complaint
    assert complaint.count("\n") == 1
    assert program.alive


async def test_who_follows_the_journal_through_a_pipe_that_is_closed_ends(
    running: tuple[Program, Path, int],
) -> None:
    _, config, _ = running
    tail = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "journal", "tail", str(config), stdout=asyncio.subprocess.PIPE
    )
    assert tail.stdout is not None
    assert b"ServiceStarted" in await tail.stdout.readline()
    tail.stdout._transport.close()  # type: ignore[attr-defined]
    assert await tail.wait() == 0


async def test_the_journal_is_verified_exported_and_followed_while_the_service_writes_it(
    running: tuple[Program, Path, int], tmp_path: Path
) -> None:
    program, config, _ = running
    tail = Program(tmp_path / "tail.log", "monitor", "journal", "tail", str(config), "--last", "1000")
    await tail.says("ServiceStarted")
    tail.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(tail.process.wait, 30) == 0
    followed = [json.loads(line) for line in tail.said.splitlines()]
    code, out, _ = await asyncio.to_thread(command, "journal", "verify", str(config))
    assert code == 0
    counted = int(out.removesuffix(" rows; the chain is whole\n"))
    exported = tmp_path / "journal.jsonl"
    code, out, aside = await asyncio.to_thread(command, "journal", "export", str(config), "-o", str(exported))
    rows = [json.loads(line) for line in exported.read_text("utf-8").splitlines()]
    assert (code, out) == (0, "")
    assert aside.startswith(f"{len(rows)} rows written")
    assert 0 < counted <= len(rows)
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [(row["seq"], row["kind"], row["body"]) for row in followed] == [
        (row["seq"], row["kind"], row["body"]) for row in rows[: len(followed)]
    ]
    code, out, _ = await asyncio.to_thread(command, "journal", "export", str(config))
    assert [json.loads(line) for line in out.splitlines()][: len(rows)] == rows
    code, _, complaint = await asyncio.to_thread(
        command, "journal", "export", str(config), "-o", str(tmp_path / "no" / "where")
    )
    assert (code, complaint.count("\n")) == (2, 1)
    assert program.alive


async def test_a_changed_row_is_named_and_exits_5(running: tuple[Program, Path, int]) -> None:
    program, config, _ = running
    assert await program.stop() == 0
    file = config.parent / "data" / "journal.sqlite3"
    data = file.read_bytes()
    assert data.count(b'"version":"') == 1
    file.write_bytes(data.replace(b'"version":"', b'"versiom":"'))
    code, out, complaint = await asyncio.to_thread(command, "journal", "verify", str(config))
    assert (code, out, complaint.count("\n")) == (5, "", 1)
    assert "row 1 " in complaint


def test_a_journal_that_is_not_there_exits_3(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text(SMALLEST, "utf-8")
    for words in (["verify"], ["export"], ["tail"]):
        code, _, complaints = ran("journal", *words, str(file))
        assert (code, len(complaints)) == (3, 1), words
    assert not list(tmp_path.glob("data/*.sqlite3"))  # to look at it makes nothing
