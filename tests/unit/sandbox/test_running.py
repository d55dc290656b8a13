from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Cause
from grader.sandbox.inside.orders import Ending, Order
from grader.sandbox.running import Printed, judge

ORDER = Order(
    module="m",
    arguments=(),
    python_path=(),
    environment={},
    mounts=(),
    copy_to_work=None,
    collect=(),
    wall_seconds=2.5,
    cpu_seconds=4,
    memory_mb=100,
    disk_mb=1,
    output_mb=1,
    processes=1,
)


def ending(
    *, status: int | None = None, killed: str = "", broken: str = "", cpu: float = 0.0
) -> Ending:
    return Ending(
        status=status,
        killed=killed,
        broken=broken,
        started=0.0,
        seconds=0.0,
        cpu_seconds=cpu,
        memory_mb=0.0,
        processes=1,
    )


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (ending(status=0), None),
        (ending(status=256), None),
        (ending(status=int(signal.SIGSEGV)), None),
        (ending(status=int(signal.SIGXCPU)), Cause.TIMEOUT),
        (ending(status=int(signal.SIGKILL), cpu=5.0), Cause.TIMEOUT),
        (ending(status=int(signal.SIGKILL), cpu=1.0), None),
        (ending(killed="wall"), Cause.TIMEOUT),
        (ending(killed="cpu"), Cause.TIMEOUT),
        (ending(killed="memory"), Cause.MEMORY),
        (ending(killed="asked"), None),
        (ending(broken="no mount"), Cause.SANDBOX),
        (ending(killed="memory", broken="no mount"), Cause.SANDBOX),
    ],
)
def test_ending_has_its_cause(end: Ending, cause: Cause | None) -> None:
    assert judge(end, ORDER, "")[0] is cause


def test_flood_outranks_the_kill() -> None:
    assert judge(ending(killed="asked"), ORDER, "output")[0] is Cause.OUTPUT_LIMIT


def test_message_names_the_limit() -> None:
    assert judge(ending(killed="wall"), ORDER, "")[1] == "It ran longer than 2.5 s."


def test_failure_says_what_failed() -> None:
    assert judge(ending(broken="no mount"), ORDER, "")[1] == "The sandbox failed: no mount."


def printed(*pieces: bytes) -> Printed:
    kept = Printed()
    for piece in pieces:
        kept.add(piece)
    return kept


@given(st.lists(st.binary(max_size=40_000), max_size=12))
def test_every_byte_is_counted(pieces: list[bytes]) -> None:
    assert printed(*pieces).size == sum(map(len, pieces))


@given(st.lists(st.binary(max_size=8_000), max_size=8))
def test_short_output_is_whole(pieces: list[bytes]) -> None:
    assert printed(*pieces).text() == b"".join(pieces).decode("utf-8", errors="replace")


@given(st.lists(st.sampled_from([b"a" * 30_000, b"b" * 7, b"c" * 65_536]), min_size=4, max_size=20))
def test_beginning_and_end_are_kept(pieces: list[bytes]) -> None:
    whole = b"".join(pieces).decode()
    text = printed(*pieces).text()
    assert (text[:60_000], text[-16_000:]) == (whole[:60_000], whole[-16_000:])


def test_gap_is_named() -> None:
    assert "[... 919904 bytes left out ...]" in printed(b"x" * 1_001_824).text()


@given(st.lists(st.integers(1, 200_000), max_size=30))
def test_kept_text_stays_small(sizes: list[int]) -> None:
    assert len(printed(*(b"x" * size for size in sizes)).text()) < 90_000
