"""``lessons/<slug>/`` → Lesson.

::

    lessons/<slug>/
    ├── lesson.toml      title, level, what it teaches and unlocks, points to pass, wrong answers
    └── source/          nbgrader's source notebooks, and the files that lie beside them
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import nbformat
from nbformat import NotebookNode
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import UsageError, UserError
from grader.lessons.model import Lesson, Level, WrongAnswer
from grader.model import Limits

MANIFEST = "lesson.toml"
SOURCE = "source"
_LARGEST = 20 << 20
Word = Annotated[str, Field(min_length=1, max_length=200)]


class LessonError(UserError):
    """A lesson that cannot be loaded."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _About(_Strict):
    title: Word
    summary: Annotated[str, Field(min_length=1, max_length=1000)]
    level: Level
    minutes: Annotated[int, Field(ge=1, le=600)]
    teaches: tuple[Word, ...] = ()
    after: tuple[Word, ...] = ()
    unlocks: tuple[Word, ...] = ()
    passing: Annotated[float, Field(ge=0)]


class _Limits(_Strict):
    cell_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    wall_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    cpu_seconds: Annotated[int, Field(gt=0, le=3600)] = 120
    memory_mb: Annotated[int, Field(ge=64, le=16384)] = 1024


class _Wrong(_Strict):
    name: Word
    loses: Annotated[tuple[Word, ...], Field(min_length=1)]
    cells: dict[str, str]


class _Manifest(_Strict):
    lesson: _About
    limits: _Limits = _Limits()
    wrong: tuple[_Wrong, ...] = ()


def list_lessons(
    folders: Sequence[Path], broken: Callable[[str, LessonError], object] | None = None
) -> tuple[Lesson, ...]:
    """Return all lessons in folders, in the order in which they should be taken.

    :param broken: told the name of a lesson that cannot be loaded, and why; the others are returned
    :raises LessonError: one cannot be loaded, and nobody is told
    """
    found = {}
    for folder in folders:
        for file in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
            try:
                found[file.parent.name] = load(file.parent)
            except LessonError as error:
                if broken is None:
                    raise
                broken(file.parent.name, error)
    return _in_order(found)


def find_lesson(slug: str, folders: Sequence[Path]) -> Lesson:
    """Return the lesson of that name.

    :raises UsageError: there is none; the message names the nearest
    """
    for folder in folders:
        if (folder / slug / MANIFEST).is_file():
            return load(folder / slug)
    known = [file.parent.name for folder in folders for file in folder.glob(f"*/{MANIFEST}")]
    near = difflib.get_close_matches(slug, known, n=1, cutoff=0)
    raise UsageError(
        "unknown-lesson",
        f"There is no lesson {slug!r}" + (f"; the nearest is {near[0]!r}." if near else "."),
        remedy="See them all with: drydock lesson list",
    )


def load(root: Path) -> Lesson:
    """Read a lesson's folder.

    :raises LessonError: what it lacks, where, and what to do
    """
    manifest = _manifest(root / MANIFEST)
    source = root / SOURCE
    names = notebooks(source)
    if not names:
        raise _wrong(source, "it holds no notebook", "Put an nbgrader source notebook there.")
    for name in names:
        read_notebook(source / f"{name}.ipynb")
    about, limits = manifest.lesson, manifest.limits
    return Lesson(
        slug=root.name,
        title=about.title,
        summary=about.summary,
        level=about.level,
        minutes=about.minutes,
        teaches=about.teaches,
        after=about.after,
        unlocks=about.unlocks,
        passing=about.passing,
        limits=Limits(
            wall_seconds=limits.wall_seconds,
            cpu_seconds=limits.cpu_seconds,
            memory_mb=limits.memory_mb,
        ),
        cell_seconds=limits.cell_seconds,
        wrong=tuple(
            WrongAnswer(name=item.name, cells=item.cells, loses=frozenset(item.loses))
            for item in manifest.wrong
        ),
        source=source,
        digest=_digest(root),
    )


