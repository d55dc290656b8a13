"""What operators ask: whether the portal is well, and its figures for Prometheus."""

from __future__ import annotations

import shutil

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from leaderboard.store import submissions, workers
from portal.house import House


def routes(house: House) -> list[Route]:
    """Return the routes of health and figures; neither tells anything of a person or team."""

    async def health(_: Request) -> Response:
        found = await run_in_threadpool(_health, house)
        return JSONResponse(found, 200 if found["database"] == "ok" else 503)

    async def metrics(_: Request) -> Response:
        return Response(
            await run_in_threadpool(_metrics, house), headers={"content-type": CONTENT_TYPE_LATEST}
        )

    return [Route("/health", health), Route("/metrics", metrics)]


def _health(house: House) -> dict[str, object]:
    try:
        with house.database.read() as tx:
            alive = len(workers.alive(tx))
    except Exception as error:  # noqa: BLE001 - whatever it is, this is the place that tells it
        return {"status": "failing", "database": type(error).__name__, "workers": 0}
    return {"status": "ok" if alive else "no worker", "database": "ok", "workers": alive}


def _metrics(house: House) -> bytes:
    registry = CollectorRegistry()

    def gauge(name: str, about: str, value: float, **labels: str) -> None:
        found = gauges.get(name)
        if found is None:
            found = gauges[name] = Gauge(name, about, list(labels), registry=registry)
        (found.labels(**labels) if labels else found).set(value)

    gauges: dict[str, Gauge] = {}
    with house.database.read() as tx:
        for state, number in submissions.counts(tx).items():
            gauge("drydock_submissions", "Submissions by state", number, state=state.value)
        for name, silence in workers.heard_of(tx).items():
            about = "Seconds since a worker was heard of"
            gauge("drydock_worker_silence_seconds", about, silence.total_seconds(), worker=name)
        seconds = submissions.usual_seconds(tx)
    if seconds is not None:
        gauge("drydock_grading_seconds", "Median time of the last 20 gradings", seconds)
    free = shutil.disk_usage(house.settings.data).free
    gauge("drydock_disk_free_bytes", "Free space where the data folder lies", free)
    return generate_latest(registry)
