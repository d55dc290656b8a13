"""What submissions are run with works the same in both kinds of sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from grader.model import Binding, Environment, Limits
from grader.sandbox import Job, LiveJob
from grader.sandbox.isolated import IsolatedSandbox

MakeJob = Callable[..., Job]

APP = """
from fastapi import FastAPI
app = FastAPI()
@app.get('/health')
def health():
    return {'ok': True}
"""
ARTEFACT = """
import numpy, joblib, pandas
from sklearn.linear_model import LinearRegression
table = pandas.DataFrame({'a': numpy.arange(50.0)})
joblib.dump(LinearRegression().fit(table, table['a'] * 2), 'model.bin')
table.to_parquet('out.parquet')
"""
FOREST = """
import numpy
from sklearn.ensemble import RandomForestClassifier
x = numpy.arange(400.0).reshape(200, 2)
RandomForestClassifier(10, n_jobs=2).fit(x, x[:, 0] > 100).predict(x)
"""


@pytest.fixture(scope="module", params=["cold", "warm"])
def sandbox(request: pytest.FixtureRequest, standard: Environment) -> Iterator[IsolatedSandbox]:
    with IsolatedSandbox(standard, warm=request.param == "warm") as held:
        yield held


@pytest.fixture
def tree(sandbox: IsolatedSandbox) -> Binding:
    folder = sandbox.new_folder("tree")
    (folder / "test_it.py").write_text(
        "import pytest\n@pytest.mark.parametrize('n', range(3))\n"
        "def test_it(n, tmp_path): assert n < 3\n"
    )
    return Binding(host=folder, inside=Path("/submission"))


def test_pytest_runs_without_warnings(
    sandbox: IsolatedSandbox, tree: Binding, limits: Limits
) -> None:
    arguments = ("-q", "-W", "error", "-p", "no:cacheprovider")
    job = Job(
        module="pytest",
        arguments=arguments,
        mounts=(tree,),
        copy_to_work="/submission",
        limits=limits,
    )
    result = sandbox.run(job)
    assert (result.exit_code, "3 passed" in result.stdout, "warning" in result.stdout) == (
        0,
        True,
        False,
    ), result


def test_coverage_sees_packages(sandbox: IsolatedSandbox, tree: Binding, limits: Limits) -> None:
    job = Job(
        module="coverage",
        arguments=("run", "--source", "/work", "-m", "pytest", "-q"),
        mounts=(tree,),
        copy_to_work="/submission",
        limits=limits,
        collect=(".coverage",),
    )
    result = sandbox.run(job)
    assert (result.exit_code, result.files[0].problem) == (0, None), result


@pytest.mark.parametrize("program", [ARTEFACT, FOREST], ids=["artefact", "forest"])
def test_modelling_works(sandbox: IsolatedSandbox, make_job: MakeJob, program: str) -> None:
    result = sandbox.run(make_job(sandbox, program))
    assert (result.exit_code, result.stderr) == (0, "")


def test_service_is_reached(sandbox: IsolatedSandbox, limits: Limits) -> None:
    folder = sandbox.new_folder("site")
    (folder / "app.py").write_text(APP)
    job = Job(
        module="uvicorn",
        arguments=("app:app", "--port", "8000", "--log-level", "warning"),
        mounts=(Binding(host=folder, inside=Path("/site")),),
        python_path=("/site",),
        limits=limits,
    )
    with sandbox.open(job) as live:
        assert _get(live, "/health") == b'{"ok":true}'


def _get(live: LiveJob, path: str) -> bytes:
    deadline = time.monotonic() + 15
    while True:
        try:
            link = live.connect(8000, timeout=5)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    client = HTTPConnection("127.0.0.1")
    client.sock = link
    client.request("GET", path)
    answer = client.getresponse().read()
    client.close()
    return answer
