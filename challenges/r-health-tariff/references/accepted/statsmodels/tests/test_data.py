"""What comes in is read exactly, and refused by name where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from healthtariff.data import (
    InputError,
    check_keys,
    check_levels,
    clean,
    levels_of,
    read_table,
    table_of,
)
from healthtariff.schema import CATEGORY, FEATURES, KEY, NUMERIC


@pytest.mark.parametrize("name", FEATURES)
def test_missing_column_is_named(rows: pd.DataFrame, name: str) -> None:
    with pytest.raises(InputError, match=f"{name!r} is missing"):
        clean(rows.drop(columns=name), FEATURES)


@pytest.mark.parametrize("name", NUMERIC)
def test_text_for_number_named(rows: pd.DataFrame, name: str) -> None:
    rows[name] = rows[name].astype(object)
    rows.loc[rows.index[3], name] = "many"
    with pytest.raises(InputError, match=rf"{name!r} holds text, not a number \(row 4\)"):
        clean(rows, FEATURES)


@pytest.mark.parametrize("name", NUMERIC)
def test_infinite_number_is_named(rows: pd.DataFrame, name: str) -> None:
    rows[name] = np.inf
    with pytest.raises(InputError, match=f"{name!r} holds an infinite number"):
        clean(rows, FEATURES)


@pytest.mark.parametrize("name", CATEGORY)
def test_unseen_level_is_named(rows: pd.DataFrame, name: str) -> None:
    levels = levels_of(clean(rows, FEATURES))
    rows[name] = 987_654 if name in NUMERIC else "never seen"
    with pytest.raises(InputError, match=f"{name!r} holds a level that training never saw"):
        check_levels(clean(rows, FEATURES), levels)


def test_repeated_key_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"repeats an earlier key \(row 9\)"):
        check_keys(pd.concat([rows, rows.head(1)]))


def test_missing_key_is_refused(rows: pd.DataFrame) -> None:
    rows[KEY[0]] = None
    with pytest.raises(InputError, match=r"lacks a value \(row 1\)"):
        check_keys(rows)


def test_header_alone_is_refused(rows: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no rows"):
        clean(rows.head(0), FEATURES)


def test_column_order_is_ours(rows: pd.DataFrame) -> None:
    shuffled = rows[rows.columns[::-1]].assign(extra="ignored")
    pd.testing.assert_frame_equal(clean(shuffled, FEATURES), clean(rows, FEATURES))


def test_json_rows_equal_csv_rows(rows: pd.DataFrame, records: list[dict[str, object]]) -> None:
    from_json = clean(table_of(records), FEATURES)
    pd.testing.assert_frame_equal(from_json, clean(rows, FEATURES))


@pytest.mark.parametrize("name", NUMERIC)
def test_column_of_nulls_is_missing(records: list[dict[str, object]], name: str) -> None:
    for record in records:
        record[name] = None
    assert clean(table_of(records), [name]).isna().all(axis=None)


def test_numbered_keys_become_text() -> None:
    numbered = table_of([{KEY[0]: 7}, {KEY[0]: None}])
    assert clean(numbered, KEY[:1])[KEY[0]].fillna("missing").tolist() == ["7", "missing"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b'a,b\n"1,2\n', "is not a CSV file"),
        ("größe\n1\n".encode("utf-16"), "is not a CSV file in UTF-8"),
    ],
)
def test_unreadable_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"table\.csv {message}"):
        read_table(file)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv cannot be read"):
        read_table(tmp_path / "absent.csv")


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("x\n0.30000000000000004\n1.7976931348623157e308\n", encoding="utf-8")
    assert read_table(file)["x"].tolist() == [0.30000000000000004, 1.7976931348623157e308]
