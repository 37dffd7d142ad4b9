"""What the two streaming oximeters may print besides their worked examples."""

from __future__ import annotations

import pytest

from monitor.devices.codecs import masimo_ascii1, nellcor_ascii
from monitor.devices.validity import screen
from monitor.model import Doubt, Fault, Notice, Quality, Said, Sample, Vital

AT = "11/22/26 10:00:07"
NELLCOR_AT = "22-Nov-26 10:00:07"


def _masimo(line: bytes) -> list[Said]:
    return masimo_ascii1.Decoder().feed(line)


def _nellcor(line: bytes) -> list[Said]:
    return nellcor_ascii.Decoder().feed(line)


def _spo2(said: list[Said]) -> Sample:
    return next(one for one in said if isinstance(one, Sample) and one.vital is Vital.SPO2)


@pytest.mark.parametrize("bit", list(masimo_ascii1.INVALID))
def test_a_masimo_without_a_good_sensor_gives_no_number_even_if_it_prints_one(bit: int) -> None:
    said = _masimo(masimo_ascii1.encode(AT, 95, 71, 3.5, exc=masimo_ascii1.EXC_SET | bit))
    assert [(one.value, one.quality) for one in said if isinstance(one, Sample)] == [
        (None, Quality.INVALID)
    ] * 3
    assert Notice(masimo_ascii1.INVALID[bit]) in said


@pytest.mark.parametrize("bit", list(masimo_ascii1.QUESTIONABLE))
def test_a_masimo_with_a_poor_signal_is_doubted(bit: int) -> None:
    spo2 = _spo2(_masimo(masimo_ascii1.encode(AT, 95, 71, 3.5, exc=masimo_ascii1.EXC_SET | bit)))
    assert (spo2.value, spo2.quality, spo2.doubt) == (95, Quality.QUESTIONABLE, Doubt.POOR_SIGNAL)


def test_an_old_masimo_cable_is_a_notice_and_no_doubt() -> None:
    said = _masimo(masimo_ascii1.encode(AT, 95, 71, 3.5, exc=0x002800))
    assert _spo2(said).quality is Quality.VALID
    assert Notice("cable life expired") in said


def test_masimo_keys_are_read_by_name_in_any_order() -> None:
    line = b"11/22/26 10:00:07 EXC=000800 ALARM=0000 PIDELTA=-02 NEW=abc BPM=---% SPO2=098%\r\n"
    assert [(one.vital, one.value) for one in _masimo(line) if isinstance(one, Sample)] == [
        (Vital.SPO2, 98),
        (Vital.PULSE_SPO2, None),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"11/22/26 10:00:07 SPO2=0x7% BPM=072 PI=01.00% ALARM=0000 EXC=000800",
        b"11/22/26 10:00:07 SPO2=97% BPM=072 PI=01.00% ALARM=0000 EXC=000800",
        b"11/22/26 10:00:07 SPO2=097% BPM=072 PI=0100% ALARM=0000 EXC=000800",
        b"11/22/26 10:00:07 SPO2=097% BPM=072 PI=01.00% ALARM=0000 EXC=000",  # its end is lost
        b"11/22/26 10:00:07 SPO2=097% BPM=072 PI=01.00% ALARM=0000",
        b"11/22/26 10:00:07 SPO2=097% BPM=072 PI=01.00% ALARM=00 EXC=00080G",
        b"11/22/26 10:00:07 SPO2=097% BPM=072 SPO2=085% ALARM=0000 EXC=000800",
        b"11/22/26 10:00:07 SPO2=097% BPM=072 \x07\x1b[31m ALARM=0000 EXC=000800",
        b"11/22/26 10:00:07 SPO2=097% B M=072 ALARM=0000 EXC=000800",
    ],
)
def test_a_masimo_line_with_one_damaged_word_is_dropped_whole(line: bytes) -> None:
    (fault,) = _masimo(line + b"\r\n")
    assert isinstance(fault, Fault)
    assert fault.dropped == len(line)


def test_of_two_lines_run_together_only_the_second_is_read() -> None:
    first = masimo_ascii1.encode(AT, 97, 72, 1)[:47]
    said = _masimo(first + masimo_ascii1.encode(AT, 88, 72, 1))
    assert said[0] == Fault("first partial line", 47)
    assert _spo2(said).value == 88
    line = nellcor_ascii.encode(NELLCOR_AT, 97, 72, 10)[:28]
    said = _nellcor(line + nellcor_ascii.encode(NELLCOR_AT, 88, 72, 10))
    assert _spo2(said).value == 88


def test_the_end_of_a_line_that_was_cut_by_opening_is_counted_and_no_more() -> None:
    masimo = masimo_ascii1.encode(AT, 97, 72, 1)
    assert _masimo(masimo[30:] + masimo)[0] == Fault("first partial line", len(masimo) - 32)
    nellcor = nellcor_ascii.encode(NELLCOR_AT, 97, 72, 10)
    assert _nellcor(nellcor[5:] + nellcor)[0] == Fault("first partial line", len(nellcor) - 7)


def test_empty_lines_between_lines_are_nothing() -> None:
    line = masimo_ascii1.encode(AT, 97, 72, 1)
    assert _masimo(b"\r\n\n" + line + b"\n\r\r\n") == _masimo(line)


