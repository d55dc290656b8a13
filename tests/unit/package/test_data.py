from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import ChallengeError
from grader.package import check_data, load_challenge

from .conftest import MANIFEST, TABLES, write

INPUTS, EXPECTED, LABELS = TABLES


def test_right_tables_pass(tiny: Path) -> None:
    check_data(load_challenge(tiny))


def refusal(tiny: Path) -> ChallengeError:
    challenge = load_challenge(tiny)
    with pytest.raises(ChallengeError) as caught:
        check_data(challenge)
    return caught.value


@pytest.mark.parametrize(
    ("table", "old", "new", "problem"),
    [
        (INPUTS, "months", "weeks", "lacks the columns months"),
        (INPUTS, "member", "person", "lacks the columns member"),
        (INPUTS, "a2,6", "a1,6", "in more than one row"),
        (INPUTS, "a2,6", ",6", "a row without a key"),
        (INPUTS, "a2,6", "a2,six", "text in the numeric column 'months'"),
        (INPUTS, TABLES[INPUTS], "", "cannot be read"),
        (INPUTS, TABLES[INPUTS], "member,months,region\n", "has no row"),
        (EXPECTED, "band", "class", "lacks the columns band"),
        (EXPECTED, "a2", "a3", "exactly the keys"),
        (EXPECTED, "a2,2.5,55.0,high\n", "", "exactly the keys"),
        (EXPECTED, "2.5", "", "missing or infinite"),
        (EXPECTED, "2.5", "inf", "missing or infinite"),
        (EXPECTED, "2.5", "many", "text in the numeric column 'visits'"),
        (LABELS, "visits", "claims", "lacks the columns visits"),
        (LABELS, "a2,3", "a2,", "a label that is missing"),
        (LABELS, "a2", "a9", "exactly the keys"),
    ],
)
def test_bad_table_is_named(table: str, old: str, new: str, problem: str, tiny: Path) -> None:
    name = f"cases/hidden/portfolio/{table}"
    write(tiny, name, TABLES[table].replace(old, new, 1))
    error = refusal(tiny)
    assert error.slug == "bad-table"
    assert error.message.startswith(name)
    assert problem in error.message


def test_missing_labels_are_named(tiny: Path) -> None:
    (tiny / "cases" / "hidden" / "portfolio" / LABELS).unlink()
    assert "labels.csv of tiny cannot be read" in refusal(tiny).message


def test_bytes_without_meaning_are_named(tiny: Path) -> None:
    (tiny / "cases" / "public" / "small" / INPUTS).write_bytes(b"member,months\n\xff\xfe,1\n")
    assert "cannot be read" in refusal(tiny).message


@pytest.mark.parametrize("where", ["weeks < 12", "months + 1", "region < 12"])
def test_segment_must_hold_for_rows(where: str, tiny: Path) -> None:
    write(tiny, "challenge.toml", MANIFEST.replace("months < 12", where))
    assert refusal(tiny).slug == "bad-segment"
