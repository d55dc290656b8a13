"""One HTTP request over a socket that leads into a sandbox: bounded in time and size.

What answers is the submission's own server, so it may send headers without end, a byte a minute or
a body without bounds. Each is a failure with a name here, and costs no more than the limits.
"""

from __future__ import annotations

import io
import json
import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, BinaryIO, cast

SECONDS = 10.0
"""Longest that one answer may take."""
BODY_LIMIT = 16 * 2**20


class UnansweredError(Exception):
    """A request that got no usable answer; the message says what came instead, in our words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer to a request."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body read as JSON.

        :raises UnansweredError: it is none
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnansweredError("the answer is not JSON") from error


def ask(
    connection: socket.socket,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    seconds: float = SECONDS,
) -> Reply:
    """Send one request and read its answer, then close the connection.

    :param seconds: until the last byte of the answer, whatever the pace of the bytes before it
    :raises UnansweredError: no whole HTTP answer within the limits
    """
    clock = _Deadline(connection, seconds)
    with connection:
        try:
            clock.arm()
            connection.sendall(_request(method, path, body))
            return _read(clock, method)
        except TimeoutError as error:
            raise UnansweredError(f"no whole answer within {seconds:g} s") from error
        except (OSError, HTTPException, ValueError) as error:
            raise UnansweredError("the connection broke before a whole HTTP answer") from error


def _request(method: str, path: str, body: bytes) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _read(clock: _Deadline, method: str) -> Reply:
    # The reader asks its socket for nothing but this one method.
    answer = HTTPResponse(cast("socket.socket", clock), method=method)
    with answer:
        answer.begin()
        body = answer.read(BODY_LIMIT + 1)
        left = answer.length
    if len(body) > BODY_LIMIT:
        raise UnansweredError(f"the answer is larger than {BODY_LIMIT // 2**20} MB")
    if left:
        raise IncompleteRead(body, left)
    return Reply(status=answer.status, body=body)


class _Deadline:
    """A socket whose every read has only what is left of one common time limit."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds

    def arm(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)

    def makefile(self, _mode: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(_Bytes(self, self._connection)))


class _Bytes(io.RawIOBase):
    def __init__(self, deadline: _Deadline, connection: socket.socket) -> None:
        super().__init__()
        self._deadline = deadline
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._deadline.arm()
        return self._connection.recv_into(buffer)
