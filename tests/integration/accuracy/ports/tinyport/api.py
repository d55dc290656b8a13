from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from tinyport.model import BadInputError, score

MODEL = json.loads(Path(os.environ["MODEL_FILE"]).read_text())
app = FastAPI()


class Rows(BaseModel):
    rows: list[dict[str, Any]]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/score")
def score_rows(body: Rows) -> dict[str, Any]:
    try:
        answers = score(MODEL, pd.DataFrame(body.rows))
    except BadInputError as error:
        raise HTTPException(status_code=422, detail=str(error)) from error
    return {"rows": answers.to_dict(orient="records")}