@pytest.mark.parametrize("code", [code.decode() for code in nellcor_ascii.INVALID])
def test_a_nellcor_code_that_takes_the_value_takes_it_even_with_digits(code: str) -> None:
    said = _nellcor(nellcor_ascii.encode(NELLCOR_AT, 97, 72, 10, [code]))
    assert [(one.value, one.quality) for one in said if isinstance(one, Sample)] == [
        (None, Quality.INVALID)
    ] * 2


@pytest.mark.parametrize("code", [code.decode() for code in nellcor_ascii.REMARKS])
def test_a_nellcor_code_that_is_only_a_remark_leaves_the_value(code: str) -> None:
    said = _nellcor(nellcor_ascii.encode(NELLCOR_AT, 97, 72, 10, [code]))
    assert _spo2(said) == Sample(Vital.SPO2, 97, device_time=NELLCOR_AT)
    assert len([one for one in said if isinstance(one, Notice)]) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"22-Nov-26 10:00:07    97      72",
        b"22-Nov-26 10:00:07    9x      72      10",
        b"22-Nov-26 10:00:07    97      72      10    mo",
        b"22-Nov-26 10:00:07    97      72      10    MOTION",
        b"22-Nov-26 10:00:07  1097      72      10",
    ],
)
def test_a_damaged_nellcor_line_is_dropped_whole(line: bytes) -> None:
    assert _nellcor(line + b"\r\n") == [Fault("damaged line", len(line))]


def test_the_nellcor_header_in_the_middle_of_data_says_nothing() -> None:
    line = nellcor_ascii.encode(NELLCOR_AT, 97, 72, 10)
    header = nellcor_ascii.encode_header(spo2=" 85-100", pulse=" 40- 170")
    assert _nellcor(line + header + line) == _nellcor(line + line)
    assert _nellcor(b"                    NEO      10SAT-S   SPO2 RESP MODE: NORMAL\r\n") == []


def test_the_nellcor_decoder_has_nothing_to_send() -> None:
    assert not hasattr(nellcor_ascii.Decoder(), "to_send")


def test_a_saturation_of_nought_without_a_code_is_still_no_value() -> None:
    said = [screen(one) for one in _nellcor(nellcor_ascii.encode(NELLCOR_AT, 0, 72, 10))]
    assert _spo2(said).value is None


def test_a_stream_that_ends_in_the_middle_of_a_line_says_so() -> None:
    decoder = masimo_ascii1.Decoder()
    decoder.feed(masimo_ascii1.encode(AT, 97, 72, 1)[:40])
    assert decoder.close() == [Fault("unfinished frame at the end", 40)]
    assert decoder.close() == []
    assert _spo2(decoder.feed(masimo_ascii1.encode(AT, 97, 72, 1))).value == 97


def test_a_masimo_line_without_its_end_is_read_where_its_widths_prove_it_whole() -> None:
    line = masimo_ascii1.encode("11/22/26 10:00:07", 97, 72, 4.96).rstrip(b"\r\n")
    for length in range(len(line) + 1):
        decoder = masimo_ascii1.Decoder()
        said = decoder.feed(line[:length]) + decoder.close()
        values = [one.value for one in said if isinstance(one, Sample)]
        assert values == ([97, 72, 4.96] if length == len(line) else [])


def test_a_nellcor_line_that_lost_a_byte_among_its_codes_is_no_reading() -> None:
    line = nellcor_ascii.encode("22-Nov-26 10:00:07", 89, 66, 20, ("MO", "SL"))
    lost = line.replace(b"MO", b"M")
    assert all(isinstance(one, Fault) for one in nellcor_ascii.Decoder().feed(lost))
    stripped = b" ".join(line.split()) + b"\r\n"
    assert len([one for one in nellcor_ascii.Decoder().feed(stripped) if isinstance(one, Sample)]) == 2


@pytest.mark.parametrize(
    ("line", "spo2"),
    [
        (b"29-Dec-17 07:18:43    99      66      12                     ", [99]),
        (b"07-Jan-04 11:24:50   100     105      88                   AO", [100]),
        (b"29-Dec-17 07:21:13    96      63     ---    PS               ", [None]),
        # Stripped, or cut off: PS may have stood there.
        (b"29-Dec-17 07:21:13    96      63     ---", []),
        (b"29-Dec-17 07:18:43    99      66      12                    ", []),
    ],
)
def test_the_last_nellcor_line_of_a_file_may_lack_its_end_where_its_width_proves_it_whole(
    line: bytes, spo2: list[float | None]
) -> None:
    decoder = nellcor_ascii.Decoder()
    assert decoder.feed(line) == []
    said = decoder.close()
    assert [one.value for one in said if isinstance(one, Sample) and one.vital is Vital.SPO2] == spo2
    assert any(isinstance(one, Fault) for one in said) == (spo2 == [])
    assert decoder.close() == []


def test_the_last_radical_7_line_of_a_file_may_lack_its_end() -> None:
    line = (
        b"03/17/16 19:19:36 SN=---------- SPO2=098% BPM=123 PI=00.55 SPCO=--% SPMET=--.-% SPHB=--.- SPOC=-- "
        b"RESVD=--- DESAT=-- PIDELTA=+-- PVI=--- ALARM=000000 EXC=0000C00 EXC1=00000000"
    )
    decoder = masimo_ascii1.Decoder()
    assert decoder.feed(line) == []
    assert _spo2(decoder.close()).value == 98
    decoder = masimo_ascii1.Decoder()
    assert decoder.feed(line[:-1]) == []
    assert decoder.close() == [Fault("unfinished frame at the end", len(line) - 1)]
