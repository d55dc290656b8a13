"""Jobs that serve, in both kinds of sandbox."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator

import pytest

from grader.model import Cause, Environment, Limits
from grader.sandbox import Job, LiveJob
from grader.sandbox.isolated import IsolatedSandbox

MakeJob = Callable[..., Job]

ECHO = """
import socket
server = socket.create_server(('127.0.0.1', 8000))
while True:
    link, _ = server.accept()
    link.sendall(link.recv(100).upper())
    link.close()
"""


@pytest.fixture(scope="module", params=["cold", "warm"])
def sandbox(request: pytest.FixtureRequest, standard: Environment) -> Iterator[IsolatedSandbox]:
    with IsolatedSandbox(standard, warm=request.param == "warm") as held:
        yield held


def ask(job: LiveJob, question: bytes, port: int = 8000) -> bytes:
    deadline = time.monotonic() + 10
    while True:
        try:
            with job.connect(port, timeout=5) as link:
                link.sendall(question)
                return link.recv(100)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_service_answers(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, ECHO)) as job:
        assert ask(job, b"abc") == b"ABC"


def test_service_answers_often(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, ECHO)) as job:
        assert {ask(job, b"abc") for _ in range(50)} == {b"ABC"}


def test_ended_service_has_no_cause(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, ECHO)) as job:
        ask(job, b"abc")
    assert (job.finish().cause, job.finish().exit_code) == (None, None)


def test_closed_port_is_refused(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with (
        sandbox.open(make_job(sandbox, "import time; time.sleep(60)")) as job,
        pytest.raises(ConnectionRefusedError),
    ):
        job.connect(8000, timeout=5)


def test_ended_job_is_refused(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, "raise SystemExit(4)")) as job:
        time.sleep(3)
        with pytest.raises(ConnectionRefusedError):
            job.connect(8000, timeout=5)


def test_crashed_service_keeps_status(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, "raise SystemExit(4)")) as job:
        time.sleep(3)
    assert job.finish().exit_code == 4


def test_full_queue_does_not_blind(
    sandbox: IsolatedSandbox, make_job: MakeJob, limits: Limits
) -> None:
    program = "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 8000)); s.listen(0)\n"
    program += "time.sleep(60)"
    job = make_job(sandbox, program, limits=dataclasses.replace(limits, wall_seconds=2))
    with sandbox.open(job) as live:
        links = [_connect(live) for _ in range(8)]
        time.sleep(2.5)
    assert (len(links), live.finish().cause) == (8, Cause.TIMEOUT)


def test_talkative_service_is_drained(sandbox: IsolatedSandbox, make_job: MakeJob) -> None:
    with sandbox.open(make_job(sandbox, "print('x' * (1 << 20))\n" + ECHO)) as job:
        assert ask(job, b"abc") == b"ABC"


def _connect(job: LiveJob) -> bool:
    try:
        job.connect(8000, timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True
