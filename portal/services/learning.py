"""Learning: the path of lessons, handing in, feedback, and what champions say of answers."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from grader.lessons import (
    CellGrade,
    Lesson,
    LessonError,
    LessonGrade,
    exchange,
    find_lesson,
    grade_from,
    grade_id,
    list_lessons,
    named_notebooks,
    notebooks,
    page_of,
    parse_notebook,
    read_notebook,
    write_release,
)
from leaderboard.model import LessonAttempt, Person, Role
from leaderboard.store import lessons, people
from portal import teaching
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.services import accounts

_WAITING = 3
"""How many of one person's may wait to be graded."""


class State(StrEnum):
    """Where somebody stands with a lesson."""

    PASSED = "passed"
    NEXT = "open to you"
    LATER = "better later"
    """Others should be passed before; nobody is kept from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A lesson on somebody's path."""

    lesson: Lesson
    state: State
    tries: int
    best: LessonAttempt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """How people fared with one cell, each person's last try."""

    notebook: str
    cell: str
    people: int
    lost: int
    """How many of them did not get all its points."""
    share: float
    """Of its points, on average."""
    reasons: tuple[str, ...]
    """Why, the most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToJudge:
    """What a champion has yet to look at."""

    attempt: LessonAttempt
    lesson: Lesson
    person: Person
    cells: tuple[tuple[CellGrade, str], ...]
    """With what was written there."""


def all_lessons(house: House) -> tuple[Lesson, ...]:
    """Return the lessons, in the order in which they should be taken; broken ones are left out."""
    places = teaching.folders(house.settings)
    return _listed(places, _stamp(places))[0]


def broken_lessons(house: House) -> Mapping[str, LessonError]:
    """Return why lessons cannot be loaded, by their names: for those who write them."""
    places = teaching.folders(house.settings)
    return _listed(places, _stamp(places))[1]


def path(house: House, person: Person) -> tuple[Station, ...]:
    """Return the lessons with where somebody stands."""
    with house.database.read() as tx:
        handed_in = lessons.of_person(tx, person.id)
        done = set(lessons.passed(tx).get(person.id, ()))
    stations = []
    for lesson in all_lessons(house):
        own = [attempt for attempt in handed_in if attempt.lesson == lesson.slug]
        graded = [attempt for attempt in own if attempt.result is not None]
        if lesson.slug in done:
            state = State.PASSED
        else:
            state = State.NEXT if done.issuperset(lesson.after) else State.LATER
        stations.append(
            Station(
                lesson=lesson,
                state=state,
                tries=len(own),
                best=max(graded, key=_score, default=None),
            )
        )
    return tuple(stations)


def attempts(house: House, person: Person, slug: str) -> tuple[LessonAttempt, ...]:
    """Return what somebody handed in of a lesson, the newest first."""
    with house.database.read() as tx:
        return tuple(item for item in lessons.of_person(tx, person.id) if item.lesson == slug)


def hand_in(house: House, person: Person, slug: str, files: Mapping[str, bytes]) -> LessonAttempt:
    """Take in notebooks, and queue them to be graded.

    :param files: by file name; where a lesson has one notebook, whatever its name is
    :raises DrydockError: there is no such lesson, a file is no notebook of it, or too many wait
    """
    lesson = find_lesson(slug, teaching.folders(house.settings))
    accounts.note_upload(house, person)
    named = named_notebooks(lesson, files)
    text = json.dumps({name: content.decode() for name, content in named.items()})
    with house.database.write() as tx:
        taken = lessons.hand_in(tx, person.id, slug, text, most=_WAITING, at=house.now())
        house.queue.put_lesson(tx, taken)
    return taken


def hub_address(house: House, slug: str, notebook: str) -> str:
    """Return where a notebook opens on the JupyterHub that is configured; empty where none is."""
    named = house.settings.jupyterhub.replace("{lesson}", slug)
    return named.replace("{notebook}", notebook)


def grade_of(attempt: LessonAttempt) -> LessonGrade | None:
    """Return the grade of an attempt, cell by cell; None where there is none yet."""
    return grade_from(json.loads(attempt.result.cells)) if attempt.result else None


def feedback(house: House, person: Person, attempt: int, notebook: str) -> str:
    """Return a page of feedback.

    :raises Forbidden: it is somebody else's, and the person no champion (slug ``not-yours``)
    """
    with house.database.read() as tx:
        found = lessons.find(tx, attempt)
        if found.person_id != person.id and Role.CHAMPION not in person.roles:
            raise Forbidden("not-yours", "There is nothing here that you may see.")
        pages = json.loads(lessons.feedback(tx, attempt) or "{}")
    if notebook not in pages:
        raise Forbidden("not-yours", "There is no feedback of this name.")
    return str(pages[notebook])


def release(house: House, slug: str) -> Path:
    """Return the folder that learners get of a lesson; made when it is first asked for."""
    lesson = find_lesson(slug, teaching.folders(house.settings))
    folder = house.settings.data / "releases" / lesson.digest
    if not folder.exists():
        try:
            write_release(lesson, folder)
        except OSError as error:
            # Somebody else was faster, or the disk is full.
            if not folder.exists():
                raise PortalError("data-folder", f"{folder} cannot be written: {error}.") from error
    return folder


def reading(house: House, slug: str, notebook: str) -> str:
    """Return a released notebook as a page to read.

    :raises Forbidden: the lesson has no such notebook (slug ``not-yours``)
    """
    folder = release(house, slug)
    if notebook not in notebooks(folder):
        raise Forbidden("not-yours", "The lesson has no notebook of this name.")
    return page_of(read_notebook(folder / f"{notebook}.ipynb"))


def teaches(house: House, code: str) -> Lesson | None:
    """Return the first lesson that helps with a check; None where there is none."""
    return next((lesson for lesson in all_lessons(house) if code in lesson.teaches), None)


def passed(house: House) -> dict[int, tuple[str, ...]]:
    """Return the titles of the lessons that people have passed, by person."""
    titles = {lesson.slug: lesson.title for lesson in all_lessons(house)}
    with house.database.read() as tx:
        done = lessons.passed(tx)
    return {
        person: tuple(titles[slug] for slug in slugs if slug in titles)
        for person, slugs in done.items()
    }


# ------------------------------------------------------------------------------ champions


def figures(house: House, person: Person, slug: str) -> tuple[CellFigures, ...]:
    """Return how people fare with each cell of a lesson, in the order of the cells.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    with house.database.read() as tx:
        last = {
            attempt.person_id: attempt
            for attempt in lessons.of_lesson(tx, slug)
            if attempt.result is not None
        }
    cells: dict[tuple[str, str], list[CellGrade]] = defaultdict(list)
    for attempt in last.values():
        given = grade_of(attempt)
        for cell in given.cells if given else ():
            if not cell.waits:
                cells[cell.notebook, cell.cell].append(cell)
    return tuple(_figures(notebook, cell, grades) for (notebook, cell), grades in cells.items())


