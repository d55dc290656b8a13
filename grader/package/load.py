"""``challenge.toml`` → ``Challenge``, its structure proven; ``data`` proves the tables."""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from grader.errors import ChallengeError
from grader.model import (
    TOTAL_POINTS,
    Case,
    Challenge,
    Column,
    Contract,
    Group,
    GroupKind,
    Leaderboard,
    Level,
    Limits,
    OutputTable,
    Quality,
    Segment,
    Standard,
)
from grader.package.section import Section

_Number = TypeVar("_Number", int, float)

SCHEMA = 1
FINAL_WEIGHT = 0.6
"""Share of the final column where a table gives no weights; the others share the rest evenly."""


def load_challenge(root: Path) -> Challenge:
    """Load a challenge package and prove its structure.

    :raises ChallengeError: what is wrong, where, and what to do
    """
    root = root.resolve()
    file = root / "challenge.toml"
    top = Section(file, "challenge.toml", _parse(file))
    if top.whole("schema") != SCHEMA:
        raise top.error("schema", f"must be {SCHEMA}, the format that this Drydock reads")
    about = top.section("challenge")
    export = _export(root)
    challenge = Challenge(
        slug=_slug(root, export),
        title=about.text("title"),
        summary=about.text("summary"),
        version=about.text("version"),
        owner=about.text("owner"),
        language=about.text("language"),
        level=_level(about),
        tags=about.texts("tags"),
        kits=about.texts("kits"),
        root=root,
        digest=export.text("digest") if export else challenge_digest(root),
        contract=_contract(top.section("submission")),
        outputs=tuple(_output(table) for table in top.sections("output")),
        groups=tuple(_group(table) for table in top.sections("group")),
        standards=tuple(_standard(table) for table in top.sections("standard")),
        limits=_limits(top.section("limits", {})),
        passing_points=_passing(top.section("passing")),
        cases=tuple(_cases(root)),
        leaderboard=_leaderboard(top.section("leaderboard", {})),
        public_export=export is not None,
    )
    about.finish()
    top.finish()
    _check(challenge, top)
    return challenge


def find_challenge(name: str, folders: Sequence[Path]) -> Challenge:
    """Return a challenge by its slug, or by the path of its package.

    :raises ChallengeError: there is none; the error names the nearest known slug
    """
    if "/" in name or name in {".", ".."}:
        return load_challenge(Path(name))
    known = {path.name: path for folder in folders for path in _packages(folder)}
    if name in known:
        return load_challenge(known[name])
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.4)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    listed = f"Known are: {', '.join(sorted(known))}." if known else "No challenge is at hand here."
    raise ChallengeError(
        "unknown-challenge", f"There is no challenge {name!r}.", remedy=meant + listed
    )


def list_challenges(folders: Sequence[Path]) -> tuple[Challenge, ...]:
    """Return all challenges of some folders, sorted by slug.

    :raises ChallengeError: one of them cannot be loaded
    """
    found = [load_challenge(path) for folder in folders for path in _packages(folder)]
    return tuple(sorted(found, key=lambda challenge: challenge.slug))


