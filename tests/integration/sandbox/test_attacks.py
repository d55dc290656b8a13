"""One suite for every kind of sandbox and user: each attack is live outside and stopped inside.

An attack is a program that ends with status 0 when it got through; ``bait`` names things of the
host. Each is bounded, so that it can be shown live on the host itself; those that cannot be, and
why, are in ``NOT_LIVE_OUTSIDE``.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.model import Cause, Limits
from grader.sandbox import Result

Run = Callable[..., Result]

PREAMBLE = """
import ctypes, json, os, signal, socket, sys, time
bait = json.loads(os.environ["BAIT"])
libc = ctypes.CDLL(None, use_errno=True)
def need(true):
    if not true:
        raise SystemExit(9)
def forked(work):
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
"""

ATTACKS = {
    # read
    "read-secret": "open(bait['folder'] + '/secret').read()",
    "list-host": "need('secret' in os.listdir(bait['folder']))",
    "read-shadow": "open('/etc/shadow').read()",
    "read-host-program": "open('/bin/sh', 'rb').read(1)",
    "read-parents-code": "need(os.listdir('/drydock/folders'))",
    "read-other-variables": """
def variables(pid):
    try:
        return open(f'/proc/{pid}/environ', 'rb').read()
    except OSError:
        return b''
mine = (os.getpid(),)
need(any(variables(p) for p in os.listdir('/proc') if p.isdigit() and int(p) not in mine))
""",
    "open-others-memory": """
open(f'/proc/{os.getppid()}/mem', 'rb')
""",
    "trace-a-process": """
pid = os.fork()
if not pid:
    time.sleep(30)
    os._exit(0)
try:
    need(libc.ptrace(16, pid, 0, 0) == 0)
finally:
    os.kill(pid, 9)
""",
    "copy-others-memory": """
buffer = ctypes.create_string_buffer(8)
class Vector(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]
one = Vector(ctypes.addressof(buffer), 8)
need(libc.process_vm_readv(os.getpid(), ctypes.byref(one), 1, ctypes.byref(one), 1, 0) == 8)
""",
    "climb-out-by-root-link": "need(os.path.exists('/proc/1/root' + bait['folder']))",
    # write
    "write-beside-secret": "open(bait['folder'] + '/planted', 'w').write('x')",
    "write-own-mount": "open(__file__, 'a').write('')",
    "write-bytecode-cache": """
folder = os.path.join(os.path.dirname(__file__), '__pycache__')
os.makedirs(folder, exist_ok=True)
open(folder + '/planted.pyc', 'w').write('x')
""",
    "write-environment": """
import json as module
open(os.path.dirname(module.__file__) + '/planted.py', 'w').write('x')
""",
    "write-kernel-setting": "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)",
    "write-root": "open('/planted', 'w').write('x')",
    "mount-something": "need(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0)",
    "change-root": "os.chroot('/tmp')",
    "make-device": "os.mknod('/tmp/disk' + str(os.getpid()), 0o60600, os.makedev(254, 0))",
    # reach
    "connect-tcp": "socket.create_connection(('127.0.0.1', bait['port']), 1)",
    "connect-abstract": "socket.socket(socket.AF_UNIX).connect('\\0' + bait['abstract'])",
    "connect-socket-file": "socket.socket(socket.AF_UNIX).connect(bait['folder'] + '/socket')",
    "send-udp-outside": """
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.connect(('192.0.2.1', 53))
link.send(b'x')
""",
    "open-raw-socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "ask-kernel-by-netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "signal-the-grader": "os.kill(bait['pid'], 0)",
    "signal-process-1": "os.kill(1, 9); time.sleep(0.2); need(not os.path.exists('/proc/1'))",
    # gain rights
    "make-user-namespace": "need(forked(lambda: need(libc.unshare(0x10000000) == 0)))",
    "make-namespace-by-clone": """
pid = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0:
    libc._exit(0)
need(pid > 0)
""",
    "become-root": "os.setuid(0); need(os.getuid() == 0)",
    "load-bpf": "need(libc.syscall(321, 0, ctypes.create_string_buffer(128), 128) >= 0)",
    "open-io-uring": """
need(libc.syscall(425, 1, ctypes.create_string_buffer(256)) >= 0)
""",
    "use-key-ring": "need(libc.syscall(250, 0, -3, 1, 0, 0) >= 0)",
    "fault-handler": "need(libc.syscall(323, 1) >= 0)",
    "keep-inherited-descriptor": """
held = [f'/proc/self/fd/{n}' for n in os.listdir('/proc/self/fd') if int(n) > 2]
need(any(os.path.exists(path) for path in held))
""",
    # exhaust
    "many-processes": """
children = []
try:
    for _ in range(100):
        pid = os.fork()
        if not pid:
            time.sleep(30)
            os._exit(0)
        children.append(pid)
finally:
    for pid in children:
        os.kill(pid, 9)
""",
    "memory-of-one": """
held = []
for _ in range(400):
    held.append(b'x' * (1 << 20))
