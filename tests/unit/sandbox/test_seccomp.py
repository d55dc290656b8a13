"""The filter is run here by a small interpreter of the kernel's filter language."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.inside import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
KINDS = sorted(ARCHITECTURES)


def refusal(number: int) -> int:
    return 0x00050000 | number


def verdict(kind: str, call: int, *arguments: int, architecture: int | None = None) -> int:
    """Return what the filter says to a system call."""
    padded = (*arguments, *[0] * 6)[:6]
    spoken = ARCHITECTURES[kind] if architecture is None else architecture
    data = struct.pack("IIQ6Q", call, spoken, 0, *padded)
    lines = list(struct.iter_unpack("HBBI", seccomp.program(kind)))
    value, at = 0, 0
    while True:
        code, yes, no, operand = lines[at]
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            (value,) = struct.unpack_from("I", data, operand)
            continue
        holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}
        at += yes if holds[code] else no


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_architecture_is_killed(kind: str) -> None:
    assert verdict(kind, 0, architecture=0x40000003) == KILL


def test_x32_calls_are_killed() -> None:
    assert verdict("x86_64", 0x40000000 | 1) == KILL


@pytest.mark.parametrize(("kind", "call"), [("x86_64", 101), ("aarch64", 117)])
def test_tracing_is_refused(kind: str, call: int) -> None:
    assert verdict(kind, call) == refusal(errno.EPERM)


@pytest.mark.parametrize("kind", KINDS)
def test_clone3_is_unknown(kind: str) -> None:
    assert verdict(kind, 435) == refusal(errno.ENOSYS)


@pytest.mark.parametrize(("kind", "call"), [("x86_64", 56), ("aarch64", 220)])
@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x40000000])
def test_new_namespaces_are_refused(kind: str, call: int, flag: int) -> None:
    assert verdict(kind, call, flag | 17) == refusal(errno.EPERM)


@pytest.mark.parametrize(("kind", "call"), [("x86_64", 56), ("aarch64", 220)])
def test_threads_are_allowed(kind: str, call: int) -> None:
    assert verdict(kind, call, 0x3D0F00) == ALLOW


@pytest.mark.parametrize("family", [1, 2, 10])
def test_common_sockets_are_allowed(family: int) -> None:
    assert verdict("x86_64", 41, family) == ALLOW


@given(st.integers(0, 60).filter(lambda family: family not in (1, 2, 10)))
def test_other_sockets_are_refused(family: int) -> None:
    assert verdict("x86_64", 41, family) == refusal(errno.EAFNOSUPPORT)


@pytest.mark.parametrize(("request_", "said"), [(0x5412, errno.EPERM), (0x541C, errno.EPERM)])
def test_typing_into_terminals_is_refused(request_: int, said: int) -> None:
    assert verdict("x86_64", 16, 0, request_) == refusal(said)


def test_other_device_requests_are_allowed() -> None:
    assert verdict("x86_64", 16, 0, 0x5401) == ALLOW


@pytest.mark.parametrize("call", [0, 1, 3, 9, 39, 57, 59, 202, 257])
def test_everyday_calls_are_allowed(call: int) -> None:
    assert verdict("x86_64", call) == ALLOW


@given(st.sampled_from(KINDS), st.integers(0, 600), st.integers(0, 2**32 - 1))
def test_every_call_has_a_verdict(kind: str, call: int, argument: int) -> None:
    said = verdict(kind, call, argument, argument)
    assert said in (
        ALLOW,
        *map(refusal, (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)),
    )


def test_unknown_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match="no system call filter for riscv64"):
        seccomp.machine()
