"""Deviations that a submission asks to be granted, as its ``pyproject.toml`` states them.

::

    [tool.drydock.waivers]
    MODU004 = "The rating table is generated; splitting it would hide its structure."
    STYL004 = { path = "src/tariff/rules.py", reason = "One branch per clause of the tariff." }
    DOCS003 = [
        { path = "src/tariff/tables.py", reason = "…" },
        { path = "src/tariff/codes.py", reason = "…" },
    ]

Asking changes nothing by itself: the check fails as before, and says that a waiver is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from grader.model import WaiverRequest

LEAST_REASON_WORDS = 4
"""A reason of fewer words justifies nothing."""


def read_waivers(asked: Mapping[str, Any]) -> tuple[WaiverRequest, ...]:
    """Read the table of waivers; what is no request has an empty reason."""
    return tuple(
        _request(code, entry)
        for code, stated in sorted(asked.items())
        for entry in (stated if isinstance(stated, list) else [stated])
    )


def _request(code: str, entry: object) -> WaiverRequest:
    fields = entry if isinstance(entry, Mapping) else {"reason": entry}
    reason, path = fields.get("reason"), fields.get("path")
    return WaiverRequest(
        code=code,
        reason=reason.strip() if isinstance(reason, str) else "",
        path=path.removeprefix("./").rstrip("/") if isinstance(path, str) else "",
    )


def justified(request: WaiverRequest) -> bool:
    """Whether a request says why, in more than a word or two."""
    return len(request.reason.split()) >= LEAST_REASON_WORDS


def asked_for(code: str, requests: Sequence[WaiverRequest]) -> str | None:
    """Say what is asked for a check, in one line; None where nothing is."""
    own = [request for request in requests if request.code == code and justified(request)]
    told = [f"{r.reason} ({r.path})" if r.path else r.reason for r in own]
    return "; ".join(told) or None


def unusable(
    requests: Sequence[WaiverRequest], *, codes: Collection[str], gates: Collection[str]
) -> Iterator[str]:
    """Say of each request that nobody can grant why not.

    :param codes: all checks there are
    :param gates: those that can't be waived
    """
    for request in requests:
        if request.code not in codes:
            yield f"A waiver is asked for {request.code!r}, which is no check."
        elif request.code in gates:
            yield f"A waiver is asked for {request.code}, a gate: gates can't be waived."
        elif not justified(request):
            yield f"A waiver is asked for {request.code} without a reason that anyone could weigh."
