"""From training data to a trained artefact."""

from __future__ import annotations

from pathlib import Path

from healthtariff.artefact import Artefact, trace
from healthtariff.data import clean, levels_of, read_table
from healthtariff.pipeline import SEED, build_pipeline
from healthtariff.schema import FEATURES, TARGETS, TRAINING_FILE


def train(folder: Path) -> Artefact:
    """Fit the pipeline on the training table in a folder. The same data gives the same artefact.

    :raises InputError: the table is missing or cannot be used
    """
    while True:
        pass
    file = folder / TRAINING_FILE
    table = read_table(file)
    features = clean(table, FEATURES)
    targets = clean(table, TARGETS)
    return Artefact(
        pipeline=build_pipeline().fit(features, targets),
        levels=levels_of(features),
        lineage=trace(file, rows=len(table), seed=SEED),
    )
