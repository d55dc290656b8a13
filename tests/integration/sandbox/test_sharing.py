"""Jobs of one warm parent share nothing that a job can write, and answers are never mixed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.model import Environment
from grader.sandbox import Job, Result
from grader.sandbox.inside import files
from grader.sandbox.isolated import IsolatedSandbox

MakeJob = Callable[..., Job]


def runs(sandbox: IsolatedSandbox, make_job: MakeJob, *programs: str) -> list[Result]:
    return [sandbox.run(make_job(sandbox, program)) for program in programs]


@pytest.mark.parametrize("folder", files.WRITABLE)
def test_files_do_not_stay(warm: IsolatedSandbox, make_job: MakeJob, folder: str) -> None:
    write = f"open('{folder}/left', 'w').write('x')"
    _, second = runs(warm, make_job, write, f"import os; print(os.listdir('{folder}'))")
    assert second.stdout == "[]\n"


@pytest.mark.parametrize(
    "poison",
    [
        "import numpy; numpy.mean = None",
        "import sys; sys.modules['planted'] = sys",
        "import os; os.environ['PLANTED'] = '1'",
        "import builtins; builtins.planted = 1",
    ],
)
def test_state_does_not_stay(warm: IsolatedSandbox, make_job: MakeJob, poison: str) -> None:
    check = "import sys, os, builtins, numpy\n"
    check += "print(numpy.mean is None, 'planted' in sys.modules, 'PLANTED' in os.environ,"
    check += " hasattr(builtins, 'planted'))"
    _, second = runs(warm, make_job, poison, check)
    assert second.stdout == "False False False False\n"


def test_own_packages_are_fresh(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    first, second = runs(warm, make_job, "print(1)", "print(2)")
    assert (first.stdout, second.stdout) == ("1\n", "2\n")


def test_parallel_job_is_invisible(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    stay = "import time; open('/work/secret', 'w').write('x'); time.sleep(1)"
    look = "import os, time; time.sleep(0.4); print(os.listdir('/work'), "
    look += "[p for p in os.listdir('/proc') if p.isdigit()])"
    with ThreadPoolExecutor() as pool:
        pool.submit(warm.run, make_job(warm, stay))
        seen = pool.submit(warm.run, make_job(warm, look)).result()
    assert seen.stdout == "[] ['1', '2']\n"


def test_parallel_jobs_have_own_ports(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    program = "import socket, time; socket.create_server(('127.0.0.1', 8000)); time.sleep(0.5)"
    with ThreadPoolExecutor() as pool:
        jobs = [make_job(warm, program) for _ in range(3)]
        assert [result.exit_code for result in pool.map(warm.run, jobs)] == [0, 0, 0]


def test_abstract_sockets_are_apart(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    serve = "import socket, time; s = socket.socket(socket.AF_UNIX); s.bind('\\0x'); s.listen(); "
    serve += "time.sleep(1)"
    reach = "import socket, time; time.sleep(0.4); "
    reach += "socket.socket(socket.AF_UNIX).connect('\\0x')"
    with ThreadPoolExecutor() as pool:
        pool.submit(warm.run, make_job(warm, serve))
        assert pool.submit(warm.run, make_job(warm, reach)).result().exit_code == 1


def test_fifty_answers_are_not_mixed(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    jobs = [
        make_job(warm, f"print({n}); open('out', 'w').write('{n}'); exit({n})", collect=("out",))
        for n in range(50)
    ]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(warm.run, jobs))
    assert [_answer(result) for result in results] == [
        (n, f"{n}\n", str(n).encode()) for n in range(50)
    ]


def test_two_hundred_jobs_in_a_row(standard: Environment, make_job: MakeJob) -> None:
    with IsolatedSandbox(standard, warm=True) as sandbox:
        job = make_job(sandbox, "import pandas; pandas.DataFrame({'a': [1]}).sum()")
        with ThreadPoolExecutor(2) as pool:
            codes = {result.exit_code for result in pool.map(sandbox.run, [job] * 200)}
    assert codes == {0}


def test_no_descriptor_is_leaked(warm: IsolatedSandbox, make_job: MakeJob) -> None:
    job = make_job(warm, "")
    warm.run(job)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        warm.run(job)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_parent_forks_single_threaded(warm: IsolatedSandbox) -> None:
    warm.parent.wait()
    assert warm.parent.threads == 1


def test_closing_leaves_no_files(standard: Environment, make_job: MakeJob) -> None:
    with IsolatedSandbox(standard, warm=False) as sandbox:
        folder = sandbox.new_folder("x")
        sandbox.run(make_job(sandbox, ""))
    assert not Path(folder).exists()


def _answer(result: Result) -> tuple[int | None, str, bytes | None]:
    return result.exit_code, result.stdout, result.files[0].content
