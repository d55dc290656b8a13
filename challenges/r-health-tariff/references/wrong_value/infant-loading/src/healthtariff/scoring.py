"""The one way from input rows to answers, shared by the batch command and the live API."""

from __future__ import annotations

import pandas as pd

from healthtariff.artefact import Artefact
from healthtariff.data import check_keys, check_levels, clean
from healthtariff.rules import answers
from healthtariff.schema import FEATURES, KEY, PREDICTIONS


def score(artefact: Artefact, table: pd.DataFrame) -> pd.DataFrame:
    """Answer every row of a table: its key and the output columns, in the order of the rows.

    :raises InputError: the table cannot be scored; the message names the column
    """
    features = clean(table, (*KEY, *FEATURES))[list(FEATURES)]
    check_keys(table)
    check_levels(features, artefact.levels)
    predicted = pd.DataFrame(
        artefact.pipeline.predict(features),
        columns=list(PREDICTIONS),
        index=features.index,
    )
    answered = answers(predicted, features["exposure"])
    infants = features["age"] < 1
    answered["premium"] = answered["premium"].where(~infants, answered["premium"] * 1.1).round(2)
    return pd.concat([table[list(KEY)], answered], axis="columns")