time.sleep(0.2)
""",
    "memory-of-four": """
def hold():
    held = [b'x' * (1 << 20) for _ in range(100)]
    time.sleep(0.5)
children = []
for _ in range(4):
    pid = os.fork()
    if not pid:
        hold()
        os._exit(0)
    children.append(pid)
for pid in children:
    need(os.waitpid(pid, 0)[1] == 0)
""",
    "memory-in-shared-map": """
import mmap
held = mmap.mmap(-1, 400 << 20)
for at in range(0, 400 << 20, 4096):
    held[at] = 1
time.sleep(0.2)
""",
    "memory-without-owner": "os.write(os.memfd_create('x'), b'x' * (1 << 20))",
    "memory-by-system-v": "need(libc.shmget(0, 1 << 20, 0o1600) >= 0)",
    "fill-disk": """
path = f'/tmp/fill{os.getpid()}'
open(path, 'wb').write(bytes(40 << 20))
os.remove(path)
""",
    "fill-shared-memory": """
path = f'/dev/shm/fill{os.getpid()}'
open(path, 'wb').write(bytes(40 << 20))
os.remove(path)
""",
    "many-files": """
folder = f'/tmp/many-{os.getpid()}'
os.mkdir(folder)
for n in range(30000):
    open(f'{folder}/{n}', 'w').close()
for n in range(30000):
    os.remove(f'{folder}/{n}')
os.rmdir(folder)
""",
    "many-descriptors": "held = [os.open('/dev/null', 0) for _ in range(600)]",
    "much-output": "for _ in range(200): sys.stdout.write('x' * (1 << 16))",
    "processor-time": "end = time.process_time() + 2.5\nwhile time.process_time() < end: pass",
    "processor-time-of-four": """
def burn():
    end = time.process_time() + 0.8
    while time.process_time() < end: pass
children = []
for _ in range(4):
    pid = os.fork()
    if not pid:
        burn()
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
""",
    "sleep-past-limit": "time.sleep(4)",
    "ignore-signals": """
for number in range(1, 32):
    if number not in (9, 19):
        signal.signal(number, signal.SIG_IGN)
time.sleep(4)
""",
    # deceive
    "change-clock": "time.clock_settime(time.CLOCK_REALTIME, time.time())",
    "change-host-name": "socket.sethostname(socket.gethostname())",
}

NOT_LIVE_OUTSIDE = {
    "read-parents-code": "the folder exists nowhere but in the parent of jobs",
    "keep-inherited-descriptor": "what a test's process holds is not the job's",
    "signal-process-1": "it would end the machine",
    "change-clock": "the clock belongs to everybody on this machine, and to root",
    "change-host-name": "needs root",
    "change-root": "needs root",
    "become-root": "needs root",
    "make-device": "needs root",
    "mount-something": "needs root, and would stay",
    "open-raw-socket": "needs root",
    "write-kernel-setting": "needs root",
    "write-root": "needs root, and would stay",
    "write-environment": "needs root, and would stay",
    "read-shadow": "needs root",
    "load-bpf": "needs root on most machines",
    "fault-handler": "needs root on most machines",
    "open-io-uring": "switched off on some machines",
    "make-user-namespace": "switched off on some machines",
    "make-namespace-by-clone": "switched off on some machines, and a number of x86-64",
    "trace-a-process": "switched off on some machines",
    "open-others-memory": "switched off on some machines",
    "climb-out-by-root-link": "needs root",
    "send-udp-outside": "a machine may have no network",
    "read-other-variables": "a machine may hide other processes",
}

GAPS: dict[str, str] = {}
"""Attacks known to get through, each with the reason that it is borne."""

LIVE = sorted(set(ATTACKS) - set(NOT_LIVE_OUTSIDE))
STOPPED = sorted(set(ATTACKS) - set(GAPS))


def got_through(result: Result) -> bool:
    """A sandbox that failed has not stopped anything either."""
    return result.exit_code == 0 or result.cause is Cause.SANDBOX


@pytest.mark.parametrize("name", STOPPED)
def test_attack_is_stopped(name: str, run: Run, limits: Limits, bait_text: str) -> None:
    tight = dataclasses.replace(limits, wall_seconds=3, cpu_seconds=2)
    result = run(PREAMBLE + ATTACKS[name], limits=tight, environment={"BAIT": bait_text})
    assert not got_through(result), result


@pytest.mark.parametrize("name", LIVE)
def test_attack_is_live_outside(name: str, tmp_path: Path, bait_text: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PREAMBLE + ATTACKS[name], encoding="utf-8")
    environment = {"BAIT": bait_text, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_harmless_program_ends_well(run: Run, bait_text: str) -> None:
    assert run(PREAMBLE, environment={"BAIT": bait_text}).exit_code == 0


@pytest.mark.parametrize("listing", [NOT_LIVE_OUTSIDE, GAPS], ids=["not-live", "gaps"])
def test_listed_attacks_exist(listing: dict[str, str]) -> None:
    assert set(listing) <= set(ATTACKS)
