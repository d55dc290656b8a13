"""What a job gets and what it gives back, alike in every kind of sandbox."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import Binding, Cause, Limits
from grader.sandbox import Collected, Job, Result, Sandbox
from grader.sandbox.isolated import IsolatedSandbox

MakeJob = Callable[..., Job]
Run = Callable[..., Result]

# -------------------------------------------------------------------------------- the ending


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("", 0),
        ("raise SystemExit(3)", 3),
        ("import sys; sys.exit('no model')", 1),
        ("1 / 0", 1),
        ("import os; os._exit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -15),
        ("import ctypes; ctypes.string_at(0)", -11),
        ("import os; os.abort()", -6),
        ("import threading; threading.Thread(target=print).start()", 0),
    ],
)
def test_exit_status_is_kept(run: Run, program: str, status: int) -> None:
    assert run(program).exit_code == status


def test_exit_text_is_printed(run: Run) -> None:
    assert run("import sys; sys.exit('no model')").stderr == "no model\n"


def test_traceback_is_printed(run: Run) -> None:
    assert run("1 / 0").stderr.endswith("ZeroDivisionError: division by zero\n")


def test_traceback_hides_machinery(run: Run) -> None:
    assert "/drydock" not in run("1 / 0").stderr


def test_missing_module_is_named(sandbox: Sandbox, limits: Limits) -> None:
    result = sandbox.run(Job(module="absent", limits=limits))
    assert "No module named absent" in result.stderr


def test_exit_handlers_run(run: Run) -> None:
    assert run("import atexit; atexit.register(print, 'late')").stdout == "late\n"


def test_unflushed_output_arrives(run: Run) -> None:
    assert run("import sys; sys.stdout.write('no newline')").stdout == "no newline"


def test_threads_are_waited_for(run: Run) -> None:
    program = "import threading, time\n"
    program += "threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start()"
    assert run(program).stdout == "done\n"


def test_lingering_thread_is_ended(run: Run, limits: Limits) -> None:
    program = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()"
    assert run(program, limits=dataclasses.replace(limits, wall_seconds=0.5)).cause is Cause.TIMEOUT


# -------------------------------------------------------------------------------- the start


def test_arguments_arrive(run: Run) -> None:
    result = run("import sys; print(sys.argv[1:])", arguments=("score", "--x", "a b"))
    assert result.stdout == "['score', '--x', 'a b']\n"


def test_variables_are_clean(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRYDOCK_SECRET", "secret")
    assert "DRYDOCK_SECRET" not in run("import os; print(dict(os.environ))").stdout


def test_variables_can_be_added(run: Run) -> None:
    program = "import os; print(os.environ['MODEL_FILE'])"
    assert run(program, environment={"MODEL_FILE": "/model/m"}).stdout == "/model/m\n"


def test_standard_input_is_empty(run: Run) -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_program_is_main(run: Run) -> None:
    program = "import pickle\nclass A: pass\npickle.loads(pickle.dumps(A()))\nprint(__name__)"
    assert run(program).stdout == "__main__\n"


def test_work_folder_is_current(run: Run) -> None:
    assert run("import os; print(os.getcwd(), os.listdir('.'))").stdout == "/work []\n"


def test_children_find_modules(run: Run) -> None:
    program = "import subprocess, sys\n"
    program += "if len(sys.argv) == 1: "
    program += "subprocess.run([sys.executable, '-m', 'program', 'child'], check=True)\n"
    program += "else: print('child')"
    assert run(program).stdout == "child\n"


def test_pool_of_processes_works(run: Run) -> None:
    program = "import multiprocessing as m\n"
    program += "with m.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, 2]))"
    assert run(program).stdout == "[1, 2]\n"


def test_localhost_is_known(run: Run) -> None:
    program = "import socket; print(socket.gethostbyname('localhost'))"
    assert run(program).stdout == "127.0.0.1\n"


def test_hash_seed_is_fixed(run: Run) -> None:
    assert run("print(hash('a'))").stdout == run("print(hash('a'))").stdout


@pytest.mark.parametrize("draw", ["random.random()", "numpy.random.rand()"])
def test_unseeded_draws_differ(run: Run, draw: str) -> None:
    program = f"import random, numpy; print({draw})"
    assert run(program).stdout != run(program).stdout


def test_tree_is_copied_writable(run: Run, sandbox: Sandbox) -> None:
    tree = sandbox.new_folder("tree")
    (tree / "tests").mkdir()
    (tree / "tests" / "a.txt").write_text("a")
    (tree / "tests" / "a.txt").chmod(0o444)
    (tree / "tests").chmod(0o555)
    program = "open('tests/a.txt', 'a').write('b'); open('tests/new', 'w'); "
    program += "print(open('tests/a.txt').read())"
    mounts = (Binding(host=tree, inside=Path("/submission")),)
    assert run(program, mounts=mounts, copy_to_work="/submission").stdout == "ab\n"


def test_tree_too_large_is_said(run: Run, sandbox: Sandbox, limits: Limits) -> None:
    tree = sandbox.new_folder("tree")
    (tree / "large").write_bytes(bytes((limits.disk_mb + 1) << 20))
    mounts = (Binding(host=tree, inside=Path("/submission")),)
    result = run("", mounts=mounts, copy_to_work="/submission")
    assert "cannot be copied" in result.stderr


# ------------------------------------------------------------------------------- the mounts


def test_foreign_folder_is_refused(
    warm: IsolatedSandbox, make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job(warm, "", mounts=(Binding(host=tmp_path, inside=Path("/input")),))
    with pytest.raises(SandboxError, match="not the sandbox's to show"):
        warm.run(job)


def test_link_out_is_refused(warm: IsolatedSandbox, make_job: MakeJob, tmp_path: Path) -> None:
    link = warm.new_folder("link") / "link"
    link.symlink_to(tmp_path)
    job = make_job(warm, "", mounts=(Binding(host=link, inside=Path("/input")),))
    with pytest.raises(SandboxError, match="not the sandbox's to show"):
        warm.run(job)


@pytest.mark.parametrize("place", ["/", "/work", "/proc/x", "/dev/x", "input", "/a/../b"])
def test_taken_place_is_refused(warm: IsolatedSandbox, make_job: MakeJob, place: str) -> None:
    job = make_job(warm, "", mounts=(Binding(host=warm.new_folder("x"), inside=Path(place)),))
    with pytest.raises(SandboxError, match="no room"):
        warm.run(job)


def test_single_file_is_mounted(run: Run, sandbox: Sandbox) -> None:
    file = sandbox.new_folder("x") / "input.csv"
    file.write_text("a,b")
    mounts = (Binding(host=file, inside=Path("/input/input.csv")),)
    assert run("print(open('/input/input.csv').read())", mounts=mounts).stdout == "a,b\n"


def test_owners_umask_does_not_matter(run: Run, sandbox: Sandbox) -> None:
    file = sandbox.new_folder("x") / "input.csv"
    file.write_text("a,b")
    file.chmod(0o600)
    shutil.chown(file, file.parent.stat().st_uid)
    mounts = (Binding(host=file, inside=Path("/input.csv")),)
    assert run("print(open('/input.csv').read())", mounts=mounts).stdout == "a,b\n"


def test_other_users_cannot_look(sandbox: Sandbox) -> None:
    folder = sandbox.new_folder("hidden")
    assert folder.parent.stat().st_mode & 0o077 == 0


# ------------------------------------------------------------------------------ the outputs


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("", "missing"),
        ("import os; os.symlink('/etc/passwd', 'out')", "link"),
        ("import os; os.symlink('/work', 'sub')", "missing"),
        ("import os; os.mkfifo('out')", "not a regular file"),
        ("import os; os.mkdir('out')", "not a regular file"),
        ("import socket; socket.socket(socket.AF_UNIX).bind('out')", "not a regular file"),
        ("open('out', 'wb').truncate(3 << 20)", "larger than 2 MB"),
    ],
)
def test_odd_output_is_refused(run: Run, program: str, problem: str) -> None:
    result = run(program, collect=("out",))
    assert result.files == (Collected(name="out", content=None, problem=problem),)


def test_output_through_linked_folder_is_refused(run: Run) -> None:
    result = run("import os; os.symlink('/etc', 'sub')", collect=("sub/passwd",))
    assert result.files[0].problem == "link"


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd"])
def test_output_outside_work_is_refused(run: Run, name: str) -> None:
    assert run("", collect=(name,)).files[0].content is None


def test_outputs_are_read_out(run: Run) -> None:
    program = "import os; os.mkdir('d'); open('d/a', 'wb').write(b'1'); open('b', 'w')"
    result = run(program, collect=("d/a", "b"))
    assert [file.content for file in result.files] == [b"1", b""]


def test_large_output_arrives_whole(run: Run) -> None:
    result = run("open('out', 'wb').write(b'x' * (2 << 20))", collect=("out",))
    assert result.files[0].content == b"x" * (2 << 20)


def test_killed_jobs_outputs_are_kept(run: Run, limits: Limits) -> None:
    program = "import time; open('out', 'w').write('1'); time.sleep(60)"
    tight = dataclasses.replace(limits, wall_seconds=0.5)
    assert run(program, limits=tight, collect=("out",)).files[0].content == b"1"


def test_middle_of_output_is_cut(run: Run) -> None:
    result = run("print('a' * (1 << 20)); print('end')")
    assert (len(result.stdout) < 90_000, result.stdout[-5:]) == (True, "\nend\n")


def test_odd_bytes_are_replaced(run: Run) -> None:
    assert run("import os; os.write(1, b'\\xff')").stdout == "\ufffd"


# ------------------------------------------------------------------------------- the limits


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_flood_of_output_is_ended(run: Run, stream: str) -> None:
    program = f"import sys\nwhile True: sys.{stream}.write('x' * 65536)"
    assert run(program).cause is Cause.OUTPUT_LIMIT


def test_wall_limit_is_prompt(run: Run, limits: Limits) -> None:
    began = time.monotonic()
    run("import time; time.sleep(60)", limits=dataclasses.replace(limits, wall_seconds=0.5))
    assert time.monotonic() - began < 5


@pytest.fixture
def crowd() -> Iterator[None]:
    """Have two others want each processor."""
    busy = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(busy) for _ in range(2 * (os.cpu_count() or 1))]
    yield
    for other in others:
        other.kill()
        other.wait()


@pytest.mark.usefixtures("crowd")
def test_busy_machine_ends_no_job_that_works(run: Run, limits: Limits) -> None:
    tight = dataclasses.replace(limits, wall_seconds=0.6)
    result = run("import time\nwhile time.process_time() < 0.5: pass", limits=tight)
    assert (result.cause, result.exit_code) == (None, 0), result.message


@pytest.mark.usefixtures("crowd")
def test_busy_machine_lets_nobody_sleep(run: Run, limits: Limits) -> None:
    began = time.monotonic()
    tight = dataclasses.replace(limits, wall_seconds=0.6)
    assert run("import time; time.sleep(60)", limits=tight).cause is Cause.TIMEOUT
    assert time.monotonic() - began < 10


def test_killed_job_has_no_status(run: Run, limits: Limits) -> None:
    tight = dataclasses.replace(limits, wall_seconds=0.3)
    assert run("import time; time.sleep(60)", limits=tight).exit_code is None


def test_memory_is_measured(run: Run) -> None:
    result = run("import time; held = b'x' * (100 << 20); time.sleep(0.3)")
    assert 90 < result.memory_mb < 130


def test_shared_pages_count_once(run: Run) -> None:
    program = """
