"""A plain scikit-learn pipeline behind the smallest service: what one row costs at least.

It runs in the sandbox with the packages of the environment, and is asked in turn with a team's
service, so that both are measured under the same load.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge  # type: ignore[import-untyped] # it ships no types
from sklearn.pipeline import Pipeline, make_pipeline  # type: ignore[import-untyped] # as above
from sklearn.preprocessing import StandardScaler  # type: ignore[import-untyped] # as above

Message = MutableMapping[str, Any]
COLUMNS = [f"x{number}" for number in range(10)]


def make_app() -> Callable[..., Awaitable[None]]:
    """Return an ASGI application that answers every request with one prediction."""
    model = _fitted()
    row = pd.DataFrame([np.linspace(0, 1, len(COLUMNS))], columns=COLUMNS)

    async def app(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body", False):
            pass
        body = json.dumps({"rows": [{"answer": float(model.predict(row)[0])}]}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _fitted() -> Pipeline:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(200, len(COLUMNS))), columns=COLUMNS)
    return make_pipeline(StandardScaler(), Ridge()).fit(table, draw.normal(size=200))
