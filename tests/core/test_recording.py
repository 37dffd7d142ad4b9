"""A recording as a table: what is read, and in one line what is wrong with a file that is none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.recording import BYTES_MAX, COLUMNS, CUFF_COLUMNS, BadRecording, Recording, read


def made(folder: Path, text: str | bytes, name: str = "case.csv") -> Path:
    """A file of this content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def wrong(path: Path, bytes_max: int = BYTES_MAX) -> str:
    """What is wrong with it, which is one line."""
    with pytest.raises(BadRecording) as caught:
        read(path, bytes_max)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{path.name}: ")
    return said.removeprefix(f"{path.name}: ")


def test_the_columns_are_those_of_the_interface() -> None:
    named = "hr,pr,spo2,nibp_sys,nibp_dia,nibp_map,abp_sys,abp_dia,abp_map,rr,temp"
    assert {*COLUMNS, *CUFF_COLUMNS} == set(named.split(","))


def test_an_empty_cell_is_no_value_and_other_columns_are_left_alone(tmp_path: Path) -> None:
    case = read(made(tmp_path, "t_s,spo2,note,hr\n0,97,ok,\n1, ,,70\n"))
    assert case.name == "case"
    assert case.columns == ("spo2", "hr")
    assert [(r.t_s, r.values) for r in case.rows] == [
        (0.0, {"spo2": 97.0, "hr": None}),
        (1.0, {"spo2": None, "hr": 70.0}),
    ]


def test_a_packed_file_is_the_same_recording(tmp_path: Path) -> None:
    text = "t_s,spo2\n0,97\n1,96\n"
    plain, packed = made(tmp_path, text), made(tmp_path, gzip.compress(text.encode()), "case.csv.gz")
    assert read(packed) == read(plain)


@pytest.mark.parametrize("text", ["\ufefft_s,hr\n0,70\n", "t_s, hr \r\n0,70\r\n\r\n", "t_s,hr\n0,70"])
def test_what_spreadsheets_do_to_a_file_does_no_harm(tmp_path: Path, text: str) -> None:
    assert read(made(tmp_path, text)).column("hr") == [(0.0, 70.0)]


@pytest.mark.parametrize("cell", ["nan", "NaN", "inf", "-inf", "1e999"])
def test_what_is_no_number_of_anything_is_no_value(tmp_path: Path, cell: str) -> None:
    assert read(made(tmp_path, f"t_s,hr\n0,{cell}\n")).column("hr") == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the first line must name the columns, t_s among them"),
        ("time,hr\n0,70\n", "the first line must name the columns, t_s among them"),
        ("t_s,hr,hr\n0,70,71\n", "column hr stands there twice"),
        ("t_s,note\n0,x\n", "none of these columns is there: abp_dia, abp_map, abp_sys, hr, nibp_dia"),
        ("t_s,hr\n", "there is no row below the header"),
        ("t_s,hr\n0,70\n1\n", "line 3 has 1 cells, the header has 2"),
        ("t_s,hr,spo2\n0,70,97\n1,71,abc\n", "line 3: spo2 is 'abc', not a number"),
        ("t_s,hr\n0,70\n,71\n", "line 3: t_s must be a number of seconds and not run back"),
        ("t_s,hr\n5,70\n4,71\n", "line 3: t_s must be a number of seconds and not run back"),
        ("t_s,hr\n1e300,70\n", "line 2: t_s must be a number of seconds and not run back"),
        ("t_s,hr\nnoon,70\n", "line 2: t_s is 'noon', not a number"),
    ],
)
def test_a_file_that_is_no_recording_says_which_line_and_column(tmp_path: Path, text: str, what: str) -> None:
    assert wrong(made(tmp_path, text)).startswith(what)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert wrong(tmp_path / "none.csv") == "cannot be read: No such file or directory"
    assert wrong(made(tmp_path, b"t_s,hr\n0,\xff\xfe\n")).startswith("cannot be read: ")
    assert wrong(made(tmp_path, b"t_s,hr\n0,70\n", "not.csv.gz")).startswith("cannot be read: ")
    packed = gzip.compress(b"t_s,hr\n" + b"0,70\n" * 1_000)
    assert wrong(made(tmp_path, packed[:-12], "cut.csv.gz")).startswith("cannot be read: ")
    broken = packed[:20] + bytes([packed[20] ^ 0xFF]) * 5 + packed[25:]
    assert wrong(made(tmp_path, broken, "broken.csv.gz")).startswith("cannot be read: ")
    assert wrong(made(tmp_path, 't_s,hr\n0,"' + "7" * 200_000 + '"\n')).startswith("line 2: field larger")


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"t_s,hr\n" + b" " * (8 << 20))
    assert len(bomb) < 1 << 15
    assert wrong(made(tmp_path, bomb, "bomb.csv.gz"), bytes_max=1 << 20) == "is larger than 1 MiB"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_recording_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = made(tmp_path_factory.mktemp("any"), b"t_s,hr\n" + data)
    said = ""
    try:
        assert read(path).rows
    except BadRecording as bad:
        said = str(bad)
    assert "\n" not in said


def test_the_interval_of_a_column_is_the_median_of_its_own(tmp_path: Path) -> None:
    lines = ["t_s,hr,temp", *(f"{t},70,{36.7 if t % 60 == 0 else ''}" for t in range(300))]
    case: Recording = read(made(tmp_path, "\n".join(lines)))
    assert (case.interval_s("hr"), case.interval_s("temp")) == (1, 60)
    assert read(made(tmp_path, "t_s,hr\n0,70\n")).interval_s("hr") is None
