from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import ChallengeError
from grader.model import GroupKind, Level, Limits
from grader.package import (
    challenge_digest,
    data_digest,
    find_challenge,
    list_challenges,
    load_challenge,
)

from .conftest import MANIFEST, make, write

Refusal = Callable[[str, str], ChallengeError]


def line(text: str) -> int:
    return MANIFEST[: MANIFEST.index(text)].count("\n") + 1


def test_whole_manifest_is_read(tiny: Path) -> None:
    challenge = load_challenge(tiny)
    assert (challenge.slug, challenge.level) == ("tiny", Level.INTRODUCTORY)
    assert challenge.contract.input_file == "policies.csv"
    assert [group.kind for group in challenge.groups] == [GroupKind.PARITY, GroupKind.QUALITY]
    assert challenge.groups[0].segments[1].where == "region == 'north'"
    assert challenge.standards[0].gate == ("REPO001",)
    assert challenge.leaderboard.daily_cap == 20


def test_cases_are_found(tiny: Path) -> None:
    cases = load_challenge(tiny).cases
    assert [case.name for case in cases] == ["hidden/portfolio", "public/small"]
    assert [case.hidden for case in cases] == [True, False]


def test_hidden_folders_are_no_cases(tiny: Path) -> None:
    (tiny / "cases" / "public" / ".ipynb_checkpoints").mkdir()
    assert len(load_challenge(tiny).cases) == 2


def test_limits_have_defaults(tiny: Path) -> None:
    assert load_challenge(tiny).limits == Limits(wall_seconds=30)


def test_weights_default_to_final(tiny: Path) -> None:
    (table,) = load_challenge(tiny).outputs
    weights = {column.name: column.weight for column in table.columns}
    assert weights == pytest.approx({"visits": 0.2, "premium": 0.6, "band": 0.2})


def test_lone_column_weighs_all(tiny: Path) -> None:
    lone = MANIFEST.replace("[output.columns.visits]\nrelative = 1e-8\n", "")
    lone = lone.replace("[output.columns.band]\nexact = true\n", "")
    write(tiny, "challenge.toml", lone.replace('prediction = "visits"', 'prediction = "premium"'))
    assert load_challenge(tiny).outputs[0].columns[0].weight == 1


BAD_VALUES = [
    ("schema = 1", "schema = 2", "must be 1"),
    ("points = 500", 'points = "500"', "must be a whole number, not text"),
    ("points = 500", "points = 500.0", "must be a whole number, not a number"),
    ("points = 500", "points = true", "must be a whole number, not true or false"),
    ("points = 500", "points = -1", "must not be below 0"),
    ("points = 500", "points = 501", "give 1001 points together"),
    ("points = 800", "points = 0", "between 1 and 1000"),
    ("points = 800", "points = 1979-05-27", "must be a whole number, not date"),
    ("minimum = 0.9", "minimum = 90", "between 0 and 1"),
    ("minimum = 0.9", "minimum = nan", "finite"),
    ("relative = 1e-8", "relative = inf", "finite"),
    ("relative = 1e-8", "relative = 1" + "0" * 400, "usual size"),
    ("relative = 1e-8", "exact = false", "must be above 0"),
    ("exact = true", "exact = true\nabsolute = 1", "no room for a tolerance"),
    ("final = true\n", "", "exactly one column"),
    ("exact = true", "exact = true\nfinal = true", "exactly one column"),
    ("exact = true", "exact = true\nweight = 0.5", "sum to 0.5"),
    ("columns.band", "columns.member", "which is the key"),
    ("[25, 50]", "[50, 25]", "must ascend"),
    ("[25, 50]", "[25, nan]", "finite numbers"),
    ('"tinytariff"', '"tiny-tariff"', "must be a Python name"),
    ('"tinytariff"', '"class"', "must be a Python name"),
    ('python = "3.11"', 'python = ">=3"', "must be a version"),
    ('"policies.csv"', '"../policies.csv"', "plain file name"),
    ('"premiums.csv"', '"/etc/passwd"', "plain file name"),
    ('key = ["member"]', "key = []", "at least one column"),
    ('["months", "region"]', '["months", "months"]', "the same thing twice"),
    ('["months", "region"]', '["months", 1]', "list of texts"),
    ('"A tiny tariff"', '" "', "must not be blank"),
    ('"introductory"', '"easy"', "introductory, intermediate, advanced"),
    ('kind = "parity"', 'kind = "party"', "must be one of"),
    ('kind = "parity"', 'kind = "quality"', "is needed there"),
    ('name = "quality"', 'name = "parity"', "the same name twice"),
    ('family = "tests"', 'family = "repository"', "the same name twice"),
    ('name = "north"', 'name = "part of a year"', "the same name twice"),
    ('cases = "hidden/*"', 'cases = "secret/*"', "matches no case"),
    ('prediction = "visits"', 'prediction = "age"', "unknown output column"),
    ("wall_seconds = 30", "wall_seconds = 0", "must be above 0"),
    ('ladder = "quality"', 'ladder = "up"', "no other kind of group has a loss"),
    ('private_groups = ["parity"]', 'private_groups = ["x"]', "unknown group 'x'"),
    ('where = "months < 12"', 'where = "months.values"', "asks for 'values'"),
]


