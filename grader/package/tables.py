"""The tables of ``challenge.toml`` → nouns, each proven by itself."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from grader.model import (
    TOTAL_POINTS,
    Column,
    Contract,
    Group,
    GroupKind,
    Leaderboard,
    Level,
    Limits,
    OutputTable,
    Quality,
    Segment,
    Standard,
)
from grader.package.expression import problem_of
from grader.package.section import Section

_Number = TypeVar("_Number", int, float)

FINAL_WEIGHT = 0.6
"""Share of the final column where a table gives no weights; the others share the rest evenly."""
_ROUNDING = 1e-9


def level_of(about: Section) -> Level:
    """Return how hard the challenge says it is."""
    level = about.text("level")
    if level not in set(Level):
        raise about.error("level", f"must be one of {', '.join(Level)}, not {level!r}")
    return Level(level)


def contract_of(table: Section) -> Contract:
    """Read ``[submission]``."""
    contract = Contract(
        package=table.text("package"),
        python=table.text("python"),
        environment=table.text("environment", "standard"),
        input_file=_file(table, "input_file"),
        key=_key(table),
        required_columns=table.texts("required_columns"),
        numeric_columns=table.texts("numeric_columns"),
        category_columns=table.texts("category_columns"),
    )
    table.finish()
    if not contract.package.isidentifier() or keyword.iskeyword(contract.package):
        raise table.error("package", f"must be a Python name, not {contract.package!r}")
    if not re.fullmatch(r"3\.\d+", contract.python):
        raise table.error("python", f"must be a version such as '3.11', not {contract.python!r}")
    return contract


def output_of(table: Section) -> OutputTable:
    """Read one ``[[output]]`` with its columns."""
    named = table.section("columns")
    columns = [_column(name, named.section(name)) for name in named.table]
    if sum(column.final for column in columns) != 1:
        raise table.error("columns", "must hold exactly one column with 'final = true'")
    output = OutputTable(
        file=_file(table, "file"), key=_key(table), columns=tuple(_weighted(columns, table))
    )
    table.finish()
    if both := sorted(set(output.key) & set(named.table)):
        raise table.error("columns", f"holds {both[0]!r}, which is the key")
    return output


def _column(name: str, table: Section) -> Column:
    column = Column(
        name=name,
        absolute=_least_0(table, "absolute", table.number("absolute", 0)),
        relative=_least_0(table, "relative", table.number("relative", 0)),
        exact=table.flag("exact"),
        final=table.flag("final"),
        decision=table.numbers("decision"),
        weight=_least_0(table, "weight", table.number("weight", 0)),
    )
    table.finish()
    if list(column.decision) != sorted(set(column.decision)):
        raise table.error("decision", "must ascend")
    if column.exact and (column.absolute or column.relative or column.decision):
        raise table.error("exact", "leaves no room for a tolerance or a decision")
    if not column.exact and not (column.absolute or column.relative):
        raise table.error("absolute", "or 'relative' must be above 0 where a column is not exact")
    return column


def _weighted(columns: list[Column], table: Section) -> Iterator[Column]:
    """Give columns without weights the usual ones: the final column weighs most."""
    weights = [column.weight for column in columns]
    if not any(weights):
        others = len(columns) - 1
        weights = [
            (FINAL_WEIGHT if others else 1.0) if column.final else (1 - FINAL_WEIGHT) / others
            for column in columns
        ]
    if abs(sum(weights) - 1) > _ROUNDING:
        raise table.error("columns", f"has weights that sum to {sum(weights):g}, not to 1")
    for column, weight in zip(columns, weights, strict=True):
        yield replace(column, weight=weight)


def group_of(table: Section) -> Group:
    """Read one ``[[group]]``."""
    kind = table.text("kind")
    if kind not in set(GroupKind):
        raise table.error("kind", f"must be one of {', '.join(GroupKind)}, not {kind!r}")
    group = Group(
        name=table.text("name"),
        kind=GroupKind(kind),
        points=_least_0(table, "points", table.whole("points")),
        cases=table.text("cases", ""),
        segments=tuple(_segment(item) for item in table.sections("segments")),
        minimum=table.number("minimum", 0.0),
        all_or_nothing=table.flag("all_or_nothing"),
        quality=_quality(table.section("quality")) if table.has("quality") else None,
    )
    table.finish()
    if not 0 <= group.minimum <= 1:
        raise table.error("minimum", "must lie between 0 and 1, a share of the points")
    if (group.kind is GroupKind.QUALITY) != (group.quality is not None):
        raise table.error("quality", "belongs to a group of kind 'quality', and is needed there")
    if len({segment.name for segment in group.segments}) != len(group.segments):
        raise table.error("segments", "holds the same name twice")
    return group


def _segment(table: Section) -> Segment:
    segment = Segment(name=table.text("name"), where=table.text("where"))
    table.finish()
    if problem := problem_of(segment.where):
        raise table.error("where", problem, "Write a comparison of columns, as 'months < 12'.")
    return segment


def _quality(table: Section) -> Quality:
    quality = Quality(
        metric=table.text("metric"),
        prediction=table.text("prediction"),
        label=table.text("label"),
        margin=_least_0(table, "margin", table.number("margin", 0)),
    )
    table.finish()
    return quality


def standard_of(table: Section) -> Standard:
    """Read one ``[[standard]]``."""
    standard = Standard(
        family=table.text("family"),
        points=_least_0(table, "points", table.whole("points")),
        gate=table.texts("gate"),
    )
    table.finish()
    return standard


def limits_of(table: Section) -> Limits:
    """Read ``[limits]``."""
    usual = Limits()
    limits = Limits(
        wall_seconds=table.number("wall_seconds", usual.wall_seconds),
        cpu_seconds=table.whole("cpu_seconds", usual.cpu_seconds),
        memory_mb=table.whole("memory_mb", usual.memory_mb),
        disk_mb=table.whole("disk_mb", usual.disk_mb),
        output_mb=table.whole("output_mb", usual.output_mb),
        processes=table.whole("processes", usual.processes),
    )
    table.finish()
    for key in table.table:
        if table.number(key) <= 0:
            raise table.error(key, "must be above 0")
    return limits


def passing_points_of(table: Section) -> int:
    """Read ``[passing]``."""
    points = table.whole("points")
    table.finish()
    if not 0 < points <= TOTAL_POINTS:
        raise table.error("points", f"must lie between 1 and {TOTAL_POINTS}")
    return points


def leaderboard_of(table: Section) -> Leaderboard:
    """Read ``[leaderboard]``."""
    board = Leaderboard(
        ladder=table.text("ladder", ""),
        daily_cap=_least_0(table, "daily_cap", table.whole("daily_cap", 0)),
        private_groups=table.texts("private_groups"),
    )
    table.finish()
    if board.ladder not in {"", GroupKind.QUALITY}:
        raise table.error("ladder", 'must be "quality": no other kind of group has a loss')
    return board


def _key(table: Section) -> tuple[str, ...]:
    key = table.texts("key")
    if not key:
        raise table.error("key", "must name at least one column")
    return key


def _file(table: Section, key: str) -> str:
    """Return a file's name, which leads nowhere else."""
    name = table.text(key)
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise table.error(key, f"must be a plain file name, not {name!r}")
    return name


def _least_0(table: Section, key: str, found: _Number) -> _Number:
    if found < 0:
        raise table.error(key, "must not be below 0")
    return found
