"""How good a port's predictions are against what really happened, next to the legacy model's.

A port need not be better. It must not be worse by more than the challenge's margin, relative to the
legacy model's own metric: within the margin it earns everything, at ten times the margin nothing,
and in between in proportion. The labels never enter a sandbox. Of a hidden case, teams are told how
much worse than the margin they are, and within it nothing: figures of many tries would let somebody
fit the labels (Blum and Hardt 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from grader.accuracy.cases import Judged
from grader.accuracy.words import percent, size
from grader.compare import read_output, read_recorded
from grader.errors import ChallengeError, OutputError
from grader.model import (
    Case,
    CaseResult,
    Cause,
    OutputTable,
    Quality,
    QualityLoss,
    Verdict,
)

Numbers = npt.NDArray[np.float64]

LABELS_FILE = "labels.csv"
NOTHING_AT = 10
"""Multiple of the margin at which nothing is earned any more."""
_RESAMPLES = 400
_SEED = 20_240_229
_SHOWN = 5e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure of merit of predictions against labels."""

    name: str
    lower_is_better: bool
    bounds: tuple[float, float]
    source: str
    measure: Callable[[Numbers, Numbers], float]
    """From labels and predictions."""
    row_loss: Callable[[Numbers, Numbers], Numbers] | None = None
    """Loss of each row, where the metric is a mean of these or its root: it can be resampled."""
    defined: Callable[[Numbers], bool] = lambda predicted: bool(np.isfinite(predicted).all())
    """Whether the metric is defined for such predictions at all."""


def judge_quality(
    case: Case,
    group: str,
    table: OutputTable,
    content: bytes,
    quality: Quality,
    *,
    limit_bytes: int,
) -> Judged:
    """Judge a submission's predictions for one case.

    :param content: the table that it wrote
    :raises ChallengeError: the metric is unknown, or the case's labels cannot be used
    """
    metric = find_metric(quality.metric)
    recorded = read_recorded(case.expected / table.file, table)
    labels = _labels(case, table, quality, recorded)
    legacy = recorded[quality.prediction].to_numpy(dtype=np.float64)
    try:
        answers = read_output(
            content, table, recorded, limit_bytes=limit_bytes, reveal=not case.hidden
        )
    except OutputError as error:
        return Judged(result=_result(case, group, quality, 0.0, str(error), Cause.BAD_SCHEMA))
    ported = answers[quality.prediction].to_numpy(dtype=np.float64)
    if not metric.defined(ported):
        message = f"{metric.name} is not defined for the {quality.prediction} of this port."
        return Judged(result=_result(case, group, quality, 0.0, message, Cause.WRONG_VALUE))
    worse = relative_loss(metric, labels, ported, legacy)
    share = non_inferiority(worse, quality.margin)
    if case.hidden:
        message = _hidden_message(metric, worse, quality.margin)
    else:
        message = _message(metric, labels, ported, legacy, worse, quality.margin)
    return Judged(
        result=_result(case, group, quality, share, message, Cause.WRONG_VALUE),
        loss=_loss(case, group, worse, standard_error(metric, labels, ported, legacy)),
    )


def find_metric(name: str) -> Metric:
    """Return the metric of that name.

    :raises ChallengeError: there is none; the message lists what there is
    """
    if name not in METRICS:
        raise ChallengeError(
            "unknown-metric",
            f"There is no metric {name!r}.",
            remedy=f"The metrics are: {', '.join(sorted(METRICS))}.",
        )
    return METRICS[name]


def relative_loss(metric: Metric, labels: Numbers, ported: Numbers, legacy: Numbers) -> float:
    """Return by how much the port is worse, relative to the legacy model; negative if better."""
    own, reference = metric.measure(labels, ported), metric.measure(labels, legacy)
    loss = own - reference if metric.lower_is_better else reference - own
    if loss == 0:
        return 0.0
    return loss / abs(reference) if reference else float(np.copysign(np.inf, loss))


def non_inferiority(worse: float, margin: float) -> float:
    """Return the credit for a relative loss: 1 up to the margin, 0 from ten times the margin."""
    if worse <= margin:
        return 1.0
    if not np.isfinite(worse) or worse >= NOTHING_AT * margin:
        return 0.0
    return float((NOTHING_AT * margin - worse) / ((NOTHING_AT - 1) * margin))


def interval(
    metric: Metric, labels: Numbers, ported: Numbers, legacy: Numbers
) -> tuple[float, float] | None:
    """Return a 95 % percentile interval of the relative loss, from a paired bootstrap of the rows.

    Seeded, so that the same answers give the same interval (Efron and Tibshirani 1993, ch. 13).
    None where the legacy model's metric is 0 in a resample.
    """
    losses = _resampled(metric, labels, ported, legacy)
    if losses is None:
        return None
    low, high = np.quantile(losses, [0.025, 0.975])
    return float(low), float(high)


