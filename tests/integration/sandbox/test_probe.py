"""The probe passes a tight sandbox and finds each of these weakened ones out."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import Binding, Environment
from grader.sandbox import parent, probe
from grader.sandbox.isolated import IsolatedSandbox
from grader.sandbox.probe import Probe, probe_sandbox
from grader.sandbox.quarters import INSIDE

WEAKENED = {
    "no-system-call-filter": (
        ("child.py", "    seccomp.load(system_calls, seccomp.machine())\n", ""),
        {"no-rights", "make-user-namespace", "hold-memory-unseen"},
    ),
    "rights-kept": (
        ("child.py", "    kernel.drop_capabilities()\n", ""),
        {"no-rights"},
    ),
    "host-names-shared": (
        ("supervisor.py", "            | kernel.NEW_HOSTNAME\n", ""),
        set(),
    ),
    "no-limit-on-processes": (
        ("child.py", "        (resource.RLIMIT_NPROC, order.processes),\n", ""),
        {"fork-limit"},
    ),
    "no-limit-on-files": (
        ("files.py", ",nr_inodes={_MOST_FILES}", ",nr_inodes=0"),
        {"file-count-limit"},
    ),
    "no-limit-on-disk": (
        ("files.py", 'f"size={disk_mb}m,', 'f"size=400m,'),
        set(),  # the limit on one file still holds
    ),
    "no-limit-on-wall-time": (
        ("supervisor.py", '            self.killed = "wall"\n', "            pass\n"),
        {"wall-limit"},
    ),
    "no-limit-on-memory": (
        ("supervisor.py", '            self.killed = "memory"\n', "            pass\n"),
        {"memory-limit"},
    ),
    "no-limit-on-processor-time": (
        (
            "child.py",
            "resource.setrlimit(resource.RLIMIT_CPU, (order.cpu_seconds, order.cpu_seconds + 1))",
            "return",
        ),
        set(),  # the watch still holds it
    ),
    "descriptors-kept": (
        ("child.py", "    kernel.close_descriptors(keep=[pipes.start])\n", ""),
        {"no-descriptors"},
    ),
    "mounts-writable": (
        (
            "files.py",
            "        kernel.bind_read_only(source, ROOT + path)",
            "        kernel.mount(source, ROOT + path, flags=kernel.BIND)",
        ),
        set(),  # the parent itself sees them read-only, and Landlock refuses
    ),
    "root-writable": (
        (
            "files.py",
            '    kernel.mount("none", "/", flags=sealed | kernel.NO_SETUID | kernel.NO_DEVICES)\n',
            "",
        ),
        set(),  # Landlock refuses
    ),
    "no-landlock": (
        ("child.py", "    landlock.restrict(writable=files.WRITABLE, devices=files.DEVICES)\n", ""),
        set(),  # namespaces and mounts must hold without it
    ),
}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return Path(shutil.copytree(INSIDE, tmp_path / "inside"))


def failed(probes: tuple[Probe, ...]) -> set[str]:
    return {found.name for found in probes if not found.ok}


def weaken(code: Path, module: str, line: str, instead: str) -> None:
    text = (code / module).read_text(encoding="utf-8")
    assert line in text
    (code / module).write_text(text.replace(line, instead), encoding="utf-8")


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_tight_sandbox_passes(standard: Environment, *, warm: bool) -> None:
    assert failed(probe(standard, warm=warm)) == set()


@pytest.mark.parametrize("name", WEAKENED)
def test_weakened_sandbox_is_found(standard: Environment, code: Path, name: str) -> None:
    change, expected = WEAKENED[name]
    weaken(code, *change)
    with IsolatedSandbox(standard, warm=False, code=code) as sandbox:
        found = failed(probe_sandbox(sandbox, standard))
    # Some machines refuse io_uring themselves.
    assert found - {"no-io-uring"} == expected


def test_shown_host_is_found(standard: Environment) -> None:
    shown = (*standard.readable, Binding(host=Path("/tmp"), inside=Path("/tmp")))  # noqa: S108
    weak = dataclasses.replace(standard, readable=shown)
    with IsolatedSandbox(weak, warm=False) as sandbox:
        found = failed(probe_sandbox(sandbox, weak))
    assert {"read-host-file", "list-host-folder", "reach-socket-file"} <= found


def test_shared_network_is_found(
    standard: Environment, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "NAMESPACES", _without("--unshare-net"))
    weaken(code, "supervisor.py", "            | kernel.NEW_NETWORK\n", "")
    weaken(code, "supervisor.py", "        kernel.raise_loopback()\n", "")
    with IsolatedSandbox(standard, warm=False, code=code) as sandbox:
        found = failed(probe_sandbox(sandbox, standard))
    assert {"reach-tcp", "own-namespaces"} <= found


def test_shared_processes_are_found(standard: Environment, code: Path) -> None:
    weaken(code, "supervisor.py", "            kernel.NEW_PROCESSES\n            | ", " ")
    with IsolatedSandbox(standard, warm=False, code=code) as sandbox:
        assert "only-own-processes" in failed(probe_sandbox(sandbox, standard))


def test_impossible_sandbox_is_explained(
    standard: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "NAMESPACES", ("--no-such-option",))
    (found,) = probe(standard, warm=False)
    assert (found.name, found.ok, bool(found.remedy)) == ("start", False, True)


def test_impossible_sandbox_is_an_error(
    standard: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "NAMESPACES", ("--no-such-option",))
    with pytest.raises(SandboxError, match="cannot start"):
        IsolatedSandbox(standard, warm=True)


def _without(option: str) -> tuple[str, ...]:
    return tuple(item for item in parent.NAMESPACES if item != option)
