"""How fast lessons are graded: nbgrader's own command, and Drydock on a warm bench, side by side.

``python -m tests.bench.lessons [--times N]``. Each way grades the same notebooks with the same
result, or nothing is printed. The aim is fifteen times nbgrader's speed at equal scores.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import lessons
from grader.lessons import exchange
from portal.settings import HOME
from tests.support import nbgrader

AIM = 15.0
NEEDS_MORE = {"what-sas-r-and-excel-do-differently"}
"""Lessons whose packages nbgrader's own kernel lacks here: it is Drydock's, without statsmodels."""
CONSOLE = Console(highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    table = Table("lesson", "nbgrader s", "Drydock s", "times as fast", "points", box=None)
    shares = []
    with tempfile.TemporaryDirectory() as folder, lessons.open_bench() as bench:
        for lesson, notebooks in cases(Path(folder)):
            lessons.grade(lesson, notebooks, bench)  # the course is made once for each lesson
            course = nbgrader.lay_out(Path(folder) / f"course-{lesson.slug}", lesson, notebooks)
            slow, quick, points = [], [], set()
            for _ in range(times):
                began = time.perf_counter()
                theirs = nbgrader.autograde(course)
                half = time.perf_counter()
                ours = lessons.grade(lesson, notebooks, bench, feedback=False).grade.cells
                slow.append(half - began)
                quick.append(time.perf_counter() - half)
                points |= {sum(cell.auto or 0 for cell in cells) for cells in (theirs, ours)}
                if {c.cell: c.auto for c in theirs} != {c.cell: c.auto for c in ours}:
                    raise SystemExit(f"{lesson.slug}: the scores differ")
            shares.append(statistics.median(slow) / statistics.median(quick))
            figures = (statistics.median(slow), statistics.median(quick), shares[-1])
            table.add_row(lesson.slug, *(f"{x:.2f}" for x in figures), str(*points))
    CONSOLE.print(f"Medians of {times} gradings, without feedback on either side.")
    CONSOLE.print(table)
    reached = min(shares) >= AIM
    CONSOLE.print(f"The aim of {AIM:.0f} times is {'reached' if reached else 'missed'}.")


def cases(folder: Path) -> list[tuple[lessons.Lesson, dict[str, bytes]]]:
    """Return lessons with what was handed in: ours solved, and the course of nbgrader's guide."""
    found = [
        (lesson, {file.stem: file.read_bytes() for file in lesson.source.glob("*.ipynb")})
        for lesson in lessons.list_lessons([HOME / "lessons"])
        if lesson.slug not in NEEDS_MORE
    ]
    exchange.take_in(nbgrader.GUIDE, folder / "taken")
    taken = lessons.load(folder / "taken" / "ps1")
    return [(taken, nbgrader.handed_in("hacker")), *found]


if __name__ == "__main__":
    main()
