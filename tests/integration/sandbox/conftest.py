from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import shutil
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

import pytest

from grader import environment
from grader.model import Binding, Environment, Limits
from grader.sandbox import Job, Result, Sandbox
from grader.sandbox.isolated import IsolatedSandbox

LIMITS = Limits(
    wall_seconds=20, cpu_seconds=10, memory_mb=200, disk_mb=16, output_mb=2, processes=40
)
ORDINARY_USER = 65534

Run = Callable[..., Result]


class Manager(BaseManager):
    """Keeps a sandbox in a process that has given up being root."""


Manager.register("sandbox", IsolatedSandbox, exposed=("run", "new_folder", "close"))


def _drop_root() -> None:
    os.setgroups([])
    os.setgid(ORDINARY_USER)
    os.setuid(ORDINARY_USER)


KINDS = ["cold", "warm", *(["cold-as-user", "warm-as-user"] if os.getuid() == 0 else [])]


@pytest.fixture(scope="session")
def standard() -> Environment:
    return environment.load("standard")


@pytest.fixture(scope="session", params=KINDS)
def sandbox(request: pytest.FixtureRequest, standard: Environment) -> Iterator[Sandbox]:
    kind = request.param
    if not kind.endswith("-as-user"):
        with IsolatedSandbox(standard, warm=kind == "warm") as held:
            yield held
        return
    if Path(__file__).is_relative_to("/root"):
        pytest.skip("no other user can read a clone in root's home")
    manager = Manager(ctx=multiprocessing.get_context("fork"))
    with warnings.catch_warnings():
        # Newer Pythons warn of a fork beside threads; the child here only drops root and listens.
        warnings.simplefilter("ignore", DeprecationWarning)
        manager.start(_drop_root)
    with manager:
        held = manager.sandbox(standard, warm=kind.startswith("warm"))  # type: ignore[attr-defined]
        own = held.new_folder("own").parents[2]
        yield held
        held.close()
        # What the tests, being root, put into folders of their own, another user cannot remove.
        shutil.rmtree(own, ignore_errors=True)


@pytest.fixture(scope="session")
def warm(standard: Environment) -> Iterator[IsolatedSandbox]:
    with IsolatedSandbox(standard, warm=True) as held:
        yield held


@pytest.fixture
def limits() -> Limits:
    return LIMITS


@pytest.fixture
def make_job() -> Callable[..., Job]:
    return job_of


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """Run a text as a module of a job."""
    return lambda text, **options: sandbox.run(job_of(sandbox, text, **options))


def job_of(sandbox: Sandbox, text: str, *, limits: Limits = LIMITS, **options: Any) -> Job:
    folder = sandbox.new_folder("site")
    (folder / "program.py").write_text(text, encoding="utf-8")
    mounts = (*options.pop("mounts", ()), Binding(host=folder, inside=Path("/site")))
    return Job(module="program", mounts=mounts, python_path=("/site",), limits=limits, **options)


@pytest.fixture
def bait() -> Iterator[dict[str, Any]]:
    """Things of the host, laid out where any user of it can reach them."""
    with ExitStack() as stack:
        folder = Path("/tmp") / f"drydock-bait-{secrets.token_hex(6)}"  # noqa: S108
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        stack.callback(_remove, folder)
        (folder / "secret").write_text("secret", encoding="ascii")
        abstract = f"drydock-{secrets.token_hex(8)}"
        for address in (f"\0{abstract}", str(folder / "socket")):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen(8)
        (folder / "socket").chmod(0o777)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=8))
        yield {
            "folder": str(folder),
            "abstract": abstract,
            "port": tcp.getsockname()[1],
            "pid": os.getpid(),
        }


@pytest.fixture
def bait_text(bait: dict[str, Any]) -> str:
    return json.dumps(bait)


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
