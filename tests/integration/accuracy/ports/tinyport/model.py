from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

REQUIRED = ("id", "age", "site", "months")
NUMERIC = ("age", "months")


class BadInputError(Exception):
    pass


def read(path: str) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype={"id": str})
    except pd.errors.EmptyDataError as error:
        raise BadInputError("the input file is empty") from error


def train(folder: str) -> dict[str, Any]:
    table = read(f"{folder}/train.csv")
    digest = hashlib.sha256(Path(f"{folder}/train.csv").read_bytes()).hexdigest()
    return {"rate": table.groupby("site")["visits"].mean().to_dict(), "data": digest}


def score(model: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    for name in REQUIRED:
        if name not in table:
            raise BadInputError(f"column {name} is missing")
    for name in NUMERIC:
        if not all(isinstance(v, int | float | np.number) for v in table[name]):
            raise BadInputError(f"column {name} holds text")
    unknown = set(table["site"]) - set(model["rate"])
    if unknown:
        raise BadInputError("column site holds an unseen level")
    age = table["age"].astype(float).fillna(40.0)
    rate = table["site"].map(model["rate"]).astype(float)
    visits = rate * np.exp(0.01 * age) * table["months"].astype(float) / 12
    return pd.DataFrame(
        {"id": table["id"].astype(str), "visits": visits, "price": (visits * 25).round(2)}
    )


def report(options: dict[str, str]) -> None:
    model = json.loads(Path(options["--model"]).read_text())
    answers = score(model, read(options["--input"]))
    pairs = read(options["--expected"]).merge(answers, on="id", suffixes=("", "_port"))
    columns = {}
    for name, tolerance in (("visits", 1e-8 * pairs["visits"].abs()), ("price", 0.0005)):
        difference = (pairs[f"{name}_port"] - pairs[name]).abs()
        columns[name] = {
            "rows": len(pairs),
            "within_tolerance": float((difference <= tolerance).mean()),
            "median_difference": float(difference.median()),
            "largest_difference": float(difference.max()),
        }
        figure = Figure()
        figure.subplots().scatter(pairs[name], pairs[f"{name}_port"])
        figure.savefig(f"parity-{name}.png")
    lineage = {"package_version": "1", "data": {"train.csv": model["data"]}}
    content = {"schema": "drydock.metrics/1", "columns": columns, "lineage": lineage}
    Path(options["--output"]).write_text(json.dumps(content))


def main(arguments: list[str]) -> int:
    command, options = arguments[0], dict(zip(arguments[1::2], arguments[2::2], strict=True))
    try:
        if command == "train":
            Path(options["--model"]).write_text(json.dumps(train(options["--data"])))
        elif command == "report":
            report(options)
        else:
            model = json.loads(Path(options["--model"]).read_text())
            answers = score(model, read(options["--input"]))
            answers.to_csv(options["--output"], index=False)
    except BadInputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