def standard_error(
    metric: Metric, labels: Numbers, ported: Numbers, legacy: Numbers
) -> float | None:
    """Return the standard error of the relative loss, from the same resamples.

    Paired, so that it is 0 where the port answers as the legacy model does. None as above.
    """
    losses = _resampled(metric, labels, ported, legacy)
    return None if losses is None else float(losses.std(ddof=1))


def _resampled(metric: Metric, labels: Numbers, ported: Numbers, legacy: Numbers) -> Numbers | None:
    """Return the relative loss in each resample of the rows."""
    rows = np.random.default_rng(_SEED).integers(0, len(labels), (_RESAMPLES, len(labels)))
    if metric.row_loss is None:
        own = np.array([metric.measure(labels[picked], ported[picked]) for picked in rows])
        reference = np.array([metric.measure(labels[picked], legacy[picked]) for picked in rows])
    else:
        losses = np.stack([metric.row_loss(labels, ported), metric.row_loss(labels, legacy)])
        own, reference = losses[:, rows].mean(axis=2)
        if metric.name == "rmse":
            own, reference = np.sqrt(own), np.sqrt(reference)
    if not reference.all():
        return None
    worse = own - reference if metric.lower_is_better else reference - own
    return np.asarray(worse / np.abs(reference), dtype=np.float64)


# ------------------------------------------------------------------------------ the metrics


def _mean(loss: Callable[[Numbers, Numbers], Numbers]) -> Callable[[Numbers, Numbers], float]:
    return lambda labels, predicted: float(loss(labels, predicted).mean())


def _squared(labels: Numbers, predicted: Numbers) -> Numbers:
    return np.square(labels - predicted)


def _absolute(labels: Numbers, predicted: Numbers) -> Numbers:
    return np.abs(labels - predicted)


def _poisson(labels: Numbers, predicted: Numbers) -> Numbers:
    """Twice the log-likelihood ratio; a label of 0 contributes twice the prediction."""
    counted = labels > 0
    ratio = np.divide(labels, predicted, out=np.ones_like(labels), where=counted)
    return 2 * (labels * np.log(ratio) - labels + predicted)


def _gamma(labels: Numbers, predicted: Numbers) -> Numbers:
    ratio = labels / predicted
    return 2 * (ratio - np.log(ratio) - 1)


def _log_loss(labels: Numbers, predicted: Numbers) -> Numbers:
    chance = np.clip(predicted, 1e-15, 1 - 1e-15)
    return -np.where(labels > 0, np.log(chance), np.log1p(-chance))


def _roc_auc(labels: Numbers, predicted: Numbers) -> float:
    """Chance that an event is ranked above a non-event; ties count half (Mann and Whitney)."""
    _, place, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    events = labels > 0
    positive, negative = int(events.sum()), int((~events).sum())
    if not positive or not negative:
        return 0.5
    above = float(ranks[events].sum()) - positive * (positive + 1) / 2
    return above / (positive * negative)


def _gini(labels: Numbers, predicted: Numbers) -> float:
    """Concentration of the labels when ordered by prediction, relative to the best order."""
    best = _concentration(labels, labels)
    return _concentration(labels, predicted) / best if best else 0.0


def _concentration(labels: Numbers, order: Numbers) -> float:
    """Twice the area between the Lorenz curve and the diagonal; tied rows share their labels."""
    _, place = np.unique(order, return_inverse=True)
    counts = np.bincount(place)
    sums = np.bincount(place, weights=labels)
    if not sums.sum():
        return 0.0
    population = np.concatenate([[0.0], np.cumsum(counts) / len(labels)])
    lorenz = np.concatenate([[0.0], np.cumsum(sums) / sums.sum()])
    return 1 - float((np.diff(population) * (lorenz[1:] + lorenz[:-1])).sum())


def _positive(predicted: Numbers) -> bool:
    return bool(np.isfinite(predicted).all() and (predicted > 0).all())


def _chance(predicted: Numbers) -> bool:
    return bool(((predicted >= 0) & (predicted <= 1)).all())


