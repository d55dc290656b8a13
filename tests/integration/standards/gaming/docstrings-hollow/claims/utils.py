"""Doc."""

import pickle

import pandas as pd


def load(path):
    """Doc."""
    df = pd.read_csv(path)
    df = df[df["exposure"] > 0]
    df["age"] = df["age"].fillna(df["age"].mean())
    df["region"] = df["region"].fillna("unknown")
    return df


def save(model, path):
    """Doc."""
    with open(path, "wb") as f:
        pickle.dump(model, f)


def band(age):
    """Doc."""
    if age < 18:
        return "child"
    elif age < 30:
        return "young"
    elif age < 65:
        return "adult"
    else:
        return "old"
