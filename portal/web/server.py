"""The one process on the one port: pages, sign-in, git, API, health."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import signal
import threading
from collections.abc import AsyncIterator
from types import FrameType
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from grader.errors import DrydockError
from portal.errors import Forbidden
from portal.house import House, occupy
from portal.settings import HOME
from portal.web import api, files, operations, signin, sso, webhooks
from portal.web.gate import Gate
from portal.web.git import Git, Pushes

_LINES_ON_WHITE = (
    "#0072b2",
    "#d55e00",
    "#00825f",
    "#b0568a",
    "#7d6b00",
    "#2a2f36",
    "#9a5b00",
    "#2e7fae",
)
_LINES_ON_BLACK = (
    "#56b4e9",
    "#e69f00",
    "#2bbf94",
    "#e39ac2",
    "#f0e442",
    "#ff8a50",
    "#c3ccd6",
    "#7f9cff",
)
"""Colours that people tell apart who see some alike, after Okabe and Ito (2008), "Color Universal
Design"; lighter or darker where they had less than 3:1 to the page (WCAG 2.2, 1.4.11)."""
_COLLECT_EVERY = 5.0
"""Seconds. After each rerun, as Streamlit would do it, it costs more than the rerun itself."""


def build(house: House) -> st.App:
    """Return the whole portal as one ASGI application."""
    occupy(house)
    pushes = Pushes(house)
    return st.App(
        HOME / "app.py",
        lifespan=functools.partial(_lifespan, house),
        routes=[
            *signin.routes(house),
            *sso.routes(house),
            *operations.routes(house),
            *pushes.routes(),
            *files.routes(house),
            *webhooks.routes(house),
            api.mount(house),
        ],
        middleware=[
            Middleware(Git, house=house, pushes=pushes),
            Middleware(Gate, house=house),
        ],
        exception_handlers={DrydockError: _told},
    )


def serve(house: House) -> None:
    """Serve until told to end."""
    settings = house.settings
    build(house).run(
        config={
            "server.address": settings.host,
            "server.port": settings.port,
            "server.headless": True,
            # Else a proxy's host is a stranger's to Streamlit, and no page is drawn.
            "browser.serverAddress": urlsplit(settings.public_address).hostname,
            "logger.hideWelcomeMessage": True,
            "server.fileWatcherType": "none",
            "server.runOnSave": False,
            "server.maxUploadSize": 50,
            "browser.gatherUsageStats": False,
            "client.toolbarMode": "viewer",
            "client.showErrorDetails": "none",
            "client.showErrorLinks": False,
            "client.showSidebarNavigation": True,
            "runner.postScriptGC": False,
            "runner.magicEnabled": False,
            **_theme(),
        }
    )


def _theme() -> dict[str, object]:
    """Return colours whose contrast holds in light and in dark, and fonts that are here."""
    return {
        "theme.light.primaryColor": "#0b5cad",
        "theme.light.textColor": "#0a0f14",
        "theme.light.backgroundColor": "#ffffff",
        "theme.light.secondaryBackgroundColor": "#eef2f6",
        "theme.light.linkColor": "#0b4f94",
        "theme.light.codeTextColor": "#0b4f94",
        "theme.light.chartCategoricalColors": list(_LINES_ON_WHITE),
        "theme.dark.chartCategoricalColors": list(_LINES_ON_BLACK),
        "theme.dark.primaryColor": "#7cb7f2",
        "theme.dark.textColor": "#eef3f8",
        "theme.dark.backgroundColor": "#10161d",
        "theme.dark.secondaryBackgroundColor": "#1b2530",
        "theme.dark.linkColor": "#9ccbf7",
        "theme.dark.codeTextColor": "#9ccbf7",
    }


@contextlib.asynccontextmanager
async def _lifespan(house: House, _: st.App) -> AsyncIterator[dict[str, object]]:
    _let_go_at_the_end(house)
    _keep_out_of_the_collectors_way()
    collector = asyncio.create_task(_collect())
    try:
        yield {}
    finally:
        collector.cancel()


def _keep_out_of_the_collectors_way() -> None:
    """Import what pages import later, and have the collector never look at it again.

    With it in view, each full collection stops all readers for a third of a second.
    """
    for name in ("altair", "pandas", "pyarrow"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _let_go_at_the_end(house: House) -> None:
    """Tell those who follow a grading when the server is told to end: it waits for them."""
    if threading.current_thread() is not threading.main_thread():
        return  # no signal comes here; a test serves it
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handle(number: int, frame: FrameType | None, before: object = before) -> None:
            house.ending.set()
            if callable(before):
                before(number, frame)

        signal.signal(number, handle)


async def _collect() -> None:
    while True:
        await asyncio.sleep(_COLLECT_EVERY)
        await asyncio.to_thread(gc.collect)


async def _told(request: Request, error: Exception) -> Response:
    """Say what was refused, in the form that whoever asks can read."""
    if not isinstance(error, DrydockError):
        raise error
    status = 403 if isinstance(error, Forbidden) else 400
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": error.slug, "message": error.message}, status)
    return PlainTextResponse(f"{error.message} {error.remedy}\n", status)
