"""The report's pictures: how the answers lie against the legacy model's."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from healthtariff.schema import OUTPUTS


def draw_parity(pairs: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Draw each output column that is a number: a file name, and a PNG picture.

    :param pairs: as ``reporting.pair`` makes them
    """
    for output in OUTPUTS:
        if not output.exact:
            columns = [f"{output.name}_legacy", f"{output.name}_port"]
            legacy, port = pairs[columns].dropna().to_numpy(dtype="float64").T
            yield f"parity-{output.name}.png", _draw(output.name, legacy, port)


def _draw(name: str, legacy: np.ndarray, port: np.ndarray) -> bytes:
    figure = Figure(figsize=(4.8, 4.8), dpi=100)
    axes = figure.subplots()
    axes.scatter(legacy, port, s=8, alpha=0.5)
    # Answers that agree lie on this line.
    axes.plot(legacy, legacy, color="black", linewidth=0.8)
    axes.set(title=f"{name}, row by row", xlabel="legacy model", ylabel="port")
    picture = io.BytesIO()
    # No date and no version inside: the same answers give the same file.
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
