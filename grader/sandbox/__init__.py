"""Running what nobody vouches for: a job goes in, its output files and its cost come out.

``open_sandbox`` is the way in. Three levels: *warm* forks each job from a process that has the slow
imports behind it, *cold* gives each job a process of its own from the start, and *none* is for the
person who typed ``--unsafe-no-sandbox``. One conformance suite holds the first two to the same.
"""

from __future__ import annotations

from grader.model import Environment
from grader.sandbox.bare import BareSandbox
from grader.sandbox.isolated import IsolatedSandbox
from grader.sandbox.jobs import Collected, Job, LiveJob, Result, Sandbox
from grader.sandbox.probe import Probe, probe
from grader.sandbox.quarters import grant

__all__ = [
    "Collected",
    "Job",
    "LiveJob",
    "Probe",
    "Result",
    "Sandbox",
    "grant",
    "open_sandbox",
    "probe",
]


def open_sandbox(environment: Environment, *, unsafe: bool = False, warm: bool = True) -> Sandbox:
    """Return a sandbox for jobs in that environment.

    A level that this machine cannot hold is an error; no other level takes its place.

    :param unsafe: run jobs as plain processes of this user, with limits and no walls
    :param warm: whether jobs are forked from a parent that starts importing now
    :raises SandboxError: this machine does not allow what was asked for
    """
    if unsafe:
        return BareSandbox(environment)
    return IsolatedSandbox(environment, warm=warm)
