"""Lessons in the portal: handed in, graded by a worker, read, judged, and shown."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import nbformat
import pytest

from grader.errors import DrydockError
from grader.lessons import CellGrade, LessonGrade, exchange, load
from leaderboard.errors import StoreError
from leaderboard.model import JobState, LessonAttempt
from leaderboard.store import accounts, lessons
from portal import teaching
from portal.errors import Forbidden, PortalError
from portal.house import House, open_house
from portal.services import learning
from portal.services.learning import State
from portal.settings import HOME, Settings
from portal.teaching import Teacher
from portal.web import files
from portal.web.identity import COOKIE
from tests.support.portal import Held, answering, hold

FIRST = "from-notebook-to-package"
CELLS = "pipelines-that-dont-leak"


@pytest.fixture(scope="module")
def bench() -> Iterator[Teacher]:
    """One bench for all tests: it takes seconds to open."""
    with Teacher(None, ()) as teacher:  # type: ignore[arg-type]  # each test brings its database
        yield teacher


@pytest.fixture
def teacher(bench: Teacher, house: House) -> Teacher:
    return on(bench, house)


def on(bench: Teacher, house: House) -> Teacher:
    bench._database = house.database
    bench._places = teaching.folders(house.settings)
    return bench


def solution(slug: str) -> bytes:
    return (HOME / "lessons" / slug / "source" / f"{slug}.ipynb").read_bytes()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    """Give a portal of its own: what both databases do is shown by the shorter tests."""
    house = open_house(Settings(data=tmp_path))
    yield house
    house.close()


def test_lesson_is_taken_passed_judged_and_shown(alone: House, bench: Teacher) -> None:
    house, held = alone, hold(alone)
    teacher = on(bench, house)
    ada, edda, gita = held.people["Ada"], held.people["Edda"], held.people["Gita"]
    assert [item.state for item in learning.path(house, ada)] == [
        State.NEXT, State.LATER, State.LATER
    ]  # fmt: skip
    released = (learning.release(house, FIRST) / f"{FIRST}.ipynb").read_bytes()
    assert b"BEGIN SOLUTION" not in released
    first = learning.hand_in(house, ada, FIRST, {"my copy (1).ipynb": released})
    second = learning.hand_in(house, ada, FIRST, {f"{FIRST}.ipynb": solution(FIRST)})
    for attempt in (first, second, second):
        teacher.grade(attempt.id)
    newest, oldest = learning.attempts(house, ada, FIRST)
    assert oldest.result is not None
    assert newest.result is not None
    assert (oldest.result.score, oldest.result.passed) == (0, False)
    assert (newest.result.score, newest.result.passed, newest.result.waits) == (13, True, True)
    page = learning.feedback(house, ada, second.id, FIRST)
    assert "Content-Security-Policy" in page
    assert "25 opens the band over" not in page, "hidden tests stay hidden"

    stations = learning.path(house, ada)
    assert [item.state for item in stations] == [State.PASSED, State.NEXT, State.NEXT]
    assert (stations[0].tries, stations[0].best) == (2, newest)
    assert learning.passed(house)[ada.id] == ("From notebook to package",)

    with pytest.raises(Forbidden):
        learning.to_judge(house, gita)
    (waiting,) = learning.to_judge(house, edda)
    ((cell, text),) = waiting.cells
    assert (cell.cell, waiting.person.name) == ("reflect", "Ada")
    assert "Think of a notebook" in text
    with pytest.raises(PortalError, match="2 points"):
        learning.judge(house, edda, second.id, {(FIRST, "reflect"): (3, "")})
    learning.judge(house, edda, second.id, {(FIRST, "reflect"): (1.5, "Which test?")})
    assert learning.to_judge(house, edda) == ()
    judged = learning.attempts(house, ada, FIRST)[0]
    assert judged.result is not None
    assert (judged.result.score, judged.result.waits) == (14.5, False)
    assert learning.feedback(house, ada, second.id, FIRST) == page

    students, results = exchange.from_json(learning.results(house, edda))
    assert [student.id for student in students] == ["ada@example.org"]
    assert [result.grade.points for result in results] == [14.5]
    book = house.settings.data / "gradebook.db"
    exchange.write_book(book, [load(HOME / "lessons" / FIRST)], students, results)
    lesson = load(HOME / "lessons" / FIRST)
    assert exchange.read_book(book, [lesson])[1][0].grade.points == 14.5

    figures = {item.cell: item for item in learning.figures(house, edda, FIRST)}
    assert (figures["band_edges"].people, figures["band_edges"].lost) == (1, 0)
    assert figures["reflect"].share == 0.75


def test_path_belongs_to_its_owner(house: House, held: Held, teacher: Teacher) -> None:
    ada, cleo = held.people["Ada"], held.people["Cleo"]
    attempt = learning.hand_in(house, ada, CELLS, {f"{CELLS}.ipynb": solution(CELLS)})
    with pytest.raises(Forbidden):
        learning.feedback(house, ada, attempt.id, CELLS)
    teacher.grade(attempt.id)
    with pytest.raises(Forbidden):
        learning.feedback(house, cleo, attempt.id, CELLS)
    with pytest.raises(Forbidden):
        learning.feedback(house, ada, attempt.id, "another")
    assert learning.feedback(house, held.people["Edda"], attempt.id, CELLS)
    assert learning.attempts(house, cleo, CELLS) == ()
    with pytest.raises(Forbidden):
        learning.figures(house, cleo, CELLS)
    with pytest.raises(Forbidden):
        learning.judge(house, cleo, attempt.id, {})


@pytest.mark.parametrize(
    ("slug", "given", "said"),
    [
        ("pipelines", {"a.ipynb": b"{}"}, "nearest is 'pipelines-that-dont-leak'"),
        (CELLS, {"a.ipynb": b"{}"}, "no notebook that Jupyter would open"),
        (CELLS, {}, "No notebook was handed in"),
        (CELLS, {"a.ipynb": b"", "b.ipynb": b""}, "no notebook of this lesson"),
    ],
)
def test_bad_upload_is_said_and_leaves_nothing(
    house: House, held: Held, slug: str, given: dict[str, bytes], said: str
) -> None:
    with pytest.raises(DrydockError, match=said):
        learning.hand_in(house, held.people["Ada"], slug, given)
    with house.database.read() as tx:
        assert lessons.of_person(tx, held.people["Ada"].id) == ()


def test_nobody_fills_the_queue_with_lessons(house: House, held: Held) -> None:
    for person in ("Ada", "Bob"):
        for _ in range(3):
            learning.hand_in(house, held.people[person], CELLS, {"x.ipynb": solution(CELLS)})
    with pytest.raises(StoreError, match="3 lessons of yours"):
        learning.hand_in(house, held.people["Ada"], CELLS, {"x.ipynb": solution(CELLS)})


def test_lesson_that_cannot_be_graded_says_so(house: House, held: Held, teacher: Teacher) -> None:
    with house.database.write() as tx:
        lost = lessons.hand_in(tx, held.people["Ada"].id, "gone", "{}", most=3, at=house.now())
    teacher.grade(lost.id)
    with house.database.read() as tx:
        found = lessons.find(tx, lost.id)
    assert (found.state, found.result) == (JobState.FAILED, None)
    assert "no lesson 'gone'" in found.message


def test_checks_lead_to_lessons(house: House) -> None:
    found = learning.teaches(house, "PIPE002")
    assert found is not None
    assert found.slug == CELLS
    assert learning.teaches(house, "SECU001") is None


def test_hub_opens_the_notebook(house: House) -> None:
    assert learning.hub_address(house, CELLS, "one") == ""
    hub = "https://hub.example.org/lab/tree/{lesson}/{notebook}.ipynb"
    told = replace(house, settings=replace(house.settings, jupyterhub=hub))
    assert learning.hub_address(told, CELLS, "one") == (
        f"https://hub.example.org/lab/tree/{CELLS}/one.ipynb"
    )


def test_own_lessons_of_a_portal_are_offered(house: House, held: Held) -> None:
    from grader.lessons.draft import draft  # noqa: PLC0415 - here alone

    draft("of-our-own", house.settings.data / "lessons")
    slugs = [station.lesson.slug for station in learning.path(house, held.people["Ada"])]
    assert "of-our-own" in slugs


def test_results_of_a_course_are_taken_in_once(house: House, held: Held) -> None:
    edda, ada = held.people["Edda"], held.people["Ada"]
    cells = (CellGrade(notebook=CELLS, cell="honest_on_noise", possible=14, auto=12.5),)
    told = exchange.to_json(
        [exchange.Student(id="al", email="Ada@example.org"), exchange.Student(id="zoe")],
        [
            exchange.Result(
                student=student,
                grade=LessonGrade(lesson=lesson, digest="", cells=cells),
                handed_in_at=house.now(),
            )
            for student, lesson in (("al", CELLS), ("al", "gone"), ("zoe", CELLS))
        ],
    )
    for new in (1, 0):
        taken = learning.take_in(house, edda, told)
        assert (taken.new, taken.known) == (new, 1 - new)
        assert (taken.strangers, taken.unknown_lessons) == (("zoe",), ("gone",))
    assert learning.passed(house)[ada.id] == ("Pipelines that don't leak",)
    (attempt,) = learning.attempts(house, ada, CELLS)
    assert attempt.result is not None
    assert attempt.result.score == 12.5
    with pytest.raises(Forbidden):
        learning.take_in(house, ada, told)


def test_downloads_are_for_who_is_signed_in(tmp_path: Path) -> None:
    with answering(tmp_path, files.routes) as portal:
        with portal.house.database.write() as tx:
            ada = portal.held.people["Ada"].id
            word = accounts.open_session(tx, ada, at=portal.house.now())
        with httpx.Client(base_url=portal.address, cookies={COOKIE: word}, timeout=60) as client:
            packed = client.get(f"/files/lessons/{CELLS}.zip")
            page = client.get(f"/files/lessons/{CELLS}/{CELLS}.html")
            assert client.get(f"/files/lessons/{CELLS}/another.html").status_code != 200
        stranger = httpx.get(f"{portal.address}/files/lessons/{CELLS}.zip")
    with zipfile.ZipFile(BytesIO(packed.content)) as archive:
        (name,) = archive.namelist()
        notebook = nbformat.reads(archive.read(name).decode(), as_version=4)
    assert name == f"{CELLS}/{CELLS}.ipynb"
    assert all("BEGIN SOLUTION" not in cell.source for cell in notebook.cells)
    assert "sandbox" in page.headers["content-security-policy"]
    assert "A leak, seen with your own eyes" in page.text
    assert stranger.status_code != 200


def test_worker_takes_lessons_from_the_queue(tmp_path: Path) -> None:
    """A worker of its own, as it runs: what both databases do with the queue is shown elsewhere."""
    house = open_house(Settings(data=tmp_path))
    held = hold(house)
    attempt = learning.hand_in(house, held.people["Ada"], CELLS, {"x.ipynb": solution(CELLS)})
    command = [sys.executable, "-m", "portal.cli", "worker", "--data", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, stdout=log, stderr=log, cwd=HOME)
    try:
        found = await_result(house, attempt.id)
    finally:
        worker.terminate()
        worker.wait(30)
        house.close()
    assert found.result is not None, (tmp_path / "log").read_text()
    assert found.result.score == 16


def await_result(house: House, attempt: int) -> LessonAttempt:
    end = time.monotonic() + 90
    while True:
        with house.database.read() as tx:
            found = lessons.find(tx, attempt)
        if found.state.terminal or time.monotonic() > end:
            return found
        time.sleep(0.2)
