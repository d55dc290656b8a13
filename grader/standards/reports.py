"""Reports: figures that a machine can read and a person can trace."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from grader.model import Check, ReportRun, Where
from grader.standards.evidence import Evidence
from grader.standards.python import Module, call_name
from grader.standards.rubric import Judgement, not_verifiable, rule, seen_rule, yes_or_no
from grader.standards.wording import listing

_METRIC = re.compile(
    r"(\w+_(score|error|loss|deviance|curve)|confusion_matrix|gini|rmse|mae|lift|deviance|auc|psi"
    r"|\w*metrics?\w*|within_\w+|\w+_differences?)$",
    re.IGNORECASE,
)
_UNASKED = "The challenge has no public case to report on."
_WRITES = frozenset({"dump", "dumps", "to_json", "model_dump_json", "log_metrics", "log_metric"})


@rule(
    Check(
        code="REPT001",
        family="reports",
        title="Metrics are written in machine-readable form",
        why="A figure in a log line is lost. One in a file can be compared with last month's, "
        "drawn, and used to stop a bad release.",
        fix="Compute the metrics in a module of the package and write them as JSON.",
        example='json.dump({"rows": len(rows), "mean_poisson_deviance": deviance}, file)',
        source="Google, The ML Test Score, Model 2 and Monitor; MLflow, Tracking",
        weight=3,
    ),
    needs_source=True,
)
def metrics_written(evidence: Evidence) -> Judgement:
    """Look for a module that computes metrics, and for one that writes them."""
    computing = [m for m in evidence.project.source if _computes(m)]
    writing = [m for m in _reporters(evidence) if _writes(m)]
    if computing and writing:
        return Judgement(share=1.0, message=f"{writing[0].path} writes the metrics.")
    if computing:
        message = "Metrics are computed, but not written as JSON."
        return Judgement(share=0.4, message=message, where=Where(path=computing[0].path))
    return Judgement(share=0.0, message="No module of the package computes a metric.")


def _computes(module: Module) -> bool:
    """Whether a module calls a metric, defines one, or passes one on by its name."""
    names = [function.node.name for function in module.functions]
    for call in module.calls:
        names += [call_name(call), *(item.arg or "" for item in call.keywords)]
    return any(_METRIC.match(name) for name in names)


def _reporters(evidence: Evidence) -> list[Module]:
    """Give the modules that speak of metrics or a report in code, not in prose alone."""
    return [m for m in evidence.project.source if _computes(m) or _names_report(m)]


def _names_report(module: Module) -> bool:
    names = [f.node.name for f in module.functions] + [call_name(call) for call in module.calls]
    return any(re.search(r"report|metrics|evaluat", name, re.IGNORECASE) for name in names)


def _writes(module: Module) -> bool:
    return any(call_name(call) in _WRITES for call in module.calls)


@rule(
    Check(
        code="REPT002",
        family="reports",
        title="The report sets the port beside the legacy model",
        why="Whoever decides on the switch asks one thing: how do the new figures differ from the "
        "old ones, and on how many rows was that seen?",
        fix="State in the report the number of rows, and the share of them within tolerance of "
        "the legacy program's answers.",
        example='{"rows": 3412, "parity": {"within_tolerance": 1.0, "largest_difference": 2e-9}}',
        source="Federal Reserve SR 11-7, Model Risk Management, V (outcomes analysis)",
        weight=1,
    ),
    needs_source=True,
)
def report_compares(evidence: Evidence) -> Judgement:
    """Look in the reporting modules for a comparison with the legacy model and a row count."""
    reporters = _reporters(evidence)
    words = " ".join(_words(module) for module in reporters)
    parts = {
        "a comparison with the legacy model": r"legacy|parity|baseline|within|tolerance|expected",
        "the number of rows": r"\brows?\b|\bn_rows|\bcount\b|\blen\b|\bn_obs|\bsize\b|_rows",
    }
    missing = [
        name for name, pattern in parts.items() if not re.search(pattern, words, re.IGNORECASE)
    ]
    if not reporters:
        return Judgement(share=0.0, message="No module writes a report.")
    message = f"The report lacks {listing(missing)}." if missing else "The report compares."
    where = Where(path=reporters[0].path) if missing else None
    return Judgement(share=1 - len(missing) / len(parts), message=message, where=where)


def _words(module: Module) -> str:
    """Give the names and strings of a module's code; docstrings and comments don't count."""
    found: list[str] = []
    strings = {id(n.value) for n in module.nodes if isinstance(n, ast.Expr)}
    for node in module.nodes:
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.arg):
            found.append(node.arg)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [] if id(node) in strings else [node.value]
    return " ".join(found)


@seen_rule(
    Check(
        code="REPT003",
        family="reports",
        title="The report command writes the agreed form",
        why="One form for all models is what lets a board, a monitor or a reviewer read any of "
        "them without asking its author.",
        fix="Let 'python -m PACKAGE report --model … --input … --expected … --output metrics.json' "
        "write JSON of the schema in docs/metrics.schema.json.",
        example='{"schema": "drydock.metrics/1",\n "columns": {"premium": {"rows": 3412, '
        '"within_tolerance": 1.0,\n   "median_difference": 0.0, "largest_difference": 2e-9}},\n'
        ' "lineage": {"package_version": "1.2.0", "data": {"train.csv": "9f86…"}}}',
        source="Google, The ML Test Score, Monitor 1; Mitchell et al. 2019, Model Cards, Metrics",
        weight=2,
        requires="report",
    ),
    lambda observed: observed.report,
)
def report_has_the_form(_: Evidence, run: ReportRun) -> Judgement:
    """See whether the command left a report of the agreed schema."""
    return _of_report(run, (), "The report is of the agreed schema.", "")


@seen_rule(
    Check(
        code="REPT004",
        family="reports",
        title="The report's figures are true",
        why="A report that is kinder than the model is worse than none: somebody decides by it.",
        fix="Compute the figures from the answers that 'score' gives, over every recorded row; a "
        "row without an answer is one that differs.",
        example="within = ((port - legacy).abs() <= absolute + relative * legacy.abs()).mean()",
        source="Federal Reserve SR 11-7, Model Risk Management, V (outcomes analysis)",
        weight=3,
        requires="report",
    ),
    lambda observed: observed.report,
)
def report_is_true(_: Evidence, run: ReportRun) -> Judgement:
    """Hold the report's figures against those that the grader computed of the same answers."""
    return _of_report(
        run, run.untrue, "Each figure is what was measured here.", "Not what was measured here: "
    )


