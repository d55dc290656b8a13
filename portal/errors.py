"""What the portal refuses; branches of the one tree of errors."""

from __future__ import annotations

from grader.errors import DrydockError, UserError


class PortalError(UserError):
    """Something that was asked of the portal and can't be."""


class Forbidden(PortalError):  # noqa: N818 - named for what it is; the tree says that it is an error
    """Something that this person may not do, or a thing that does not exist for them."""


def said(error: Exception) -> str:
    """Return what whoever waits for a grading reads of why there is none."""
    if isinstance(error, DrydockError):
        return f"{error.message} {error.remedy}".strip()
    return f"Our own failure: {type(error).__name__}. An administrator finds more in the log."
