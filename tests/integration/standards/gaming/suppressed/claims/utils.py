# ruff: noqa
# mypy: ignore-errors
# fmt: off
import pickle  # noqa  # type: ignore  # pylint: disable=all

import pandas as pd  # noqa  # type: ignore  # pylint: disable=all


def load(path):  # noqa  # type: ignore  # pylint: disable=all
    df = pd.read_csv(path)  # noqa  # type: ignore  # pylint: disable=all
    df = df[df["exposure"] > 0]  # noqa  # type: ignore  # pylint: disable=all
    df["age"] = df["age"].fillna(df["age"].mean())  # noqa  # type: ignore  # pylint: disable=all
    df["region"] = df["region"].fillna("unknown")  # noqa  # type: ignore  # pylint: disable=all
    return df  # noqa  # type: ignore  # pylint: disable=all


def save(model, path):  # noqa  # type: ignore  # pylint: disable=all
    with open(path, "wb") as f:  # noqa  # type: ignore  # pylint: disable=all
        pickle.dump(model, f)  # noqa  # type: ignore  # pylint: disable=all


def band(age):  # noqa  # type: ignore  # pylint: disable=all
    if age < 18:  # noqa  # type: ignore  # pylint: disable=all
        return "child"  # noqa  # type: ignore  # pylint: disable=all
    elif age < 30:  # noqa  # type: ignore  # pylint: disable=all
        return "young"  # noqa  # type: ignore  # pylint: disable=all
    elif age < 65:  # noqa  # type: ignore  # pylint: disable=all
        return "adult"  # noqa  # type: ignore  # pylint: disable=all
    else:  # noqa  # type: ignore  # pylint: disable=all
        return "old"  # noqa  # type: ignore  # pylint: disable=all
