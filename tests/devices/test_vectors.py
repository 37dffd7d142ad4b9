"""Decoder and encoder each answer to bytes from manuals and captures, never to one another."""

from __future__ import annotations

import json
import re
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from monitor.devices.catalogue import markdown
from monitor.devices.codecs import DRIVERS, hl7_pcd01, masimo_ascii1, sparkplug
from monitor.devices.codecs.intellivue import export as intellivue_export
from monitor.devices.codecs.intellivue import numerics as intellivue_numerics
from monitor.devices.driver import Driver, silence_ms
from monitor.devices.lines import decode
from monitor.model import Vital
from tests.devices.vectors import FOLDER, Vector, codec, good, vectors, without_nulls

ROOT = Path(__file__).parents[2]
SERIAL = [driver for driver in DRIVERS.values() if driver.transport == "serial"]


@pytest.mark.parametrize("vector", vectors(), ids=str)
def test_the_decoder_reads_what_the_manual_says(vector: Vector) -> None:
    said = list(decode(vector.driver, [vector.wire], vector.options))
    assert [without_nulls(line) for line in said] == vector.says


@pytest.mark.parametrize("vector", [v for v in vectors() if v.encode is not None], ids=str)
def test_the_encoder_writes_what_the_manual_says(vector: Vector) -> None:
    assert vector.encode is not None
    asked = {key: _argument(key, value) for key, value in vector.encode.items()}
    room, _, how = asked.pop("how").rpartition(".")
    module = import_module(f"monitor.devices.codecs.{room}") if room else codec(vector.driver)
    written = getattr(module, how)(**asked)
    if vector.driver.transport == "mqtt":
        assert _payload(written) == _payload(vector.wire)
    else:
        assert written == vector.wire


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.name)
def test_every_driver_has_its_vectors_its_page_and_its_simulator(driver: Driver) -> None:
    module = driver.name.replace("-", "_")
    assert (FOLDER / f"{driver.name}.toml").is_file()
    assert (ROOT / "docs" / "devices" / f"{driver.name}.md").is_file()
    assert (ROOT / "simulators" / f"{module}.py").is_file()


def test_the_table_in_the_documents_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "devices" / "README.md").read_text()
    # Where it differs: paste what `chairside drivers --markdown` prints.
    assert page[page.index("| driver |") :].strip() == markdown()


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.name)
def test_the_page_of_a_driver_has_a_block_to_copy_and_names_its_models(driver: Driver) -> None:
    page = (ROOT / "docs" / "devices" / f"{driver.name}.md").read_text()
    assert re.search(rf'^driver += "{re.escape(driver.name)}"$', page, re.MULTILINE)
    assert [word for model in driver.models for word in model.split()[-1:] if word not in page] == []


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.name)
def test_every_option_of_a_driver_is_on_its_page(driver: Driver) -> None:
    page = (ROOT / "docs" / "devices" / f"{driver.name}.md").read_text()
    assert [name for name in driver.options if f"`{name}`" not in page] == []


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.name)
def test_a_driver_says_who_it_is_and_refuses_an_option_it_does_not_know(driver: Driver) -> None:
    assert driver.name
    assert driver.title
    assert driver.models
    assert driver.hint
    with pytest.raises(ValueError, match="has no option 'colour'"):
        driver.decoder({"colour": "red"})


@pytest.mark.parametrize("name", ["mqtt-native", "mqtt-map"])
def test_a_device_that_speaks_seldom_may_say_after_how_long_it_is_silent(name: str) -> None:
    driver = DRIVERS[name]
    assert silence_ms(driver, {}) == driver.silent_after_ms
    assert silence_ms(driver, {"silent_after_s": 3600}) == 3_600_000
    for wrong in (0, "long", True, 10**9):
        with pytest.raises(ValueError, match="silent_after_s is a number of seconds"):
            driver.decoder({"silent_after_s": wrong})


@pytest.mark.parametrize("driver", SERIAL, ids=lambda driver: driver.name)
def test_a_serial_driver_knows_its_own_bytes_and_nobody_elses(driver: Driver) -> None:
    heard = 5 * good(driver).wire
    recognised = {other.name for other in DRIVERS.values() if other.looks_like and other.looks_like(heard)}
    assert recognised == {driver.name}


@pytest.mark.parametrize("driver", [d for d in DRIVERS.values() if d not in SERIAL], ids=lambda d: d.name)
def test_what_comes_over_a_network_is_mistaken_for_no_serial_device(driver: Driver) -> None:
    heard = b"".join(vector.wire for vector in vectors(driver.name))
    assert [other.name for other in SERIAL if other.looks_like and other.looks_like(heard)] == []


def _argument(key: str, value: Any) -> Any:  # noqa: PLR0911  one return for each kind of argument
    if value == "none":
        return None
    match key:
        case "absolute" | "contexts":
            return _of_intellivue(value)
        case "head" if isinstance(value, dict):
            return hl7_pcd01.Head(**value)
        case "rows" if isinstance(value, list):
            return [hl7_pcd01.Row(**row) for row in value]
        case "layout":
            return masimo_ascii1.Layout(value)
        case "kind":
            return value.encode()
        case "body":
            return bytes.fromhex(value)
        case "metrics":
            return [sparkplug.Metric(**({"name": None} | metric)) for metric in value]
        case "values" if isinstance(value, list):
            return [(Vital(name), number, quality) for name, number, quality in value]  # type: ignore[call-arg]
        case _:
            return value


def _of_intellivue(value: Any) -> Any:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return [(context, [_object(one) for one in objects]) for context, objects in value]


def _object(row: list[Any]) -> intellivue_export.Object:
    """A handle and its attributes: each a number, and behind it hex digits or what it measured."""
    handle, *given = row
    return intellivue_export.Object(handle, tuple(_attribute(*one) for one in given))


def _attribute(number: int, *values: Any) -> tuple[int, bytes]:
    match values:
        case (str(),):
            return number, bytes.fromhex(values[0])
        case _:
            numbers = [intellivue_numerics.Number(*[_argument("", part) for part in one]) for one in values]
            one_number = number == intellivue_numerics.OBSERVED
            return (
                intellivue_numerics.observed(*numbers)
                if one_number
                else intellivue_numerics.compound(numbers)
            )


def _payload(wire: bytes) -> Any:
    try:
        whole = json.loads(wire)
    except UnicodeDecodeError:
        return wire  # protobuf
    except ValueError:
        return wire.decode()  # bare text
    if isinstance(whole, dict) and "payload_hex" in whole:
        return bytes.fromhex(whole["payload_hex"])
    body = whole["payload"] if isinstance(whole, dict) and "payload" in whole else whole
    if not isinstance(body, str):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return body