def results(house: House, person: Person) -> str:
    """Return everybody's last graded try at each lesson, as ``drydock lesson export`` takes it.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    known = {lesson.slug for lesson in all_lessons(house)}
    with house.database.read() as tx:
        learners = {found.id: found for found in people.people(tx)}
        last = {
            (attempt.person_id, slug): attempt
            for slug in sorted(known)
            for attempt in lessons.of_lesson(tx, slug)
        }
    told = [
        exchange.Result(
            student=learners[number].email, grade=given, handed_in_at=attempt.received_at
        )
        for (number, _), attempt in last.items()
        if (given := grade_of(attempt)) is not None
    ]
    names = {result.student for result in told}
    students = [
        exchange.Student(id=found.email, last_name=found.name, email=found.email)
        for found in learners.values()
        if found.email in names
    ]
    return exchange.to_json(students, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What came of results that were graded elsewhere."""

    new: int
    known: int
    """There before."""
    strangers: tuple[str, ...]
    """Students who are nobody here."""
    unknown_lessons: tuple[str, ...]


def take_in(house: House, person: Person, text: str) -> TakenIn:
    """Take in results, as ``drydock lesson import`` writes them; people are found by their address.

    A student's address, or else the name that the course knows them by, is their address here.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises UsageError: the text holds no results (slug ``results-unreadable``)
    """
    _check(person)
    students, told = exchange.from_json(text)
    addresses = {student.id: (student.email or student.id).lower() for student in students}
    lesson_of = {lesson.slug: lesson for lesson in all_lessons(house)}
    strangers, unknown, count = set(), set(), Counter[bool]()
    with house.database.write() as tx:
        here = {found.email.lower(): found.id for found in people.people(tx)}
        for result in told:
            slug, learner = result.grade.lesson, here.get(addresses.get(result.student, ""))
            if learner is None:
                strangers.add(result.student)
            elif slug not in lesson_of:
                unknown.add(slug)
            else:
                new = lessons.take_in(
                    tx,
                    learner,
                    slug,
                    teaching.worth(lesson_of[slug], result.grade),
                    received_at=result.handed_in_at or house.now(),
                    by=person.id,
                    at=house.now(),
                )
                count[new] += 1
    return TakenIn(
        new=count[True],
        known=count[False],
        strangers=tuple(sorted(strangers)),
        unknown_lessons=tuple(sorted(unknown)),
    )


