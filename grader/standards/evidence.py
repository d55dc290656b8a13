"""What is known of a submission once its tree and history have been looked at."""

from __future__ import annotations

from dataclasses import dataclass

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


def gather(
    checkout: Checkout,
    contract: Contract,
    *,
    public_files: frozenset[str],
    environment_packages: frozenset[str],
) -> Evidence:
    """Read a submission's tree and run the tools on it. This is the slow part."""
    project = read_project(checkout, contract, public_files=public_files)
    return Evidence(
        project=project,
        history=checkout.history,
        linters=run_linters(project, checkout.tree.root),
        environment_packages=environment_packages,
    )
