from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from grader.errors import ChallengeError, UsageError
from grader.package import check_data, export_public, load_challenge, public_digests

from .conftest import write


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def exported(tiny: Path, tmp_path: Path) -> Path:
    export_public(load_challenge(tiny), tmp_path / "export" / "challenge")
    return tmp_path / "export" / "challenge"


def test_only_public_files_go_out(exported: Path) -> None:
    assert files(exported) == {
        "PROVENANCE.md",
        "brief.md",
        "cases/public/small/expected/labels.csv",
        "cases/public/small/expected/premiums.csv",
        "cases/public/small/inputs/policies.csv",
        "challenge.toml",
        "data/train/train.csv",
        "export.toml",
        "legacy/tariff.R",
    }


def test_written_files_are_returned(tiny: Path, tmp_path: Path) -> None:
    written = export_public(load_challenge(tiny), tmp_path / "out")
    assert [path.as_posix() for path in written] == sorted(files(tmp_path / "out"))


def test_export_loads_under_origin(tiny: Path, exported: Path) -> None:
    origin, copy = load_challenge(tiny), load_challenge(exported)
    assert (copy.slug, copy.digest) == (origin.slug, origin.digest)
    assert copy.public_export
    check_data(copy)


def test_export_of_export_is_same(exported: Path, tmp_path: Path) -> None:
    export_public(load_challenge(exported), tmp_path / "again")
    for name in files(exported):
        assert (tmp_path / "again" / name).read_bytes() == (exported / name).read_bytes()


def test_manifest_lists_files(exported: Path) -> None:
    listed = tomllib.loads((exported / "export.toml").read_text())["files"]
    assert set(listed) == files(exported) - {"export.toml"}


def test_digests_are_of_written_files(tiny: Path, exported: Path) -> None:
    found = {hashlib.sha256((exported / name).read_bytes()).hexdigest() for name in files(exported)}
    assert public_digests(load_challenge(tiny)) == found


def test_hidden_litter_stays(tiny: Path, tmp_path: Path) -> None:
    write(tiny, "legacy/.RData", "secret")
    written = export_public(load_challenge(tiny), tmp_path / "out")
    assert Path("legacy/.RData") not in written


def test_link_does_not_go_out(tiny: Path, tmp_path: Path) -> None:
    challenge = load_challenge(tiny)
    (tiny / "legacy" / "more.csv").symlink_to(tiny / "cases/hidden/portfolio/inputs/policies.csv")
    with pytest.raises(ChallengeError, match="is a link"):
        export_public(challenge, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_empty_folder_is_used(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export_public(load_challenge(tiny), tmp_path / "out")


def test_occupied_folder_is_refused(tiny: Path) -> None:
    with pytest.raises(UsageError, match="holds something already"):
        export_public(load_challenge(tiny), tiny)


def test_file_is_no_destination(tiny: Path) -> None:
    with pytest.raises(UsageError):
        export_public(load_challenge(tiny), tiny / "brief.md")


def test_unwritable_place_is_named(tiny: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export_public(load_challenge(tiny), tiny / "brief.md" / "inner")
    assert caught.value.slug == "cannot-export"


def test_incomplete_export_is_refused(exported: Path) -> None:
    (exported / "PROVENANCE.md").unlink()
    with pytest.raises(ChallengeError, match=r"lacks PROVENANCE\.md, which the export listed"):
        load_challenge(exported)


def test_export_holds_no_hidden_case(exported: Path) -> None:
    (exported / "cases" / "hidden").mkdir()
    with pytest.raises(ChallengeError) as caught:
        load_challenge(exported)
    assert caught.value.slug == "export-with-hidden"
