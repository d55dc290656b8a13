from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from grader.accuracy import http
from grader.accuracy.http import Reply, UnansweredError, ask

Server = Callable[[socket.socket], None]


def ask_of(server: Server, seconds: float = 5.0) -> Reply:
    """Ask a server that plays its part on the other end of a socket."""
    near, far = socket.socketpair()

    def play() -> None:
        with far:
            try:
                far.recv(65536)
                server(far)
            except OSError:
                return  # the asker hung up, as it should on such a server

    thread = threading.Thread(target=play)
    thread.start()
    try:
        return ask(near, "POST", "/score", b"{}", seconds=seconds)
    finally:
        thread.join()


def sending(*parts: bytes) -> Server:
    def server(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return server


def endless(start: bytes, part: bytes, pause: float = 0.0) -> Server:
    def server(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(part)
            time.sleep(pause)

    return server


HEAD = b"HTTP/1.1 200 OK\r\n"


def test_whole_answer_is_read() -> None:
    reply = ask_of(sending(HEAD, b"Content-Length: 11\r\n\r\n", b'{"rows": []}'[:11]))
    assert (reply.status, reply.body) == (200, b'{"rows": []')


def test_answer_until_close_is_read() -> None:
    assert ask_of(sending(HEAD, b"\r\n", b"{}")).json() == {}


@pytest.mark.parametrize("body", [b"", b"nope", b"[" * 100_000, b"\xff", b"1" * 5000])
def test_other_bodies_are_no_json(body: bytes) -> None:
    with pytest.raises(UnansweredError, match="not JSON"):
        Reply(status=200, body=body).json()


@pytest.mark.parametrize(
    "server",
    [
        sending(),
        sending(b"hello\r\n\r\n"),
        sending(HEAD, b"Content-Length: 5\r\n\r\n", b"abc"),
        sending(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"),
        endless(HEAD, b"X-More: header\r\n"),
        endless(HEAD + b"X-Long: ", b"x" * 1000),
    ],
)
def test_broken_answers_are_named(server: Server) -> None:
    with pytest.raises(UnansweredError, match="broke before a whole"):
        ask_of(server)


@pytest.mark.parametrize(
    "server",
    [
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        endless(HEAD + b"\r\n", b"a", 0.02),
        endless(HEAD, b"x", 0.02),
        lambda _: time.sleep(0.6),
    ],
)
def test_slow_answers_end_in_time(server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(UnansweredError, match=r"within 0\.3 s"):
        ask_of(server, seconds=0.3)
    assert time.monotonic() - began < 2


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_LIMIT", 1 << 20)


@pytest.mark.usefixtures("small_limit")
def test_huge_answers_are_cut() -> None:
    with pytest.raises(UnansweredError, match="larger than 1 MB"):
        ask_of(endless(HEAD + b"\r\n", b"x" * 65536))
