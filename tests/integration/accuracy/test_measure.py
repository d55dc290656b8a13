from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.accuracy import Accuracy, not_run
from grader.model import (
    CaseResult,
    Cause,
    Challenge,
    ReportRun,
    Scope,
    TrainingRun,
    Verdict,
)

Grade = Callable[..., Accuracy]
MAIN = "__main__.py"
HIDDEN_KEY = "K3"
"""How the keys of the hidden case begin."""
START = "import sys\n"


def by_name(measured: Accuracy, group: str | None = None) -> dict[str, CaseResult]:
    return {c.case: c for c in measured.cases if group is None or c.group == group}


def before_scoring(lines: str) -> dict[str, tuple[str, str]]:
    """Let the port do something of its own when it is asked to score."""
    body = "\n".join(f"    {line}" for line in lines.splitlines())
    return {MAIN: (START, f"{START}\nif sys.argv[1] == 'score':\n{body}\n")}


def told(measured: Accuracy) -> str:
    hidden = [c for c in measured.cases if not c.case.startswith("public/")]
    return " ".join(f"{c.message} {c.worst_row_kind}" for c in hidden)


@pytest.fixture(scope="module")
def right(grade: Grade) -> Accuracy:
    return grade(report=True)


def test_right_port_earns_everything(right: Accuracy) -> None:
    assert {c.case: c.message for c in right.cases if c.verdict is not Verdict.PASS} == {}


def test_public_cases_are_shown(right: Accuracy) -> None:
    assert by_name(right, "")["public/usual"].verdict is Verdict.PASS


def test_only_public_columns_are_drawn(right: Accuracy) -> None:
    assert {c.case for c in right.columns if c.points} == {"public/usual"}


def test_latency_is_a_ratio(right: Accuracy) -> None:
    assert 0.1 < right.timings["api latency ratio"] < 25


def test_second_measuring_is_identical(grade: Grade, right: Accuracy) -> None:
    again = grade()
    assert again.columns == right.columns
    assert [replace(c, seconds=0, memory_mb=0) for c in again.cases] == [
        replace(c, seconds=0, memory_mb=0) for c in right.cases
    ]


def test_public_scope_sees_nothing_hidden(grade: Grade) -> None:
    measured = grade(scope=Scope.PUBLIC)
    named = [c.case for c in measured.cases] + [c.case for c in measured.columns]
    assert not any("hidden" in name for name in named)
    assert by_name(measured, "parity")["public/usual"].share == 1


def test_subtle_bug_is_placed(grade: Grade) -> None:
    found = by_name(grade({"model.py": ("fillna(40.0)", "fillna(41.0)")}), "parity")
    case = found["hidden/usual"]
    assert (case.cause, case.worst_row_kind) == (Cause.WRONG_VALUE, "age missing")
    assert case.share < 0.9


def test_lost_cents_cost_ten_points(grade: Grade) -> None:
    measured = grade({"model.py": ("round(2)", "round(1)")})
    assert by_name(measured, "parity")["hidden/usual"].share < 0.9


def test_failed_training_fails_everything(grade: Grade, challenge: Challenge) -> None:
    measured = grade({"model.py": ('f"{folder}/train.csv"', '"/nowhere.csv"')})
    assert {c.cause for c in measured.cases} == {Cause.CRASH}
    assert len(measured.cases) == len(not_run(challenge, Scope.FULL, "x").cases)


def test_crash_says_no_hidden_value(grade: Grade) -> None:
    raising = "raise type('K3', (Exception,), {})(open(sys.argv[5]).read())"
    measured = grade(before_scoring(raising))
    assert by_name(measured, "parity")["hidden/usual"].cause is Cause.CRASH
    assert HIDDEN_KEY not in told(measured)


def test_no_output_is_named(grade: Grade) -> None:
    case = by_name(grade(before_scoring("sys.exit(0)")), "parity")["hidden/usual"]
    assert case.cause is Cause.MISSING_OUTPUT
    assert case.message == "score left no usable answers.csv: missing."


def test_link_is_no_output(grade: Grade) -> None:
    link = "import os; os.symlink(sys.argv[5], sys.argv[7]); sys.exit(0)"
    case = by_name(grade(before_scoring(link)), "parity")["hidden/usual"]
    assert (case.cause, case.share) == (Cause.BAD_SCHEMA, 0)


