"""Output tables against recorded ones, within tolerance: pure, and outside every sandbox.

A submission's table is data and nothing else. It is read strictly, aligned to the recorded one by
its key, and scored column by column; the order of its rows means nothing.
"""

from grader.compare.parity import (
    CaseParity,
    compare_case,
    compare_column,
    compare_tables,
    rows_equal,
    table_score,
)
from grader.compare.tables import (
    parse_table,
    read_inputs,
    read_output,
    read_recorded,
    segment_rows,
)

__all__ = [
    "CaseParity",
    "compare_case",
    "compare_column",
    "compare_tables",
    "parse_table",
    "read_inputs",
    "read_output",
    "read_recorded",
    "rows_equal",
    "segment_rows",
    "table_score",
]
