"""Orders a folder of repositories by the standards, and holds the order against an expert's.

    python tests/reality/order.py FOLDER [--expert order.txt] [--json]

Each entry of the folder is a repository: a folder, with or without its history, or an archive. None
of their code is run. ``order.txt`` names them line by line, the best first; names alike on a line,
separated by blanks, are held to be equally good.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy import stats

from grader import standards
from grader.errors import DrydockError
from grader.survey import Survey, survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A repository and what the standards say of it."""

    name: str
    seen: Survey
    seconds: float

    @property
    def points(self) -> float:
        """Points of 1000, where what only running shows is left out of both sides."""
        return 1000 * (self.seen.earned or 0) / max(1, self.seen.possible)


def main() -> int:
    """Print the order, and how far an expert agrees with it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expert", type=Path, help="names by line, the best first")
    parser.add_argument("--json", action="store_true", help="print figures and findings as JSON")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.stderr.write(f"error: there is no folder {options.folder}\n")
        return 2
    placed = sorted(look(options.folder), key=lambda item: (-item.points, item.name))
    if options.json:
        sys.stdout.write(json.dumps([document(item) for item in placed], indent=1) + "\n")
    else:
        Console(width=200).print(drawn(placed))
    if options.expert:
        agreement(placed, options.expert)
    return 0


def look(folder: Path) -> list[Placed]:
    """Look at every repository of a folder; one that can't be read is told and left out."""
    found = []
    for source in sorted(folder.iterdir()):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="drydock-order-") as workspace:
            try:
                seen = survey(str(source), Path(workspace) / "work")
            except DrydockError as error:
                sys.stderr.write(f"{source.name}: {error}\n")
                continue
        found.append(Placed(name=source.name, seen=seen, seconds=time.perf_counter() - began))
    return found


def drawn(placed: list[Placed]) -> Table:
    """Draw the order as a table: points, and the share of each family in percent."""
    table = Table(box=None, pad_edge=False)
    for title in ("", "points", *(name[:6] for name in standards.FAMILIES), "s"):
        table.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for item in placed:
        scores = [item.seen.families.get(name) for name in standards.FAMILIES]
        shares = [
            f"{100 * (score.earned or 0) / score.possible:.0f}" if score else "" for score in scores
        ]
        table.add_row(item.name[:40], f"{item.points:.0f}", *shares, f"{item.seconds:.1f}")
    return table


def agreement(placed: list[Placed], expert: Path) -> None:
    """Print rank correlations with an expert's order (Kendall's tau-b, Spearman's rho)."""
    lines = [line.split() for line in expert.read_text(encoding="utf-8").splitlines()]
    ranks = {name: -place for place, names in enumerate(filter(None, lines)) for name in names}
    both = [(item.points, ranks[item.name]) for item in placed if item.name in ranks]
    ours, theirs = zip(*both, strict=True)
    tau, rho = stats.kendalltau(ours, theirs), stats.spearmanr(ours, theirs)
    sys.stdout.write(
        f"{len(both)} repositories: Kendall's tau {tau.statistic:.2f} (p {tau.pvalue:.3f}), "
        f"Spearman's rho {rho.statistic:.2f}\n"
    )


def document(item: Placed) -> dict[str, object]:
    """Return what was found of a repository, as JSON has it."""
    return {
        "name": item.name,
        "package": item.seen.package,
        "points": round(item.points, 1),
        "findings": {f.code: [f.share, f.message] for f in item.seen.findings},
    }


if __name__ == "__main__":
    sys.exit(main())
