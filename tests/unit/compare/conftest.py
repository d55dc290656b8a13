from __future__ import annotations

import pytest

from grader.model import Column, OutputTable


@pytest.fixture
def table() -> OutputTable:
    return OutputTable(
        file="out.csv",
        key=("id",),
        columns=(
            Column(name="rate", relative=1e-8, weight=0.25),
            Column(name="price", absolute=0.005, final=True, decision=(25, 50), weight=0.5),
            Column(name="band", exact=True, weight=0.25),
        ),
    )
