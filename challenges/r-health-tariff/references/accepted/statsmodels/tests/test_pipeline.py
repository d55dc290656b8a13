"""The model as structure, and what training makes of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from healthtariff import __version__, artefact
from healthtariff.artefact import Artefact
from healthtariff.data import InputError, read_table
from healthtariff.pipeline import build_pipeline
from healthtariff.schema import CATEGORY, TARGETS, TRAINING_FILE
from healthtariff.training import train


def test_pipeline_comes_unfitted() -> None:
    with pytest.raises(NotFittedError):
        check_is_fitted(build_pipeline())


def test_pipelines_share_nothing() -> None:
    first, second = build_pipeline(), build_pipeline()
    assert all(a is not b for (_, a), (_, b) in zip(first.steps, second.steps, strict=True))


def test_training_learns_every_level(trained: Artefact) -> None:
    assert set(trained.levels) == set(CATEGORY)
    assert all(trained.levels.values())


def test_lineage_names_the_data(trained: Artefact, training_folder: Path) -> None:
    assert trained.lineage.data_rows == len(read_table(training_folder / TRAINING_FILE))
    assert len(trained.lineage.data_digest) == 64
    assert trained.lineage.package_version == __version__


def test_training_twice_gives_same(training_folder: Path, model_file: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.bin"
    artefact.save(train(training_folder), again)
    assert again.read_bytes() == model_file.read_bytes()


def test_training_needs_its_targets(training_folder: Path, tmp_path: Path) -> None:
    table = read_table(training_folder / TRAINING_FILE).head(50)
    table.drop(columns=TARGETS[0]).to_csv(tmp_path / TRAINING_FILE, index=False)
    with pytest.raises(InputError, match=f"{TARGETS[0]!r} is missing"):
        train(tmp_path)


def test_artefact_survives_the_disk(trained: Artefact, model_file: Path) -> None:
    loaded = artefact.load(model_file)
    assert asdict(loaded.lineage) == asdict(trained.lineage)
    assert loaded.levels == trained.levels


@pytest.mark.parametrize("damage", [b"", b"something else", b"\n\n"])
def test_damaged_model_is_refused(model_file: Path, tmp_path: Path, damage: bytes) -> None:
    damaged = tmp_path / "damaged.bin"
    damaged.write_bytes(model_file.read_bytes()[:-10] + damage)
    with pytest.raises(InputError, match="was not written by this package, or was damaged"):
        artefact.load(damaged)


def test_absent_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.bin cannot be read"):
        artefact.load(tmp_path / "absent.bin")