_ANY = (0.0, float("inf"))

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            name="poisson_deviance",
            lower_is_better=True,
            bounds=_ANY,
            source="McCullagh and Nelder 1989, Generalized Linear Models, 2.3",
            measure=_mean(_poisson),
            row_loss=_poisson,
            defined=_positive,
        ),
        Metric(
            name="gamma_deviance",
            lower_is_better=True,
            bounds=_ANY,
            source="McCullagh and Nelder 1989, Generalized Linear Models, 8.3",
            measure=_mean(_gamma),
            row_loss=_gamma,
            defined=_positive,
        ),
        Metric(
            name="rmse",
            lower_is_better=True,
            bounds=_ANY,
            source="Hyndman and Koehler 2006, International Journal of Forecasting 22(4)",
            measure=lambda labels, predicted: float(np.sqrt(_squared(labels, predicted).mean())),
            row_loss=_squared,
        ),
        Metric(
            name="mae",
            lower_is_better=True,
            bounds=_ANY,
            source="Hyndman and Koehler 2006, International Journal of Forecasting 22(4)",
            measure=_mean(_absolute),
            row_loss=_absolute,
        ),
        Metric(
            name="log_loss",
            lower_is_better=True,
            bounds=_ANY,
            source="Good 1952, Journal of the Royal Statistical Society B 14(1)",
            measure=_mean(_log_loss),
            row_loss=_log_loss,
            defined=_chance,
        ),
        Metric(
            name="brier",
            lower_is_better=True,
            bounds=(0.0, 1.0),
            source="Brier 1950, Monthly Weather Review 78(1)",
            measure=_mean(_squared),
            row_loss=_squared,
            defined=_chance,
        ),
        Metric(
            name="roc_auc",
            lower_is_better=False,
            bounds=(0.0, 1.0),
            source="Hanley and McNeil 1982, Radiology 143(1)",
            measure=_roc_auc,
        ),
        Metric(
            name="gini",
            lower_is_better=False,
            bounds=(-1.0, 1.0),
            source="Frees, Meyers and Cummings 2011, JASA 106(495)",
            measure=_gini,
        ),
    )
}
"""Every metric by name. All are computed in float64 over the rows in the order of their keys."""


# ------------------------------------------------------------------------------ reading, telling


def _labels(case: Case, table: OutputTable, quality: Quality, recorded: pd.DataFrame) -> Numbers:
    path = case.expected / LABELS_FILE
    key = list(table.key)
    try:
        labels = pd.read_csv(path, dtype=dict.fromkeys(key, "str"))
        found = recorded[key].merge(labels, on=key, how="left", validate="one_to_one")
        values = found[quality.label].to_numpy(dtype=np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise _labels_error(case, f"{type(error).__name__}: {error}") from error
    if not np.isfinite(values).all():
        raise _labels_error(case, f"{quality.label} is missing for some rows")
    return values


def _labels_error(case: Case, why: str) -> ChallengeError:
    return ChallengeError(
        "case-labels",
        f"The labels of case {case.name} cannot be used: {why}.",
        remedy=f"Put the key and the label of every row into expected/{LABELS_FILE}.",
    )


def _message(
    metric: Metric,
    labels: Numbers,
    ported: Numbers,
    legacy: Numbers,
    worse: float,
    margin: float,
) -> str:
    own, reference = metric.measure(labels, ported), metric.measure(labels, legacy)
    place = "worse" if worse > 0 else "better"
    by = f"{size(abs(worse) * 100)} % {place}" if worse else "equal"
    # Below what would be shown of it, an interval says nothing.
    around = interval(metric, labels, ported, legacy) if abs(worse) > _SHOWN else None
    resampled = (
        f", 95 % interval of the loss {around[0] * 100:.2f} to {around[1] * 100:.2f} %"
        if around is not None
        else ""
    )
    return (
        f"{metric.name} {own:.4g}, legacy {reference:.4g}: {by}{resampled}; up to "
        f"{percent(margin)} worse earns everything."
    )


def _hidden_message(metric: Metric, worse: float, margin: float) -> str:
    if worse <= margin:
        return (
            f"{metric.name}: at most {percent(margin)} worse than the legacy model, which earns "
            "everything."
        )
    return (
        f"{metric.name}: {size(worse * 100)} % worse than the legacy model; up to "
        f"{percent(margin)} worse earns everything."
    )


def _loss(case: Case, group: str, worse: float, error: float | None) -> QualityLoss | None:
    if error is None or not np.isfinite([worse, error]).all():
        return None
    return QualityLoss(group=group, case=case.name, loss=worse, error=error)


def _result(
    case: Case, group: str, quality: Quality, share: float, message: str, cause: Cause
) -> CaseResult:
    passed = share == 1
    return CaseResult(
        case=case.name,
        group=group,
        verdict=Verdict.PASS if passed else Verdict.FAIL,
        share=share,
        message=message,
        cause=None if passed else cause,
        column=quality.prediction,
    )
