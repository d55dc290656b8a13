"""The errors that Drydock raises on purpose.

::

    DrydockError
    ├── UserError                 bad input or usage: exit status 2
    │   ├── SourceError           a source that cannot become a tree
    │   ├── ChallengeError        a challenge package that cannot be loaded
    │   ├── OutputError           an output table that cannot be read
    │   └── UsageError            a command line that asks for what is not there
    └── InternalError             our own failure: exit status 3
        ├── SandboxError          a sandbox that cannot be set up or does not hold
        └── EnvironmentBuildError the pinned environment cannot be built

Each carries a *slug*, which is a heading in ``docs/errors.md``, and says in one sentence what is
wrong, where, and what to do next.
"""

from __future__ import annotations


class DrydockError(Exception):
    """Anything that Drydock raises on purpose.

    :param slug: heading of ``docs/errors.md`` that explains it
    :param message: one sentence: what is wrong, and where
    :param remedy: what to do next
    """

    exit_status = 3

    def __init__(self, slug: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.slug = slug
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Say what is wrong, what to do, and where to read more."""
        return " ".join(part for part in (self.message, self.remedy, f"[{self.slug}]") if part)


class UserError(DrydockError):
    """Bad input or usage: the user can mend it."""

    exit_status = 2


class SourceError(UserError):
    """A source that cannot become a tree."""


class ChallengeError(UserError):
    """A challenge package that cannot be loaded."""


class OutputError(UserError):
    """An output table of a submission that cannot be read."""


class UsageError(UserError):
    """A command line that asks for what is not there."""


class InternalError(DrydockError):
    """Our own failure: no team loses points by it."""


class SandboxError(InternalError):
    """A sandbox that cannot be set up, or does not hold."""


class EnvironmentBuildError(InternalError):
    """The pinned environment cannot be built."""