@seen_rule(
    Check(
        code="REPT005",
        family="reports",
        title="The report has its pictures",
        why="A cloud of points shows at a glance what no figure does: a band that is off, a "
        "slope, one segment astray.",
        fix="Draw each numeric output against the legacy model's, row by row, into "
        "parity-COLUMN.png beside the report.",
        example='axes.scatter(legacy, port)\nfigure.savefig(folder / f"parity-{column}.png")',
        source="Anscombe 1973, Graphs in Statistical Analysis; Bland and Altman 1986",
        weight=1,
        requires="report",
    ),
    lambda observed: observed.report,
)
def report_has_pictures(_: Evidence, run: ReportRun) -> Judgement:
    """Look for a picture of each number, and at its size; what it shows is the reader's to see."""
    if not run.asked:
        return not_verifiable(_UNASKED)
    return yes_or_no(
        not run.undrawn,
        "Each number has its picture.",
        f"Without a picture: {listing(run.undrawn)}.",
    )


def _of_report(run: ReportRun, wrong: Sequence[str], good: str, bad: str) -> Judgement:
    if not run.asked:
        return not_verifiable(_UNASKED)
    if run.problem:
        return Judgement(share=0.0, message=f"There is no report to read: {run.problem}")
    return yes_or_no(not wrong, good, f"{bad}{listing(wrong)}.")
