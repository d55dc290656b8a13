"""This module contains the code."""

import pickle

import pandas as pd


def load(path):
    """Load the path and return the result of load."""
    df = pd.read_csv(path)
    df = df[df["exposure"] > 0]
    df["age"] = df["age"].fillna(df["age"].mean())
    df["region"] = df["region"].fillna("unknown")
    return df


def save(model, path):
    """Save the model and the path and return the result of save."""
    with open(path, "wb") as f:
        pickle.dump(model, f)


def band(age):
    """Band the age and return the result of band."""
    if age < 18:
        return "child"
    elif age < 30:
        return "young"
    elif age < 65:
        return "adult"
    else:
        return "old"
