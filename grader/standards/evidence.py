"""What is known of a submission once its tree and history have been looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar

from grader.model import Checkout, Contract, History
from grader.standards.linters import Linters, run_linters
from grader.standards.project import Project, read_project


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the static rules look at."""

    project: Project
    history: History | None
    linters: Linters
    environment_packages: frozenset[str]
    """Distributions that the submissions' environment holds, names normalised."""

    def without(self, paths: Collection[str]) -> Evidence:
        """Give the evidence as it would be if some files or folders were not there."""
        project = self.project
        return replace(
            self,
            project=replace(
                project,
                files=tuple(name for name in project.files if not _within(name, paths)),
                sizes={k: size for k, size in project.sizes.items() if not _within(k, paths)},
                texts={k: text for k, text in project.texts.items() if not _within(k, paths)},
                source=_left(project.source, paths),
                tests=_left(project.tests, paths),
                workflows=_left(project.workflows, paths),
            ),
            linters=_fewer_lints(self.linters, paths),
        )


class _Placed(Protocol):
    @property
    def path(self) -> str: ...


_P = TypeVar("_P", bound=_Placed)


def _within(name: str, paths: Collection[str]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in paths)


def _left(items: Iterable[_P], paths: Collection[str]) -> tuple[_P, ...]:
    return tuple(item for item in items if not _within(item.path, paths))


def _fewer_lints(linters: Linters, paths: Collection[str]) -> Linters:
    found = {item.name: getattr(linters, item.name) for item in fields(linters)}
    kept: dict[str, Any] = {k: _left(v, paths) for k, v in found.items() if isinstance(v, tuple)}
    return replace(linters, **kept)


def gather(
    checkout: Checkout,
    contract: Contract,
    *,
    public_files: frozenset[str],
    environment_packages: frozenset[str],
    tools: Collection[str],
) -> Evidence:
    """Read a submission's tree and run the tools on it. This is the slow part."""
    project = read_project(checkout, contract, public_files=public_files)
    return Evidence(
        project=project,
        history=checkout.history,
        linters=run_linters(project, checkout.tree.root, tools),
        environment_packages=environment_packages,
    )