def challenge_digest(root: Path) -> str:
    """Return SHA-256 over the sorted paths and contents of a package, hidden files left out."""
    whole = hashlib.sha256()
    for path in sorted(_files(root)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


# ------------------------------------------------------------------------------ files


def _parse(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ChallengeError(
            "no-challenge-file",
            f"{file} cannot be read: {error.strerror}.",
            remedy="A challenge package is a folder with a challenge.toml.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ChallengeError(
            "bad-toml", f"{file} is not valid TOML: {error}.", remedy="Mend that line."
        ) from error


def _packages(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file.parent for file in sorted(folder.glob("*/challenge.toml")))


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        in_use = not any(part.startswith(".") or part == "__pycache__" for part in parts)
        # A starter kit's or a reference's own dot files are part of what it is.
        if path.is_file() and (in_use or parts[0] == "references") and "__pycache__" not in parts:
            yield path


def _export(root: Path) -> Section | None:
    """Return ``export.toml``, which only a public export holds."""
    file = root / "export.toml"
    return Section(file, "export.toml", _parse(file)) if file.exists() else None


def _slug(root: Path, export: Section | None) -> str:
    slug = export.text("slug") if export else root.name
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise ChallengeError(
            "bad-slug",
            f"The folder {slug!r} cannot be a challenge's name.",
            remedy="Use small letters, digits and single hyphens, as in 'r-health-tariff'.",
        )
    return slug


def _cases(root: Path) -> Iterator[Case]:
    for kind in ("hidden", "public"):
        for folder in sorted((root / "cases" / kind).glob("*/")):
            yield Case(
                name=f"{kind}/{folder.name}",
                inputs=folder / "inputs",
                expected=folder / "expected",
            )


# ------------------------------------------------------------------------------ tables


def _level(about: Section) -> Level:
    level = about.text("level")
    if level not in set(Level):
        raise about.error("level", f"must be one of {', '.join(Level)}, not {level!r}")
    return Level(level)


def _contract(table: Section) -> Contract:
    contract = Contract(
        package=table.text("package"),
        python=table.text("python"),
        environment=table.text("environment", "standard"),
        input_file=table.text("input_file"),
        key=table.texts("key"),
        required_columns=table.texts("required_columns"),
        numeric_columns=table.texts("numeric_columns"),
        category_columns=table.texts("category_columns"),
    )
    table.finish()
    if not contract.package.isidentifier():
        raise table.error("package", f"must be a Python name, not {contract.package!r}")
    if not contract.key:
        raise table.error("key", "must name at least one column")
    return contract


def _output(table: Section) -> OutputTable:
    named = table.section("columns")
    columns = [_column(name, named.section(name)) for name in named.table]
    output = OutputTable(
        file=table.text("file"),
        key=table.texts("key"),
        columns=tuple(_weighted(columns, table)),
    )
    table.finish()
    if sum(column.final for column in columns) != 1:
        raise table.error("columns", "must hold exactly one column with 'final = true'")
    if not output.key:
        raise table.error("key", "must name at least one column")
    return output


def _column(name: str, table: Section) -> Column:
    column = Column(
        name=name,
        absolute=_least_0(table, "absolute", table.number("absolute", 0)),
        relative=_least_0(table, "relative", table.number("relative", 0)),
        exact=table.flag("exact"),
        final=table.flag("final"),
        decision=table.numbers("decision"),
        weight=_least_0(table, "weight", table.number("weight", 0)),
    )
    table.finish()
    if list(column.decision) != sorted(set(column.decision)):
        raise table.error("decision", "must ascend")
    if column.exact and (column.absolute or column.relative or column.decision):
        raise table.error("exact", "leaves no room for a tolerance or a decision")
    if not column.exact and not (column.absolute or column.relative):
        raise table.error("absolute", "or 'relative' must be above 0 where a column is not exact")
    return column


def _weighted(columns: list[Column], table: Section) -> Iterator[Column]:
    """Give columns without weights the usual ones: the final column weighs most."""
    weights = [column.weight for column in columns]
    if not any(weights):
        others = len(columns) - 1
        weights = [
            (FINAL_WEIGHT if others else 1.0) if column.final else (1 - FINAL_WEIGHT) / others
            for column in columns
        ]
    if abs(sum(weights) - 1) > 1e-9:  # noqa: PLR2004 - rounding of decimal fractions
        raise table.error("columns", f"has weights that sum to {sum(weights):g}, not to 1")
    for column, weight in zip(columns, weights, strict=True):
        yield Column(
            name=column.name,
            absolute=column.absolute,
            relative=column.relative,
            exact=column.exact,
            final=column.final,
            decision=column.decision,
            weight=weight,
        )


def _group(table: Section) -> Group:
    kind = table.text("kind")
    if kind not in set(GroupKind):
        raise table.error("kind", f"must be one of {', '.join(GroupKind)}, not {kind!r}")
    group = Group(
        name=table.text("name"),
        kind=GroupKind(kind),
        points=_least_0(table, "points", table.whole("points", 0)),
        cases=table.text("cases", ""),
        segments=tuple(_segment(item) for item in table.sections("segments")),
        minimum=table.number("minimum", 0.0),
        all_or_nothing=table.flag("all_or_nothing"),
        quality=_quality(table.section("quality")) if table.has("quality") else None,
    )
    table.finish()
    if not 0 <= group.minimum <= 1:
        raise table.error("minimum", "must lie between 0 and 1, a share of the points")
    if (group.kind is GroupKind.QUALITY) != (group.quality is not None):
        raise table.error("quality", "belongs to a group of kind 'quality', and is needed there")
    return group


def _segment(table: Section) -> Segment:
    segment = Segment(name=table.text("name"), where=table.text("where"))
    table.finish()
    return segment


def _quality(table: Section) -> Quality:
    quality = Quality(
        metric=table.text("metric"),
        prediction=table.text("prediction"),
        label=table.text("label"),
        margin=_least_0(table, "margin", table.number("margin", 0)),
    )
    table.finish()
    return quality


def _standard(table: Section) -> Standard:
    standard = Standard(
        family=table.text("family"),
        points=_least_0(table, "points", table.whole("points", 0)),
        gate=table.texts("gate"),
    )
    table.finish()
    return standard


def _limits(table: Section) -> Limits:
    usual = Limits()
    limits = Limits(
        wall_seconds=table.number("wall_seconds", usual.wall_seconds),
        cpu_seconds=table.whole("cpu_seconds", usual.cpu_seconds),
        memory_mb=table.whole("memory_mb", usual.memory_mb),
        disk_mb=table.whole("disk_mb", usual.disk_mb),
        output_mb=table.whole("output_mb", usual.output_mb),
        processes=table.whole("processes", usual.processes),
    )
    table.finish()
    for key in table.table:
        if table.number(key) <= 0:
            raise table.error(key, "must be above 0")
    return limits


def _passing(table: Section) -> int:
    points = table.whole("points")
    table.finish()
    if not 0 < points <= TOTAL_POINTS:
        raise table.error("points", f"must lie between 1 and {TOTAL_POINTS}")
    return points


def _leaderboard(table: Section) -> Leaderboard:
    board = Leaderboard(
        ladder=table.text("ladder", ""),
        daily_cap=_least_0(table, "daily_cap", table.whole("daily_cap", 0)),
        private_groups=table.texts("private_groups"),
    )
    table.finish()
    return board


def _least_0(table: Section, key: str, found: _Number) -> _Number:
    if found < 0:
        raise table.error(key, "must not be below 0")
    return found


# ------------------------------------------------------------------------------ the whole


def _check(challenge: Challenge, top: Section) -> None:
    """Prove what no single table shows."""
    if len(challenge.outputs) != 1:
        raise top.error("output", "must be one table: scoring writes one file")
    points = sum(item.points for item in challenge.standards)
    points += sum(item.points for item in challenge.groups)
    if points != TOTAL_POINTS:
        raise top.error(
            "group",
            f"and 'standard' give {points} points together",
            f"They must give {TOTAL_POINTS}.",
        )
    for kind, names in (
        ("group", [group.name for group in challenge.groups]),
        ("standard", [standard.family for standard in challenge.standards]),
    ):
        if len(set(names)) != len(names):
            raise top.error(kind, "holds the same name twice")
    _check_files(challenge)
    _check_groups(challenge, top)


def _check_files(challenge: Challenge) -> None:
    needed = ["brief.md", "legacy", "data/train", "cases/public"]
    for name in needed if challenge.public_export else [*needed, "cases/hidden"]:
        path = challenge.root / name
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            raise ChallengeError(
                "missing-file",
                f"Challenge {challenge.slug} lacks {name}, or it is empty.",
                remedy="The guide for champions says what belongs there.",
            )
    tables = [table.file for table in challenge.outputs]
    for case in challenge.cases:
        wanted = [case.inputs / challenge.contract.input_file]
        wanted += [case.expected / file for file in tables]
        for path in wanted:
            if not path.is_file():
                raise ChallengeError(
                    "missing-file",
                    f"Case {case.name} of {challenge.slug} lacks "
                    f"{path.relative_to(challenge.root)}.",
                    remedy="Each case has its input table and the recorded output tables.",
                )


def _check_groups(challenge: Challenge, top: Section) -> None:
    """Prove that each group finds its cases; a public export has none of the hidden ones."""
    scored = {column.name for table in challenge.outputs for column in table.columns}
    for group in challenge.groups:
        needs_cases = group.kind in {GroupKind.PARITY, GroupKind.QUALITY}
        found = [case for case in challenge.cases if fnmatch.fnmatch(case.name, group.cases)]
        if needs_cases and not found and not challenge.public_export:
            raise top.error("group", f"{group.name!r} matches no case with {group.cases!r}")
        if group.quality and group.quality.prediction not in scored:
            raise top.error("group", f"{group.name!r} predicts by an unknown output column")
