from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.compare import parse_table, read_inputs, read_output, read_recorded, segment_rows
from grader.errors import ChallengeError, OutputError
from grader.model import Column, OutputTable, Segment

LIMIT = 1 << 20
GOOD = "id,rate,price,band\na,0.1,10,low\nb,0.2,30,mid\n"


def keys(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"id": list(names)}, dtype="str")


def read(text: str | bytes, table: OutputTable, *, reveal: bool = True) -> pd.DataFrame:
    content = text if isinstance(text, bytes) else text.encode()
    return read_output(content, table, keys("a", "b"), limit_bytes=LIMIT, reveal=reveal)


def refusal(text: str | bytes, table: OutputTable, *, reveal: bool = True) -> OutputError:
    with pytest.raises(OutputError) as caught:
        read(text, table, reveal=reveal)
    return caught.value


def test_rows_follow_the_keys(table: OutputTable) -> None:
    found = read("id,rate,price,band\nb,0.2,30,mid\na,0.1,10,low\n", table)
    assert found["price"].tolist() == [10.0, 30.0]


def test_columns_come_in_any_order(table: OutputTable) -> None:
    found = read("band,price,id,rate\nlow,10,a,0.1\nmid,30,b,0.2\n", table)
    assert found["band"].tolist() == ["low", "mid"]


def test_numbers_are_double_precision(table: OutputTable) -> None:
    assert read(GOOD, table)["rate"].dtype == np.float64


@pytest.mark.parametrize(
    ("word", "value"),
    [("1e5", 1e5), ("+.5", 0.5), ("-2.", -2.0), (" 3 ", 3.0), ("0.1", 0.1), ("-inf", -np.inf)],
)
def test_numbers_as_programs_write(word: str, value: float, table: OutputTable) -> None:
    assert read(GOOD.replace("30", word), table)["price"][1] == value


@pytest.mark.parametrize("word", ["", "NA", "NaN", "nan", "null", "None", "<NA>"])
def test_missing_values_are_read(word: str, table: OutputTable) -> None:
    assert np.isnan(read(GOOD.replace("30", word), table)["price"][1])


@pytest.mark.parametrize(
    "word", ['"1,234.5"', "0x1f", "1_000", "١٢", "12 EUR", "1e", "--1", "True"]
)
def test_text_is_no_number(word: str, table: OutputTable) -> None:
    assert refusal(GOOD.replace("30", word), table).slug == "output-not-a-number"


def test_bad_number_is_placed(table: OutputTable) -> None:
    message = refusal(GOOD.replace("30", "much"), table).message
    assert message == "In row 3 of out.csv, column 'price' holds 'much' where a number belongs."


def test_byte_order_mark_is_fine(table: OutputTable) -> None:
    assert len(read(b"\xef\xbb\xbf" + GOOD.encode(), table)) == 2


def test_windows_line_ends_are_fine(table: OutputTable) -> None:
    assert len(read(GOOD.replace("\n", "\r\n"), table)) == 2


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "output-empty"),
        (b"\n \n", "output-empty"),
        (GOOD.encode("utf-16"), "output-encoding"),
        (GOOD.replace("low", "Münze").encode("latin-1"), "output-encoding"),
        (GOOD.encode().replace(b"low", b"l\0w"), "output-not-csv"),
        (GOOD.encode().replace(b"low", b'"low'), "output-not-csv"),
        (GOOD.encode().replace(b"low", b"low,low"), "output-not-csv"),
        (GOOD.encode().replace(b",band", b""), "output-not-csv"),
        (b"id,rate,price\na,0.1,10\nb,0.2,30\n", "output-columns"),
        (b"id,rate,price,band,x\na,1,1,l,1\nb,2,2,m,1\n", "output-columns"),
        (b"id,rate,rate,price,band\na,1,1,1,l\nb,1,1,1,l\n", "output-columns"),
        (GOOD.encode() + b"c,0.1,10,low\n", "output-extra-rows"),
        (GOOD.encode() + b"b,0.1,10,low\n", "output-duplicate-keys"),
        (b"id,rate,price,band\na,0.1,10,low\n", "output-missing-rows"),
        (b"x" * (LIMIT + 1), "output-too-large"),
    ],
)
def test_bad_tables_are_named(content: bytes, slug: str, table: OutputTable) -> None:
    assert refusal(content, table).slug == slug


def test_lacking_columns_are_named(table: OutputTable) -> None:
    message = refusal("id,rate,cost,band\na,1,1,l\nb,1,1,l\n", table).message
    assert message == "out.csv lacks column 'price' and has the unknown column 'cost'."


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("price", "secret-42"),
        GOOD.replace("30", "secret-42"),
        GOOD.replace("band", "band,secret-42"),
        GOOD.replace("b,", '"secret-42'),
        GOOD + "secret-42,1,1,low\n",
    ],
)
def test_hidden_cases_leak_nothing(text: str, table: OutputTable) -> None:
    assert "secret" not in str(refusal(text, table, reveal=False))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_read_or_refused(content: bytes) -> None:
    table = OutputTable(file="o.csv", key=("a",), columns=(Column(name="b", weight=1.0),))
    with suppress(OutputError):
        found = parse_table(content, table, limit_bytes=LIMIT)
        assert list(found.columns) == ["a", "b"]


@given(st.text(alphabet='ab,1."\n\r e-+\0éN', max_size=60))
def test_any_csv_reads_or_refused(rest: str) -> None:
    table = OutputTable(file="o.csv", key=("a",), columns=(Column(name="b", weight=1.0),))
    with suppress(OutputError):
        found = parse_table(f"a,b\n{rest}".encode(), table, limit_bytes=LIMIT)
        assert found["b"].dtype == np.float64


def test_recorded_rows_are_sorted(table: OutputTable, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("id,rate,price,band\nb,0.2,30,mid\na,0.1,10,low\n", encoding="utf-8")
    assert read_recorded(path, table)["id"].tolist() == ["a", "b"]


def test_bad_recording_blames_challenge(table: OutputTable, tmp_path: Path) -> None:
    with pytest.raises(ChallengeError, match="drydock challenge record"):
        read_recorded(tmp_path / "nowhere.csv", table)


def test_inputs_keep_keys_as_text(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,x,kind\n007,,NA\n006,1.5,b\n", encoding="utf-8")
    found = read_inputs(path, ("id",))
    assert found["id"].tolist() == ["006", "007"]
    assert found["kind"].tolist() == ["b", "NA"]
    assert np.isnan(found["x"][1])


def test_segments_select_rows() -> None:
    inputs = pd.DataFrame({"age": [1, 7, 30]})
    found = segment_rows(inputs, [Segment(name="young", where="age < 5 or age == 30")])
    assert found["young"].tolist() == [True, False, True]


@pytest.mark.parametrize("where", ["age <", "weight > 1", "age + 1", "True", "age.mean() > 1"])
def test_bad_segments_are_named(where: str) -> None:
    with pytest.raises(ChallengeError, match="young"):
        segment_rows(pd.DataFrame({"age": [1, 2]}), [Segment(name="young", where=where)])