def test_hidden_values_stay_in_columns(grade: Grade) -> None:
    renamed = ('"visits": visits', 'f"x{table.iloc[0, 0]}": visits')
    case = by_name(grade({"model.py": renamed}), "parity")["hidden/usual"]
    assert case.cause is Cause.BAD_SCHEMA
    assert HIDDEN_KEY not in case.message


def test_endless_scoring_times_out(grade: Grade) -> None:
    case = by_name(grade(before_scoring("while True: pass")), "parity")["hidden/usual"]
    assert case.cause is Cause.TIMEOUT


def test_chance_in_training_is_seen(grade: Grade) -> None:
    mean = '["visits"].mean()'
    drawn = {"model.py": (mean, f"{mean}.mul(1 + __import__('time').time() % 1)")}
    case = by_name(grade(drawn))["reproducibility/train-twice"]
    assert (case.cause, case.share) == (Cause.NONDETERMINISTIC, 0)


def test_training_twice_gives_same_file(right: Accuracy) -> None:
    assert right.training == TrainingRun(same=True)


def test_clock_in_artefact_is_seen(grade: Grade) -> None:
    measured = grade(
        {"model.py": ('"data": digest}', '"data": digest, "at": __import__("time").time()}')}
    )
    assert measured.training == TrainingRun(same=False)
    assert by_name(measured)["reproducibility/train-twice"].share == 1


def test_true_report_is_believed(right: Accuracy) -> None:
    assert right.report == ReportRun()


def test_kind_report_is_not_believed(grade: Grade) -> None:
    kinder = {"model.py": ("fillna(40.0)", "fillna(41.0 if sys.argv[1] == 'score' else 40.0)")}
    report = grade(kinder, report=True).report
    assert report is not None
    assert report.problem == ""
    assert any(said.startswith("visits: within_tolerance is 0.") for said in report.untrue)


def test_report_of_other_data_is_seen(grade: Grade) -> None:
    report = grade({"model.py": ('"data": digest}', '"data": "0" * 64}')}, report=True).report
    assert report == ReportRun(untraced=("train.csv",))


def test_report_without_pictures_is_seen(grade: Grade) -> None:
    report = grade(
        {"model.py": ("figure.savefig(", "Path(f'{name}.png').open; str(")}, report=True
    ).report
    assert report == ReportRun(
        undrawn=("parity-visits.png (missing)", "parity-price.png (missing)")
    )


def test_port_without_report_is_told(grade: Grade) -> None:
    report = grade(
        {"model.py": ("            report(options)", "            return 3")}, report=True
    ).report
    assert report is not None
    assert report.problem.startswith("report ended with exit code 3")


def test_tracebacks_are_no_refusal(grade: Grade) -> None:
    found = by_name(grade({"model.py": ("except BadInputError", "except ZeroDivisionError")}))
    refused = ("missing-column", "text-in-number", "empty-file", "unseen-level")
    assert all(found[f"robustness/{name}"].share == 0 for name in refused)
    assert found["robustness/one-row"].share == 1


def test_learning_from_batch_is_seen(grade: Grade) -> None:
    centred = ("np.exp(0.01 * age)", "np.exp(0.01 * (age - age.mean() + 40))")
    found = by_name(grade({"model.py": centred}))
    assert found["robustness/one-row"].cause is Cause.WRONG_VALUE
    assert found["api/single"].share == 0


def test_other_service_answers_fail(grade: Grade) -> None:
    found = by_name(grade({"api.py": ("answers.to", "answers.iloc[::-1].to")}))
    assert found["api/single"].share == 1
    assert found["api/batch"].share == 0


def test_service_of_refusals_earns_nothing(grade: Grade) -> None:
    refusing = ("    try:\n", "    raise HTTPException(status_code=422)\n    try:\n")
    found = by_name(grade({"api.py": refusing}), "api")
    assert [name for name, c in found.items() if c.share] == ["api/health"]


def test_server_errors_are_no_refusal(grade: Grade) -> None:
    found = by_name(grade({"api.py": ("except BadInputError", "except ZeroDivisionError")}))
    assert found["api/bad-rows"].share < 1
    assert found["api/not-rows"].share == 1
    assert found["api/still-healthy"].share == 1


def test_service_that_crashes_is_named(grade: Grade) -> None:
    found = by_name(grade({"api.py": ("app = FastAPI()", "raise OSError('no port')")}), "api")
    assert {c.cause for c in found.values()} == {Cause.CRASH}
    assert "OSError" in found["api/health"].message
