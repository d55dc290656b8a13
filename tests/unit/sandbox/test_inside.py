from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from grader.sandbox import inside
from grader.sandbox.inside import files, usage, wire
from grader.sandbox.inside.orders import Setting
from grader.sandbox.inside.supervisor import Starved
from grader.sandbox.quarters import INSIDE

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    one, other = wire.pair()
    with one, other:
        yield one, other


def test_every_module_is_forgotten() -> None:
    present = {path.stem for path in INSIDE.glob("*.py")}
    assert present - set(inside.MODULES) == {"__init__", "unwalled"}


def test_message_arrives_whole(ends: Ends) -> None:
    wire.send(ends[0], {"do": "connect", "port": 8000})
    assert wire.receive(ends[1])[0] == {"do": "connect", "port": 8000}


def test_messages_stay_apart(ends: Ends) -> None:
    for number in range(3):
        wire.send(ends[0], {"n": number})
    assert [wire.receive(ends[1])[0] for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_descriptor_travels_along(ends: Ends) -> None:
    reader, writer = os.pipe()
    wire.send(ends[0], {}, [writer])
    os.close(writer)
    (arrived,) = wire.receive(ends[1])[1]
    os.write(arrived, b"x")
    os.close(arrived)
    with open(reader, "rb") as handle:  # noqa: PTH123 - a descriptor
        assert handle.read() == b"x"


def test_closed_end_is_none(ends: Ends) -> None:
    ends[0].close()
    assert wire.receive(ends[1]) == (None, [])


def test_last_words_are_heard_of_who_left_in_haste(ends: Ends) -> None:
    wire.send(ends[0], {"do": "kill"})
    wire.send(ends[1], {"told": "end"})
    ends[1].close()
    assert wire.receive(ends[0]) == ({"told": "end"}, [])
    assert wire.receive(ends[0]) == (None, [])


def test_huge_message_is_refused(ends: Ends) -> None:
    with pytest.raises(ValueError, match="larger than"):
        wire.send(ends[0], {"x": "y" * wire.LARGEST})


def test_setting_survives_the_wire(ends: Ends) -> None:
    wire.send(ends[0], asdict(Setting(preload=("a",), readable=("/b",))))
    message, _ = wire.receive(ends[1])
    assert message == {"preload": ["a"], "readable": ["/b"]}


def test_own_memory_is_seen() -> None:
    assert usage.resident("self") > 1 << 20


def test_waiting_for_a_processor_is_no_sleep() -> None:
    starved = Starved()
    starved.look({7: 0.4, 8: 0.1}, 0.5)
    starved.look({7: 0.9, 9: 0.2}, 1.0)
    assert starved.seconds == pytest.approx(0.9)
    assert not starved.over(1.8, 1.0)
    assert starved.over(2.0, 1.0)


def test_sleeper_is_not_starved() -> None:
    starved = Starved()
    for moment in range(1, 5):
        starved.look({7: 0.001}, moment)
    assert starved.seconds == pytest.approx(0.001)


def test_nobody_waits_longer_than_time_passes() -> None:
    starved = Starved()
    starved.look({7: 1000.0}, 0.5)
    assert starved.seconds == 0.5


def test_starved_job_ends_as_well() -> None:
    starved = Starved()
    starved.look({7: 100.0}, 100.0)
    assert starved.over(5.1, 1.0)


def test_own_waits_are_seen() -> None:
    assert os.getpid() in usage.waits()


def test_gone_process_holds_nothing() -> None:
    assert usage.resident(2**22 + 1) == 0


def problem(root: Path, name: str, largest: int = 10) -> str:
    handle, said = files.open_output(str(root), name, largest)
    if handle is not None:
        os.close(handle)
    return said


def test_regular_output_opens(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("1")
    assert problem(tmp_path, "out") == ""


@pytest.mark.parametrize("name", ["absent", "file/below"])
def test_absent_output_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert problem(tmp_path, name) == "missing"


@pytest.mark.parametrize("name", ["link", "folder-link/file", "../outside", "/etc/hosts"])
def test_way_out_is_a_link(tmp_path: Path, name: str) -> None:
    root = tmp_path / "work"
    root.mkdir()
    (tmp_path / "outside").touch()
    (root / "link").symlink_to("../outside")
    (root / "folder-link").symlink_to("..")
    assert problem(root, name) == "link"


def test_pipe_is_no_output(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out")
    assert problem(tmp_path, "out") == "not a regular file"


def test_sparse_output_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as handle:
        handle.truncate(10 << 30)
    assert problem(tmp_path, "out", 1 << 20) == "larger than 1 MB"


def test_copied_tree_is_writable(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "a").mkdir(parents=True)
    (source / "a" / "f").touch(mode=0o444)
    (source / "a").chmod(0o555)
    target.mkdir()
    files.copy_tree(str(source), str(target))
    assert os.access(target / "a" / "f", os.W_OK)


def test_copied_links_stay_links(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "link").symlink_to("/nowhere")
    files.copy_tree(str(source), str(target))
    assert (target / "link").readlink() == Path("/nowhere")
