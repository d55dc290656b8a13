from __future__ import annotations

from pathlib import Path

import pytest

from grader.accuracy.port import Outcome
from grader.commands import Failure
from grader.model import (
    Case,
    Cause,
    Challenge,
    Column,
    Contract,
    Group,
    GroupKind,
    Level,
    Limits,
    OutputTable,
)
from grader.sandbox import Collected, Result


class Outcomes:
    """Makes what a command came to, without running one."""

    def wrote(self, text: str) -> Outcome:
        return Outcome(result=self._result(0, "", text.encode()), content=text.encode())

    def refused(self, stderr: str, exit_code: int = 2, *, left: bytes | None = None) -> Outcome:
        failure = Failure(cause=Cause.CRASH, message="score ended with an error.")
        return Outcome(result=self._result(exit_code, stderr, left), failure=failure)

    def failed(self, cause: Cause) -> Outcome:
        return Outcome(
            result=self._result(0, "", None), failure=Failure(cause=cause, message="No table.")
        )

    def _result(self, exit_code: int, stderr: str, content: bytes | None) -> Result:
        problem = "missing" if content is None else None
        return Result(
            exit_code=exit_code,
            cause=None,
            message="",
            stdout="",
            stderr=stderr,
            files=(Collected(name="o.csv", content=content, problem=problem),),
            seconds=0.25,
            cpu_seconds=0.1,
            memory_mb=50,
            processes=1,
        )


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


@pytest.fixture
def contract() -> Contract:
    return Contract(
        package="port",
        python="3.11",
        input_file="in.csv",
        key=("id",),
        required_columns=("id", "age", "site"),
        numeric_columns=("age",),
        category_columns=("site",),
    )


@pytest.fixture
def table() -> OutputTable:
    column = Column(name="price", absolute=0.005, final=True, weight=1.0)
    return OutputTable(file="o.csv", key=("id",), columns=(column,))


@pytest.fixture
def challenge(contract: Contract, table: OutputTable, tmp_path: Path) -> Challenge:
    cases = tuple(
        Case(name=name, inputs=tmp_path / name / "inputs", expected=tmp_path / name / "expected")
        for name in ("hidden/main", "hidden/traps", "public/main", "public/more")
    )
    groups = (
        Group(name="parity", kind=GroupKind.PARITY, points=700, cases="hidden/*"),
        Group(name="robustness", kind=GroupKind.ROBUSTNESS, points=100),
        Group(name="api", kind=GroupKind.API, points=100),
        Group(name="repeat", kind=GroupKind.REPRODUCIBILITY, points=100),
    )
    return Challenge(
        slug="small",
        title="Small",
        summary="Small.",
        version="1",
        owner="us",
        language="r",
        level=Level.INTRODUCTORY,
        tags=(),
        kits=(),
        root=tmp_path,
        digest="0" * 64,
        contract=contract,
        outputs=(table,),
        groups=groups,
        standards=(),
        limits=Limits(),
        passing_points=500,
        cases=cases,
    )
