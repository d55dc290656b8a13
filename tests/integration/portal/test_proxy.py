"""The portal behind nginx and TLS, as companies run it, and what other sites may not do."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from leaderboard.model import LinkPurpose
from portal.services import accounts
from portal.web.identity import COOKIE
from tests.support.nginx import NAME, proxied
from tests.support.portal import Portal, free_port, reference, running

SECONDS = 20


@dataclass(frozen=True)
class Behind:
    """A portal that is reached by way of nginx alone."""

    portal: Portal
    port: int
    authority: Path

    @property
    def address(self) -> str:
        return f"https://{NAME}:{self.port}"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    port = free_port()
    data = tmp_path_factory.mktemp("data")
    with running(data, "--address", f"https://{NAME}:{port}") as portal:
        inner = portal.house.settings.port
        with proxied(tmp_path_factory.mktemp("nginx"), port, inner) as authority:
            await_port(port)
            yield Behind(portal=portal, port=port, authority=authority)


def await_port(port: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("nginx does not listen.")


def signed_in(portal: Portal) -> str:
    link = accounts.hand_out(portal.house, LinkPurpose.SIGN_IN, portal.held.people["Ada"].id)
    return accounts.sign_in_by_link(portal.house, link.rpartition("/")[2])


def test_page_is_drawn_behind_a_proxy(behind: Behind) -> None:
    with (
        socket.create_connection(("127.0.0.1", behind.port)) as joined,
        connect(
            f"wss://{NAME}:{behind.port}/_stcore/stream",
            sock=joined,
            ssl=ssl.create_default_context(cafile=behind.authority),
            origin=Origin(behind.address),
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": f"{COOKIE}={signed_in(behind.portal)}"},
        ) as opened,
    ):
        opened.close()


def test_proxy_may_name_another_host(behind: Behind) -> None:
    inner = behind.portal.address.replace("http", "ws", 1)
    cookie = {"Cookie": f"{COOKIE}={signed_in(behind.portal)}"}
    path, known = f"{inner}/_stcore/stream", [Subprotocol("streamlit")]
    with connect(
        path, origin=Origin(behind.address), subprotocols=known, additional_headers=cookie
    ) as opened:
        opened.close()
    for foreign in ("https://evil.example.org", f"https://evil.{NAME}"):
        with (
            pytest.raises(InvalidStatus),
            connect(path, origin=Origin(foreign), subprotocols=known, additional_headers=cookie),
        ):
            pass


def test_cookie_travels_over_tls_alone(behind: Behind) -> None:
    held = behind.portal.held.people["Bob"].id
    link = accounts.hand_out(behind.portal.house, LinkPurpose.SIGN_IN, held)
    path = f"/enter/{link.rpartition('/')[2]}"
    with httpx.Client(
        base_url=f"https://127.0.0.1:{behind.port}",
        verify=ssl.create_default_context(cafile=behind.authority),
        headers={"host": f"{NAME}:{behind.port}", "origin": behind.address},
    ) as browser:
        entered = browser.post(path, extensions={"sni_hostname": NAME})
    assert entered.status_code == httpx.codes.SEE_OTHER
    assert {"Secure", "HttpOnly"} <= set(entered.headers["set-cookie"].split("; "))


def test_push_is_answered_line_by_line(behind: Behind, tmp_path: Path) -> None:
    port = reference(behind.portal.held.challenge, "accepted/scikit-learn", tmp_path / "port")
    settings = {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_SSL_CAINFO": str(behind.authority),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.curloptResolve",
        "GIT_CONFIG_VALUE_0": f"{NAME}:{behind.port}:127.0.0.1",
    }
    inner = behind.portal.git_address("Ada")
    host = behind.portal.address.removeprefix("http://")
    address = inner.replace("http", "https", 1).replace(host, f"{NAME}:{behind.port}")
    with subprocess.Popen(
        ["git", "-C", port, "push", address, "HEAD:main"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    ) as push:
        assert push.stderr is not None
        told = []
        # Nobody grades here: had nginx kept the answer back, this would wait for the end.
        for line in push.stderr:
            told.append(line)
            if "Report:" in line:
                break
        push.terminate()
    assert f"{behind.address}/report?submission=1" in told[-1], told