import os, time
held = b'x' * (100 << 20)
children = []
for _ in range(4):
    pid = os.fork()
    if not pid:
        time.sleep(0.4)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
"""
    assert run(program).exit_code == 0


def test_processes_are_counted(run: Run) -> None:
    program = """
import os, time
for _ in range(3):
    if not os.fork():
        time.sleep(0.3)
        os._exit(0)
time.sleep(0.4)
"""
    assert run(program).processes == 4


def test_processor_time_is_measured(run: Run) -> None:
    program = "import time\nwhile time.process_time() < 0.5: pass"
    assert 0.4 < run(program).cpu_seconds < 1.5


@pytest.mark.parametrize("keep", ["", "while True: time.sleep(1)"], ids=["leaves", "stays"])
def test_nothing_survives_a_job(run: Run, limits: Limits, keep: str) -> None:
    name = f"left-{time.monotonic_ns() % 10**9}"
    program = f"""
import ctypes, os, signal, time
for _ in range(2):
    if not os.fork():
        os.setsid()
        for number in (1, 2, 15):
            signal.signal(number, signal.SIG_IGN)
        if not os.fork():
            ctypes.CDLL(None).prctl(15, b'{name}', 0, 0, 0)
            time.sleep(60)
        os._exit(0)
time.sleep(0.2)
{keep}
"""
    run(program, limits=dataclasses.replace(limits, wall_seconds=1))
    assert name not in _names_of_processes()


def _names_of_processes() -> set[str]:
    names = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(ProcessLookupError, FileNotFoundError):  # it ends as it is looked at
            names.add(path.read_text().strip())
    return names
