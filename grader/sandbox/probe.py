"""Does the sandbox hold on this machine? Every part is tried, and shown live outside first."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.model import Binding, Cause, Environment, Limits
from grader.sandbox import traps
from grader.sandbox.inside import landlock
from grader.sandbox.isolated import IsolatedSandbox
from grader.sandbox.jobs import Job, Result, Sandbox

_LIMITS = Limits(
    wall_seconds=30, cpu_seconds=20, memory_mb=300, disk_mb=16, output_mb=1, processes=40
)
_NAMESPACES = ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup")
_REMEDY = "Submissions must not run here: report this with the output of 'drydock doctor'."
_VARIABLE = "DRYDOCK_PROBE"

_EXHAUSTING: dict[str, tuple[Cause, str, dict[str, Any]]] = {
    "wall-limit": (Cause.TIMEOUT, "import time; time.sleep(10)", {"wall_seconds": 0.3}),
    "cpu-limit": (Cause.TIMEOUT, "while True: pass", {"cpu_seconds": 1, "wall_seconds": 10}),
    "memory-limit": (
        Cause.MEMORY,
        "held = []\nwhile len(held) < 1200: held.append(b'x' * (1 << 20))",
        {"memory_mb": 100, "wall_seconds": 10},
    ),
    "output-limit": (
        Cause.OUTPUT_LIMIT,
        "for _ in range(1000): print('x' * (1 << 16))",
        {"wall_seconds": 10},
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One part of the sandbox, tried."""

    name: str
    ok: bool
    detail: str
    """What was seen."""
    remedy: str = ""
    """What to do where it does not hold."""


def probe(environment: Environment, *, warm: bool = True) -> tuple[Probe, ...]:
    """Try every part of a sandbox with the flags that gradings use.

    :param warm: which of the two kinds
    """
    try:
        with IsolatedSandbox(environment, warm=warm) as sandbox:
            return probe_sandbox(sandbox, environment)
    except SandboxError as error:
        return (Probe(name="start", ok=False, detail=error.message, remedy=error.remedy),)


def probe_sandbox(sandbox: Sandbox, environment: Environment) -> tuple[Probe, ...]:
    """Try every part of an open sandbox."""
    found = [*_trapped(sandbox, environment)]
    found += [_exhausted(sandbox, name) for name in _EXHAUSTING]
    version = landlock.version()
    seen = f"version {version}" if version else "not in this kernel; namespaces hold without it"
    return (*found, Probe(name="landlock", ok=True, detail=seen))


# ------------------------------------------------------------------------------------- traps


def _trapped(sandbox: Sandbox, environment: Environment) -> Iterator[Probe]:
    with _bait(environment) as bait:
        control = _spring_outside(bait)
        result = _spring_inside(sandbox, bait)
    content = result.files[0].content if result.files else None
    if content is None:
        said = result.message or result.stderr.strip().rpartition("\n")[2] or "no answer"
        yield Probe(name="run", ok=False, detail=said, remedy=_REMEDY)
        return
    answers: dict[str, str] = json.loads(content)
    for name in traps.OUTSIDE:
        yield _must_be_stopped(name, control.get(name, "it was not tried"), answers[name])
    for name in traps.INSIDE:
        stopped = answers[name]
        yield Probe(
            name=name, ok=not stopped, detail=stopped or "holds", remedy=_REMEDY if stopped else ""
        )


def _must_be_stopped(name: str, outside: str, inside: str) -> Probe:
    if outside:
        # A trap that is dead outside proves nothing inside, and nothing against the sandbox.
        dead = f"cannot be tried on this machine ({outside}); inside: {inside or 'it succeeded'}"
        return Probe(name=name, ok=bool(inside), detail=dead)
    detail = f"stopped: {inside}" if inside else "it succeeded inside"
    return Probe(name=name, ok=bool(inside), detail=detail, remedy="" if inside else _REMEDY)


@contextmanager
def _bait(environment: Environment) -> Iterator[dict[str, Any]]:
    """Lay out what a job must not reach, where every user of this machine can reach it."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="drydock-bait-"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        (folder / "secret").write_text("secret", encoding="utf-8")
        abstract = f"drydock-{secrets.token_hex(8)}"
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=8))
        for address in (f"\0{abstract}", str(folder / "socket")):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen(8)
        (folder / "socket").chmod(0o777)
        yield {
            "secret": str(folder / "secret"),
            "socket": str(folder / "socket"),
            "abstract": abstract,
            "port": tcp.getsockname()[1],
            "variable": f"{_VARIABLE}={abstract}",
            "namespaces": {
                name: str(Path("/proc/self/ns", name).readlink()) for name in _NAMESPACES
            },
            "environment": str(environment.python.parent.parent),
            "processes": _LIMITS.processes,
            "disk_mb": _LIMITS.disk_mb,
        }


def _spring_outside(bait: dict[str, Any]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bait.json").write_text(json.dumps(bait | {"where": "outside"}))
        name_of_variable, _, value = bait["variable"].partition("=")
        subprocess.run(  # noqa: S603 - our own file
            [sys.executable, traps.__file__, folder / "bait.json", folder / "answers.json"],
            env={name_of_variable: value},
            check=True,
            timeout=_LIMITS.wall_seconds,
        )
        answers: dict[str, str] = json.loads((folder / "answers.json").read_text())
        return answers


def _spring_inside(sandbox: Sandbox, bait: dict[str, Any]) -> Result:
    folder = sandbox.new_folder("probe")
    shutil.copyfile(traps.__file__, folder / "traps.py")
    (folder / "bait.json").write_text(json.dumps(bait | {"where": "inside"}))
    return sandbox.run(
        Job(
            module="traps",
            arguments=("/probe/bait.json", "/work/answers.json"),
            mounts=(Binding(host=folder, inside=Path("/probe")),),
            python_path=("/probe",),
            limits=_LIMITS,
            collect=("answers.json",),
        )
    )


# ------------------------------------------------------------------------------------ limits


def _exhausted(sandbox: Sandbox, name: str) -> Probe:
    cause, program, limits = _EXHAUSTING[name]
    folder = sandbox.new_folder("probe")
    (folder / "exhaust.py").write_text(program, encoding="utf-8")
    result = sandbox.run(
        Job(
            module="exhaust",
            mounts=(Binding(host=folder, inside=Path("/probe")),),
            python_path=("/probe",),
            limits=replace(_LIMITS, **limits),
        )
    )
    held = result.cause is cause
    detail = result.message or f"it ran on, to exit status {result.exit_code}"
    return Probe(name=name, ok=held, detail=detail, remedy="" if held else _REMEDY)
