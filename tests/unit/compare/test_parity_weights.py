"""A simulation: what bugs of every shape cost, by the weights of the parity score.

Each bug is one that ports really have: it hits a share of the rows of one segment, by a size
relative to the tolerance. The promise is that a bug that breaks a segment costs at least ten points
of the case's parity, however small the segment and the error are, even where the column that it
breaks is the final one alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grader.compare import compare_column, compare_tables, table_score
from grader.compare.parity import WEIGHTS
from grader.model import Column, OutputTable

ROWS = 5000
PRICE = Column(name="price", absolute=0.0005, final=True, decision=(25, 50, 75, 100), weight=0.6)
PARTS = (
    Column(name="visits", relative=1e-8, weight=0.2),
    Column(name="cost", relative=1e-8, weight=0.2),
)
TABLE = OutputTable(file="o.csv", key=("id",), columns=(*PARTS, PRICE))


def loss(segment_share: float, hit: float, error: float) -> float:
    """Return the points that a bug in the final column alone costs a case."""
    draw = np.random.default_rng(11)
    legacy = draw.gamma(2.0, 25.0, ROWS).round(2)
    segment = np.arange(ROWS) < segment_share * ROWS
    wrong = segment & (draw.random(ROWS) < hit)
    found = compare_column(legacy, legacy + wrong * error, PRICE, {"trap": segment})
    return PRICE.weight * (100 - found.score)


@pytest.mark.parametrize("segment_share", [0.006, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("error", [0.001, 0.01, 1.0, 50.0])
def test_broken_segment_costs_ten(segment_share: float, error: float) -> None:
    assert loss(segment_share, 1.0, error) >= 20


@pytest.mark.parametrize("error", [0.01, 1.0])
def test_half_broken_segment_costs_ten(error: float) -> None:
    assert loss(0.01, 0.5, error) >= 10


def test_lost_cents_cost_ten() -> None:
    assert loss(1.0, 0.5, 0.01) >= 20


def test_single_precision_costs_ten() -> None:
    draw = np.random.default_rng(3)
    visits, cost = draw.gamma(2.0, 1.5, ROWS), draw.gamma(3.0, 10.0, ROWS)
    tables = [
        {"visits": v, "cost": c, "price": (v * c * 1.25).round(2)}
        for v, c in ((visits, cost), (visits.astype("f4").astype(float), cost))
    ]
    columns = compare_tables(pd.DataFrame(tables[0]), pd.DataFrame(tables[1]), TABLE, {})
    assert table_score(columns, TABLE) <= 90


def test_weights_sum_to_hundred() -> None:
    assert sum(WEIGHTS.values()) == 100
