"""Decoding: what each driver reads a second, noise at full baud, and byte by byte in a straight line.

A real line carries 960 bytes a second; what is measured here is how little of a core that takes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.measure import Row, alone, at_most, pair, plain
from monitor.devices.codecs import (
    DRIVERS,
    capnostream,
    contec_cms50,
    datex_dri,
    dinamap,
    dinamap_pro1000,
    hl7_pcd01,
    ivy_ansarb,
    masimo_ascii1,
    mqtt_map,
    mqtt_native,
    nellcor_ascii,
    nonin_df2,
)
from monitor.devices.codecs.hl7_text import encode_block
from monitor.model import Vital

MESSAGES = 2_000
BAUD_BYTES_PER_S = 960
GARBAGE_SHARE_MAX = 20.0  # % of a core at full baud (fault F22)
CHUNK = 64  # what a serial port hands over at a time
BEGIN = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
BEGIN_MS = round(BEGIN.timestamp() * 1000)

Messages = list[bytes]


def streams() -> dict[str, Messages]:
    """The same steady patient as each device tells it, a message a second."""
    told: dict[str, Messages] = {name: [] for name in DRIVERS}
    for second in range(MESSAGES):
        at = BEGIN + timedelta(seconds=second)
        spo2, pulse = 95 + second % 4, 68 + second % 9
        told["masimo-ascii1"].append(masimo_ascii1.encode(f"{at:%m/%d/%y %H:%M:%S}", spo2, pulse, 4.96))
        told["nellcor-ascii"].append(nellcor_ascii.encode(f"{at:%d-%b-%y %H:%M:%S}", spo2, pulse, 20))
        answers = (
            dinamap.encode_nibp(second % 300, 120, 70, 87),
            dinamap.encode_oximeter(spo2),
            dinamap.encode_rate(pulse),
        )
        told["dinamap"].append(answers[second % 3])
        groups = {"spo2": (3, 0, 100 * spo2, pulse, 245, datex_dri.NOTHING)}
        told["datex-dri"].append(datex_dri.encode_answer(groups, time=BEGIN_MS // 1000 + second))
        told["nonin-df2"].append(nonin_df2.encode_packet(spo2, pulse))
        told["hl7-pcd01"].append(encode_block(_report(second, at, spo2, pulse)))
        told["contec-cms50"].append(60 * contec_cms50.encode_live(spo2, pulse, 4.96))
        wave = b"".join(capnostream.encode_wave(20 * second + at, 38.5) for at in range(20))
        numbers = capnostream.encode_numerics(BEGIN_MS // 1000 + second, 37, 14, spo2, pulse)
        told["capnostream"].append(wave + numbers)
        told["dinamap-pro1000"].append(
            b"".join(dinamap_pro1000.encode_block((50 * second + block) % 200) for block in range(50))
        )
        told["ivy-ansarb"].append(ivy_ansarb.encode_vitals(heart_rate=pulse, spo2=spo2, pulse=pulse))
        values: list[tuple[Vital, float | None, str]] = [
            (Vital.SPO2, spo2, "valid"),
            (Vital.PULSE_SPO2, pulse, "valid"),
        ]
        told["mqtt-native"].append(mqtt_native.encode_numeric("d", "b", second, at.isoformat(), values))
        told["mqtt-map"].append(
            mqtt_map.encode_envelope({"spo2": spo2, "bpm": pulse}, BEGIN_MS + second * 1000)
        )
    return told


def _report(number: int, at: datetime, spo2: float, pulse: float) -> bytes:
    """An HL7 report of seven rows, as a spot-check monitor sends it."""
    rows = [
        hl7_pcd01.Row("MDC_PULS_OXIM_SAT_O2", "1.3.1.1", f"{spo2}"),
        hl7_pcd01.Row("MDC_PULS_OXIM_PULS_RATE", "1.3.1.2", f"{pulse}"),
        hl7_pcd01.Row("MDC_BLD_PERF_INDEX", "1.3.1.3", "4.96"),
        hl7_pcd01.Row("MDC_TEMP", "1.2.1.1", "36.7"),
        *(
            hl7_pcd01.Row(f"MDC_PRESS_CUFF_{which}", "1.1.9.1", f"{mmhg}", f"{BEGIN:%Y%m%d%H%M%S}", spot=True)
            for which, mmhg in (("SYS", 120), ("MEAN", 87), ("DIA", 70))
        ),
    ]
    return hl7_pcd01.encode(hl7_pcd01.Head(f"{number}", f"{at:%Y%m%d%H%M%S}", "MONITOR^1^EUI-64"), rows)


def decoding(name: str, messages: Messages) -> Callable[[], object]:
    """The job of reading a whole stream, as a port or a broker hands it over."""
    driver = DRIVERS[name]
    if driver.transport == "mqtt":

        def hear() -> None:
            decoder = driver.decoder({})
            for second, payload in enumerate(messages):
                decoder.message("", payload, retained=False, at_ms=BEGIN_MS + second * 1000)

        return hear
    return feeding(name, b"".join(messages), CHUNK)


def feeding(name: str, stream: bytes, size: int) -> Callable[[], object]:
    """The job of reading a stream in pieces of `size` bytes."""
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]

    def feed() -> None:
        decoder = DRIVERS[name].decoder({})
        for piece in pieces:
            decoder.feed(piece)

    return feed


def rows() -> list[Row]:
    """Each driver on its own stream; the serial ones on noise and byte by byte as well."""
    found: list[Row] = []
    noise = random.Random(1).randbytes(200_000)  # noqa: S311  the same noise every time
    for name, messages in streams().items():
        size = sum(map(len, messages))
        cost_s = alone(decoding(name, messages))
        found.append(plain(f"{name}: messages", MESSAGES / cost_s, "/s", f"{cost_s / MESSAGES * 1e6:.1f} µs"))
        found.append(plain(f"{name}: bytes", size / cost_s / 1e6, "MB/s"))
        if DRIVERS[name].transport == "serial":
            stream = b"".join(messages)[:60_000]
            found += [_garbage(name, noise), _endless(name), _byte_by_byte(name, stream)]
    return found


def _garbage(name: str, noise: bytes) -> Row:
    share = alone(feeding(name, noise, CHUNK)) / len(noise) * BAUD_BYTES_PER_S * 100
    return at_most(f"{name}: line noise at 9600 baud", share, GARBAGE_SHARE_MAX, "% of a core")


def _endless(name: str) -> Row:
    """Noise without a line end: a decoder that looks at its whole buffer for each byte is found out."""
    short, long = b"\x00" * 20_000, b"\x00" * 80_000
    ratio = pair(feeding(name, long, 1), feeding(name, short, 1)).ratio / 4
    return at_most(f"{name}: four times the noise, byte by byte, per byte", ratio, 1.3)


def _byte_by_byte(name: str, stream: bytes) -> Row:
    quarter = stream[: len(stream) // 4]
    ratio = pair(feeding(name, stream, 1), feeding(name, quarter, 1)).ratio / (len(stream) / len(quarter))
    return at_most(f"{name}: four times the lines, byte by byte, per byte", ratio, 1.3)
