"""Messages: one JSON object in one packet, with the file descriptors that belong to it."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any

LARGEST = 150_000
"""Bytes of the largest message. A packet must fit the socket's buffer, 208 KiB by default."""

_MOST_DESCRIPTORS = 4


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends of a channel that keeps messages apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(channel: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message.

    :raises ValueError: the message is larger than a channel carries
    :raises OSError: nobody listens
    """
    packet = json.dumps(message).encode()
    if len(packet) > LARGEST:
        raise ValueError(f"a message of {len(packet)} bytes is larger than {LARGEST}")
    socket.send_fds(channel, [packet], list(descriptors))


def receive(channel: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return the next message and its descriptors; None when the other end is gone."""
    try:
        packet, descriptors = _next(channel)
    except ConnectionResetError:
        # The other end left without reading all. That is told before what it had still sent, once:
        # its last words are to be had behind it.
        packet, descriptors = _next(channel)
    return (json.loads(packet) if packet else None), descriptors


def _next(channel: socket.socket) -> tuple[bytes, list[int]]:
    packet, descriptors, _, _ = socket.recv_fds(channel, LARGEST + 1, _MOST_DESCRIPTORS)
    return packet, list(descriptors)
