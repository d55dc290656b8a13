"""Without walls: typed for by name, and still within limits."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.model import Binding, Cause, Environment, Limits
from grader.sandbox import Job, Sandbox, open_sandbox

MakeJob = Callable[..., Job]


@pytest.fixture(scope="module")
def bare(standard: Environment) -> Iterator[Sandbox]:
    with open_sandbox(standard, unsafe=True) as held:
        yield held


def test_level_says_none(bare: Sandbox) -> None:
    assert bare.level == "none"


def test_program_runs_to_status(bare: Sandbox, make_job: MakeJob) -> None:
    assert bare.run(make_job(bare, "raise SystemExit(3)")).exit_code == 3


def test_outputs_are_collected(bare: Sandbox, make_job: MakeJob) -> None:
    result = bare.run(make_job(bare, "open('out', 'w').write('1')", collect=("out",)))
    assert result.files[0].content == b"1"


def test_inside_paths_become_hosts(bare: Sandbox, make_job: MakeJob) -> None:
    folder = bare.new_folder("input")
    (folder / "a").write_text("found")
    mounts = (Binding(host=folder, inside=Path("/input")),)
    program = "import sys; print(open(sys.argv[1]).read())"
    result = bare.run(make_job(bare, program, mounts=mounts, arguments=("/input/a",)))
    assert result.stdout == "found\n"


def test_variables_become_hosts(bare: Sandbox, make_job: MakeJob) -> None:
    folder = bare.new_folder("model")
    mounts = (Binding(host=folder, inside=Path("/model")),)
    program = "import os; print(os.environ['MODEL'])"
    job = make_job(bare, program, mounts=mounts, environment={"MODEL": "/model/m"})
    assert bare.run(job).stdout == f"{folder}/m\n"


def test_tree_is_copied(bare: Sandbox, make_job: MakeJob) -> None:
    folder = bare.new_folder("tree")
    (folder / "a").touch()
    mounts = (Binding(host=folder, inside=Path("/submission")),)
    program = "import os; print(os.listdir('.'))"
    job = make_job(bare, program, mounts=mounts, copy_to_work="/submission")
    assert bare.run(job).stdout == "['a']\n"


@pytest.mark.parametrize("program", ["import time; time.sleep(60)", "while True: pass"])
def test_limits_hold(bare: Sandbox, make_job: MakeJob, limits: Limits, program: str) -> None:
    tight = dataclasses.replace(limits, wall_seconds=2, cpu_seconds=1)
    assert bare.run(make_job(bare, program, limits=tight)).cause is Cause.TIMEOUT


def test_service_is_ended(bare: Sandbox, make_job: MakeJob) -> None:
    with bare.open(make_job(bare, "import time; time.sleep(60)")) as job:
        time.sleep(0.2)
    assert (job.finish().cause, job.finish().exit_code) == (None, None)
