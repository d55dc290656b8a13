"""A submission's package as its contract describes it: train, score, serve, each in the sandbox.

::

    /site     the unpacked wheel                         /data     what to fit on
    /model    the artefact that training left behind     /input    one table to score
    /work     where a job starts and may write           /expected recorded answers of a public case

All but ``/work`` is read-only, and each job sees only what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.commands import Failure, why_failed
from grader.model import Binding, Cause, Challenge, Contract, Limits
from grader.sandbox import Collected, Job, LiveJob, Result, Sandbox

MODEL_FILE = "model.bin"
METRICS_FILE = "metrics.json"
MODEL_MB = 64
"""Largest artefact that training may leave behind."""
LIVE = 4
"""How many times the wall time of one command a service may live."""
PORT = 8000
"""Where a served port listens. Inside a sandbox no other job can see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one command came to: the file it was to write, or why there is none."""

    result: Result
    content: bytes = b""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What the report command left behind, by name, or why it failed."""

    files: Mapping[str, Collected]
    failure: Failure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A submission's package, ready to run."""

    contract: Contract
    limits: Limits
    output_file: str
    site: Path
    """Folder of the unpacked wheel, one of the sandbox's own."""
    sandbox: Sandbox

    def train(self, data: Path) -> Outcome:
        """Fit on the training data; the content is the artefact."""
        limits = replace(
            self.limits,
            output_mb=max(MODEL_MB, self.limits.output_mb),
            disk_mb=max(MODEL_MB, self.limits.disk_mb),
        )
        arguments = ("train", "--data", "/data", "--model", MODEL_FILE)
        job = self._job(arguments, limits, Binding(host=data, inside=Path("/data")))
        return self._run(replace(job, collect=(MODEL_FILE,)), reveal=True)

    def score(self, model: Path, inputs: Path, *, reveal: bool) -> Outcome:
        """Answer one input table; the content is the output table.

        :param model: folder that holds the artefact
        :param inputs: folder that holds the input table
        :param reveal: whether a failure's message may repeat what the command printed
        """
        job = self._job(
            (
                "score",
                *("--model", f"/model/{MODEL_FILE}"),
                *("--input", f"/input/{self.contract.input_file}"),
                *("--output", self.output_file),
            ),
            self.limits,
            Binding(host=model, inside=Path("/model")),
            Binding(host=inputs, inside=Path("/input")),
        )
        return self._run(replace(job, collect=(self.output_file,)), reveal=reveal)

    def report(
        self, model: Path, inputs: Path, expected: Path, pictures: Sequence[str]
    ) -> Reported:
        """Report how the port's answers compare with recorded ones.

        :param expected: folder that holds the recorded table
        :param pictures: names of the files that are to lie beside the figures
        """
        job = self._job(
            (
                "report",
                *("--model", f"/model/{MODEL_FILE}"),
                *("--input", f"/input/{self.contract.input_file}"),
                *("--expected", f"/expected/{self.output_file}"),
                *("--output", METRICS_FILE),
            ),
            self.limits,
            Binding(host=model, inside=Path("/model")),
            Binding(host=inputs, inside=Path("/input")),
            Binding(host=expected, inside=Path("/expected")),
        )
        job = replace(job, collect=(METRICS_FILE, *pictures))
        result = self.sandbox.run(job)
        failure = why_failed("report", result, job.limits, reveal=True)
        return Reported(files={file.name: file for file in result.files}, failure=failure)

    def serve(self, model: Path) -> LiveJob:
        """Start the live service on ``PORT``."""
        job = self._job((), live_limits(self.limits), Binding(host=model, inside=Path("/model")))
        application = f"{self.contract.package}.api:app"
        return self.sandbox.open(
            replace(
                job,
                module="uvicorn",
                arguments=server_arguments(application, PORT),
                environment={"MODEL_FILE": f"/model/{MODEL_FILE}"},
            )
        )

    def _job(self, arguments: tuple[str, ...], limits: Limits, *mounts: Binding) -> Job:
        return Job(
            module=self.contract.package,
            arguments=arguments,
            mounts=(Binding(host=self.site, inside=Path("/site")), *mounts),
            python_path=("/site",),
            limits=limits,
        )

    def _run(self, job: Job, *, reveal: bool) -> Outcome:
        result = self.sandbox.run(job)
        failure = why_failed(job.arguments[0], result, job.limits, reveal=reveal)
        if failure is not None:
            return Outcome(result=result, failure=failure)
        (file,) = result.files
        if file.content is None:
            message = f"{job.arguments[0]} left no usable {file.name}: {file.problem}."
            failure = Failure(cause=_cause(file), message=message)
        return Outcome(result=result, content=file.content or b"", failure=failure)


def _cause(file: Collected) -> Cause:
    """Tell a file that is not there from one that is too large, and from what is no file."""
    problem = file.problem or ""
    if problem.startswith("larger"):
        return Cause.OUTPUT_LIMIT
    return Cause.MISSING_OUTPUT if problem == "missing" else Cause.BAD_SCHEMA


def open_port(challenge: Challenge, output_file: str, site: Path, sandbox: Sandbox) -> Port:
    """Make a port of the unpacked wheel in ``site``."""
    return Port(
        contract=challenge.contract,
        limits=challenge.limits,
        output_file=output_file,
        site=site,
        sandbox=sandbox,
    )


def live_limits(limits: Limits) -> Limits:
    """Return the limits of a service, from those of one command: it lives while it is asked.

    How long that is depends on who asks, and so on the machine; each answer has its own patience.
    """
    return replace(limits, wall_seconds=limits.wall_seconds * LIVE)


def server_arguments(application: str, port: int) -> tuple[str, ...]:
    """Return how uvicorn is told to serve an application where ``LiveJob.connect`` finds it."""
    address = ("--host", "127.0.0.1", "--port", str(port))
    return (application, *address, "--log-level", "warning", "--no-access-log")