def to_judge(house: House, person: Person) -> tuple[ToJudge, ...]:
    """Return what people wrote that a champion has yet to look at, the oldest first.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    known = {lesson.slug: lesson for lesson in all_lessons(house)}
    with house.database.read() as tx:
        found = [item for item in lessons.waiting(tx) if item.lesson in known]
        return tuple(
            ToJudge(
                attempt=item,
                lesson=known[item.lesson],
                person=people.find_person(tx, item.person_id),
                cells=_written(grade_of(item), json.loads(lessons.content(tx, item.id))),
            )
            for item in found
        )


def judge(
    house: House,
    person: Person,
    attempt: int,
    words: Mapping[tuple[str, str], tuple[float, str]],
) -> LessonAttempt:
    """Say what cells are worth that a person must look at.

    :param words: points and a comment, by notebook and grade id
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises PortalError: there are more points than the cell has (slug ``lesson-points``)
    """
    _check(person)
    with house.database.write() as tx:
        found = lessons.find(tx, attempt)
        given = grade_of(found)
        if given is None:
            raise Forbidden("not-yours", "It is not graded yet.")
        cells = tuple(_judged(cell, words.get((cell.notebook, cell.cell))) for cell in given.cells)
        lesson = find_lesson(found.lesson, teaching.folders(house.settings))
        new = teaching.worth(lesson, replace(given, cells=cells))
        return lessons.correct(tx, attempt, new, by=person.id, at=house.now())


def _judged(cell: CellGrade, word: tuple[float, str] | None) -> CellGrade:
    if word is None:
        return cell
    points, comment = word
    if not 0 <= points <= cell.possible:
        raise PortalError(
            "lesson-points", f"{cell.cell} has {cell.possible:g} points; {points:g} is not of them."
        )
    return replace(cell, manual=points, comment=comment.strip(), waits=False)


def _written(
    given: LessonGrade | None, handed_in: Mapping[str, str]
) -> tuple[tuple[CellGrade, str], ...]:
    """Return the cells that wait, with what was written there."""
    texts = {
        (name, grade_id(cell)): cell.source
        for name, content in handed_in.items()
        for cell in parse_notebook(content.encode(), f"{name}.ipynb").cells
    }
    return tuple(
        (cell, texts.get((cell.notebook, cell.cell), ""))
        for cell in (given.cells if given else ())
        if cell.waits
    )


def _figures(notebook: str, cell: str, grades: list[CellGrade]) -> CellFigures:
    lost = [grade for grade in grades if grade.points < grade.possible]
    reasons = [grade.reason for grade in lost if grade.reason]
    often = sorted(set(reasons), key=lambda reason: (-reasons.count(reason), reason))
    possible = sum(grade.possible for grade in grades)
    return CellFigures(
        notebook=notebook,
        cell=cell,
        people=len(grades),
        lost=len(lost),
        share=sum(grade.points for grade in grades) / possible if possible else 1.0,
        reasons=tuple(often[:3]),
    )


def _check(person: Person) -> None:
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions look after lessons.")


def _score(attempt: LessonAttempt) -> float:
    return attempt.result.score if attempt.result else 0.0


def _stamp(places: tuple[Path, ...]) -> tuple[tuple[str, int], ...]:
    """Return what changes when a lesson does."""
    return tuple(
        (str(file), file.stat().st_mtime_ns)
        for place in places
        for file in sorted(place.rglob("*"))
        if not any(part.startswith(".") for part in file.relative_to(place).parts)
    )


@lru_cache(maxsize=8)
def _listed(
    places: tuple[Path, ...], stamp: tuple[tuple[str, int], ...]
) -> tuple[tuple[Lesson, ...], Mapping[str, LessonError]]:
    del stamp
    broken: dict[str, LessonError] = {}
    return list_lessons(places, broken.__setitem__), broken