def notebooks(source: Path) -> tuple[str, ...]:
    """Return the names of a folder's notebooks, without their suffix, sorted."""
    return tuple(sorted(file.stem for file in source.glob("*.ipynb")))


def named_notebooks(lesson: Lesson, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return what was handed in by the names that the lesson's notebooks have.

    Where a lesson has one notebook, the one file is it: copies get names like ``x (1).ipynb``.

    :param files: by file name, with or without folders
    :raises LessonError: a file is no notebook of the lesson, or there is none (slug
        ``notebook-elsewhere``); or it is no notebook at all (slug ``notebook-unreadable``)
    """
    wanted = notebooks(lesson.source)
    if not files:
        raise _elsewhere("No notebook was handed in.", wanted)
    named: dict[str, bytes] = {}
    for file, content in files.items():
        name = wanted[0] if len(wanted) == len(files) == 1 else Path(file).stem
        if name not in wanted:
            raise _elsewhere(f"{file} is no notebook of this lesson.", wanted)
        if name in named:
            raise _elsewhere(f"There is more than one {name}.ipynb.", wanted)
        parse_notebook(content, file)
        named[name] = content
    return named


def _elsewhere(problem: str, wanted: Sequence[str]) -> LessonError:
    files = ", ".join(f"{name}.ipynb" for name in wanted)
    return LessonError("notebook-elsewhere", problem, remedy=f"Hand in {files}.")


def read_notebook(file: Path) -> NotebookNode:
    """Read a notebook of format 4, whatever its minor version.

    :raises LessonError: it is none, or too large (slug ``notebook-unreadable``)
    """
    return parse_notebook(file.read_bytes(), str(file))


def parse_notebook(content: bytes, name: str) -> NotebookNode:
    """Return a notebook of format 4, whatever its minor version.

    :raises LessonError: it is none, or too large (slug ``notebook-unreadable``)
    """
    if len(content) > _LARGEST:
        raise LessonError(
            "notebook-unreadable",
            f"{name} is larger than {_LARGEST >> 20} MB.",
            remedy="Clear its outputs, and hand it in again.",
        )
    try:
        notebook: NotebookNode = nbformat.reads(content.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises whatever it stumbles over
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise LessonError(
            "notebook-unreadable",
            f"{name} is no notebook that Jupyter would open: {first}.",
            remedy="Open it in Jupyter, save it, and hand it in again.",
        ) from error
    return notebook


def grade_id(cell: NotebookNode) -> str:
    """Return the name by which nbgrader knows a cell; empty where it marks none."""
    known: str = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return known


def _manifest(file: Path) -> _Manifest:
    try:
        return _Manifest.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise _wrong(file, f"it cannot be read: {error.strerror}", "") from error
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, f"it is no TOML: {error}", "") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        remedy = "The guide for champions shows a whole one."
        raise _wrong(file, f"{place}: {first['msg']}", remedy) from error


def _wrong(file: Path, problem: str, remedy: str) -> LessonError:
    return LessonError("lesson-invalid", f"{file}: {problem}.", remedy=remedy)


def _digest(root: Path) -> str:
    whole = hashlib.sha256()
    files = [root / MANIFEST, *sorted(p for p in (root / SOURCE).rglob("*") if p.is_file())]
    for file in files:
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        whole.update(f"{file.relative_to(root).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _in_order(found: dict[str, Lesson]) -> tuple[Lesson, ...]:
    """Return lessons so that each comes after those it builds on; else by level and name."""
    ranks = list(Level)
    left = sorted(found.values(), key=lambda lesson: (ranks.index(lesson.level), lesson.slug))
    done: list[Lesson] = []
    while left:
        waiting = {lesson.slug for lesson in left}
        ready = next((item for item in left if not waiting & set(item.after)), left[0])
        left.remove(ready)
        done.append(ready)
    return tuple(done)