@pytest.mark.parametrize(("old", "new", "problem"), BAD_VALUES)
def test_bad_value_is_named(refusal: Refusal, old: str, new: str, problem: str) -> None:
    error = refusal(old, new)
    assert problem in str(error)
    assert error.slug == "bad-value"


def test_value_is_given_its_line(refusal: Refusal) -> None:
    error = refusal("points = 300", "points = 1.5")
    assert f"challenge.toml:{line('points = 300')}: 'points' in standard[1]" in error.message


def test_unknown_key_names_nearest(refusal: Refusal) -> None:
    error = refusal("minimum = 0.9", "minimun = 0.9")
    assert error.slug == "unknown-key"
    assert error.remedy.startswith("Did you mean 'minimum'?")
    assert f":{line('minimum = 0.9')}: group[1]" in error.message


def test_unknown_table_is_refused(refusal: Refusal) -> None:
    assert "Did you mean 'limits'?" in refusal("[limits]", "[limit]").remedy


def test_missing_key_names_table(refusal: Refusal) -> None:
    error = refusal('metric = "poisson_deviance", ', "")
    assert error.slug == "missing-key"
    assert f":{line('quality = {')}: group[2].quality lacks the key 'metric'" in error.message


@pytest.mark.parametrize(
    "manifest", ["schema = ", "x = " + "[" * 5000, "x = " + "1" * 5000, "a = 1\na = 2", "\ud800"]
)
def test_bad_toml_is_refused(manifest: str, tiny: Path) -> None:
    (tiny / "challenge.toml").write_bytes(manifest.encode("utf-8", "surrogatepass"))
    with pytest.raises(ChallengeError) as caught:
        load_challenge(tiny)
    assert caught.value.slug == "bad-toml"


@pytest.mark.parametrize(
    "name",
    [
        "brief.md",
        "legacy/tariff.R",
        "data/train/train.csv",
        "cases/hidden/portfolio/inputs/policies.csv",
        "cases/public/small/expected/premiums.csv",
    ],
)
def test_missing_file_is_named(name: str, tiny: Path) -> None:
    (tiny / name).unlink()
    with pytest.raises(ChallengeError) as caught:
        load_challenge(tiny)
    assert caught.value.slug == "missing-file"


def test_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChallengeError, match="No such file"):
        load_challenge(tmp_path)


@pytest.mark.parametrize("slug", ["Tiny", "tiny_tariff", "-tiny", "tiny--tariff"])
def test_folder_name_must_be_slug(slug: str, tmp_path: Path) -> None:
    with pytest.raises(ChallengeError) as caught:
        load_challenge(make(tmp_path / slug))
    assert caught.value.slug == "bad-slug"


def test_slug_is_found(tiny: Path) -> None:
    assert find_challenge("tiny", [tiny.parent]).root == tiny


def test_path_is_found(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_challenge(str(tiny), []).slug == "tiny"
    monkeypatch.chdir(tiny.parent)
    assert find_challenge("tiny", []).slug == "tiny"


def test_first_folder_counts(tmp_path: Path) -> None:
    first, second = make(tmp_path / "a" / "tiny"), make(tmp_path / "b" / "tiny")
    assert find_challenge("tiny", [first.parent, second.parent]).root == first


def test_unknown_slug_names_nearest(tiny: Path) -> None:
    with pytest.raises(ChallengeError, match=r"Did you mean 'tiny'\? Known are: tiny"):
        find_challenge("tinny", [tiny.parent])


def test_challenges_are_sorted(tmp_path: Path) -> None:
    for slug in ("b", "a"):
        make(tmp_path / slug)
    assert [challenge.slug for challenge in list_challenges([tmp_path])] == ["a", "b"]


def test_broken_challenge_is_not_skipped(tmp_path: Path) -> None:
    make(tmp_path / "broken", "schema = 1")
    with pytest.raises(ChallengeError):
        list_challenges([tmp_path])


@pytest.mark.parametrize(
    "name", ["hidden_tests.py", "legacy/new.R", "references/accepted/one/.github/ci.yml"]
)
def test_digest_sees_each_file(name: str, tiny: Path) -> None:
    before = challenge_digest(tiny)
    write(tiny, name, "changed")
    assert challenge_digest(tiny) != before


def test_data_digest_sees_data_alone(tiny: Path) -> None:
    before = data_digest(tiny)
    write(tiny, "brief.md", "changed")
    write(tiny, "references/accepted/one/data/x.csv", "changed")
    assert data_digest(tiny) == before
    write(tiny, "data/train/more.csv", "a\n1\n")
    assert data_digest(tiny) != before


@pytest.mark.parametrize("name", [".DS_Store", "legacy/__pycache__/a.pyc", ".git/config"])
def test_digest_leaves_litter_out(name: str, tiny: Path) -> None:
    before = challenge_digest(tiny)
    write(tiny, name, "litter")
    assert challenge_digest(tiny) == before


def test_link_in_package_is_refused(tiny: Path) -> None:
    (tiny / "legacy" / "link.csv").symlink_to("/etc/passwd")
    with pytest.raises(ChallengeError) as caught:
        load_challenge(tiny)
    assert caught.value.slug == "link-in-package"


def test_reference_may_hold_links(tiny: Path) -> None:
    link = tiny / "references" / "accepted" / "one" / "link"
    link.symlink_to("/nowhere")
    before = challenge_digest(tiny)
    link.unlink()
    link.symlink_to("/elsewhere")
    assert challenge_digest(tiny) != before
