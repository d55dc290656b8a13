"""What a grading looks at: all that a challenge asks for, or the part of it that somebody names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches

from grader import standards
from grader.errors import UsageError
from grader.model import Challenge, Group

_TESTED = frozenset({"tests", "mutants"})
_MEASURED = frozenset({"training", "report"})
_READ = frozenset({"tree", "history"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The checks and groups that one grading looks at."""

    names: tuple[str, ...]
    """As they were asked for; empty for all."""
    codes: frozenset[str]
    groups: tuple[Group, ...]
    needs: frozenset[str]
    """What the checks look at: ``requires`` of each."""

    @property
    def partial(self) -> bool:
        """Whether this is less than the challenge asks for, so that there is no total."""
        return bool(self.names)

    @property
    def tests(self) -> bool:
        """Whether the team's own tests are run."""
        return bool(self.needs & _TESTED)

    @property
    def measures(self) -> bool:
        """Whether the port is trained."""
        return bool(self.groups or self.needs & _MEASURED)

    @property
    def runs(self) -> bool:
        """Whether any of the submission's code is run."""
        return bool(self.groups or self.needs - _READ)

    def part_of(self, challenge: Challenge) -> Challenge:
        """Return the challenge with the groups that are looked at."""
        return replace(challenge, groups=self.groups)


def want(challenge: Challenge, names: Collection[str] = ()) -> Wanted:
    """Work out what to look at.

    :param names: codes of checks, families and groups; none for all
    :raises UsageError: one of them is none of these in this challenge (slug ``unknown-criterion``)
    """
    asked = {standard.family for standard in challenge.standards}
    checks = [check for check in standards.all_checks() if check.family in asked]
    known = {name for check in checks for name in (check.code, check.family)}
    known |= {group.name for group in challenge.groups}
    for name in sorted(set(names) - known):
        near = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
        raise UsageError(
            "unknown-criterion",
            f"{challenge.slug} looks at nothing called {name!r}.",
            remedy=f"Did you mean {near[0]}? Name a check, a family or a group of the challenge.",
        )
    if names:
        checks = [check for check in checks if {check.code, check.family} & set(names)]
    return Wanted(
        names=tuple(sorted(set(names))),
        codes=frozenset(check.code for check in checks),
        groups=tuple(g for g in challenge.groups if not names or g.name in names),
        needs=frozenset(check.requires for check in checks),
    )
