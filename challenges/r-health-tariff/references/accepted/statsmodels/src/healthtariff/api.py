"""The live API: the same answers as the batch command, one request at a time.

Serve it with ``MODEL_FILE=model.bin python -m uvicorn healthtariff.api:app``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field, StrictFloat, StrictInt, StrictStr

from healthtariff import __version__, artefact
from healthtariff.data import InputError, table_of
from healthtariff.scoring import score

MOST_ROWS = 100_000
"""Rows that one request may hold; what is larger belongs in a batch."""

Value = StrictStr | StrictInt | StrictFloat | None
Rows = Annotated[list[dict[str, Value]], Field(min_length=1, max_length=MOST_ROWS)]


class Table(BaseModel):
    """Rows, each a mapping of column to value; a missing value is null."""

    rows: Rows


class Health(BaseModel):
    """What answers, and which data its model was trained on."""

    status: str
    version: str
    data_digest: str


@asynccontextmanager
async def _model(service: FastAPI) -> AsyncIterator[None]:
    """Load the model once, when the service starts, from the file that MODEL_FILE names."""
    service.state.artefact = artefact.load(Path(os.environ.get("MODEL_FILE", "model.bin")))
    yield


app = FastAPI(title="healthtariff", version=__version__, lifespan=_model)


@app.get("/health")
def health(request: Request) -> Health:
    """Tell that the service is up and has its model."""
    lineage = request.app.state.artefact.lineage
    return Health(status="ok", version=__version__, data_digest=lineage.data_digest)


@app.post("/score")
def score_rows(table: Table, request: Request) -> Table:
    """Answer every row, in order: its key and the output columns."""
    try:
        answers = score(request.app.state.artefact, table_of(table.rows))
    except InputError as error:
        raise HTTPException(status_code=422, detail=str(error)) from error
    return Table.model_construct(rows=answers.to_dict(orient="records"))
