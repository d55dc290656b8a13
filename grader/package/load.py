"""``challenge.toml`` → ``Challenge``, its structure proven; ``data`` proves the tables."""

from __future__ import annotations

import difflib
import fnmatch
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.errors import ChallengeError
from grader.model import TOTAL_POINTS, Case, Challenge, Group, GroupKind
from grader.package import tables
from grader.package.files import challenge_digest
from grader.package.section import Section

SCHEMA = 1
_FILE = "challenge.toml"


def load_challenge(root: Path, *, recorded: bool = True) -> Challenge:
    """Load a challenge package and prove its structure.

    :param recorded: whether the legacy outputs must be there; they are not before the first record
    :raises ChallengeError: what is wrong, where, and what to do
    """
    root = root.resolve()
    top = Section(root / _FILE, _parse(root / _FILE))
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
        level=tables.level_of(about),
        tags=about.texts("tags"),
        kits=about.texts("kits"),
        root=root,
        digest=export.text("digest") if export else challenge_digest(root),
        contract=tables.contract_of(top.section("submission")),
        outputs=tuple(tables.output_of(table) for table in top.sections("output")),
        groups=tuple(tables.group_of(table) for table in top.sections("group")),
        standards=tuple(tables.standard_of(table) for table in top.sections("standard")),
        limits=tables.limits_of(top.section("limits", {})),
        passing_points=tables.passing_points_of(top.section("passing")),
        cases=tuple(_cases(root)),
        leaderboard=tables.leaderboard_of(top.section("leaderboard", {})),
        public_export=export is not None,
    )
    about.finish()
    top.finish()
    _check(challenge, top, recorded=recorded)
    return challenge


def find_challenge(name: str, folders: Sequence[Path], *, recorded: bool = True) -> Challenge:
    """Return a challenge by its slug, or by the path of its package.

    :param folders: where packages lie; the first that holds the slug is the one that counts
    :param recorded: whether the legacy outputs must be there
    :raises ChallengeError: there is none; the error names the nearest known slug
    """
    known = {path.name: path for folder in reversed(folders) for path in _packages(folder)}
    if name in known:
        return load_challenge(known[name], recorded=recorded)
    if "/" in name or (Path(name) / _FILE).is_file():
        return load_challenge(Path(name), recorded=recorded)
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
    except (ValueError, RecursionError) as error:  # also of numbers and lists without measure
        raise ChallengeError(
            "bad-toml", f"{file} is not valid TOML: {error}.", remedy="Mend that line."
        ) from error


def _packages(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file.parent for file in sorted(folder.glob(f"*/{_FILE}")))


def _export(root: Path) -> Section | None:
    """Return ``export.toml``, which only a public export holds.

    :raises ChallengeError: a file that it lists is missing, or it stands beside hidden cases
    """
    file = root / "export.toml"
    if not file.exists():
        return None
    export = Section(file, _parse(file))
    export.text("slug")
    export.text("digest")
    for name in export.texts("files"):
        if not (root / name).is_file():
            raise ChallengeError(
                "missing-file",
                f"{root} lacks {name}, which the export listed.",
                remedy="Take the public export anew; nothing of it may be left out or changed.",
            )
    export.finish()
    if (root / "cases" / "hidden").exists():
        raise ChallengeError(
            "export-with-hidden",
            f"{file} says that this is a public export, and it holds hidden cases.",
            remedy="Remove export.toml from the package, or the hidden cases from the export.",
        )
    return export


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
            if not folder.name.startswith((".", "__")):
                yield Case(
                    name=f"{kind}/{folder.name}",
                    inputs=folder / "inputs",
                    expected=folder / "expected",
                )


# ------------------------------------------------------------------------------ the whole


def _check(challenge: Challenge, top: Section, *, recorded: bool) -> None:
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
    _check_files(challenge, recorded=recorded)
    _check_groups(challenge, top)


def _check_files(challenge: Challenge, *, recorded: bool) -> None:
    needed = ["brief.md", "legacy", "data/train", "cases/public"]
    for name in needed if challenge.public_export else [*needed, "cases/hidden"]:
        path = challenge.root / name
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            raise ChallengeError(
                "missing-file",
                f"Challenge {challenge.slug} lacks {name}, or it is empty.",
                remedy="The guide for champions says what belongs there.",
            )
    for case in challenge.cases:
        _check_case(challenge, case, recorded=recorded)


def _check_case(challenge: Challenge, case: Case, *, recorded: bool) -> None:
    wanted = [case.inputs / challenge.contract.input_file]
    if recorded:
        wanted += [case.expected / table.file for table in challenge.outputs]
    for path in wanted:
        if not path.is_file():
            raise ChallengeError(
                "missing-file",
                f"Case {case.name} of {challenge.slug} lacks {path.relative_to(challenge.root)}.",
                remedy="Each case has its input table and the recorded output tables; "
                "'drydock challenge record' makes the second of the first.",
            )


def _finds_cases(challenge: Challenge, group: Group) -> bool:
    """Whether a group has the cases that it asks for, as far as can be told here."""
    if not group.cases and group.kind not in {GroupKind.PARITY, GroupKind.QUALITY}:
        return True
    hidden = challenge.public_export and group.cases.startswith("hidden/")
    return hidden or any(fnmatch.fnmatchcase(case.name, group.cases) for case in challenge.cases)


def _check_groups(challenge: Challenge, top: Section) -> None:
    """Prove that each group finds its cases; a public export has none of the hidden ones."""
    scored = {column.name for table in challenge.outputs for column in table.columns}
    for group in challenge.groups:
        if not _finds_cases(challenge, group):
            raise top.error("group", f"{group.name!r} matches no case with {group.cases!r}")
        if group.quality and group.quality.prediction not in scored:
            raise top.error("group", f"{group.name!r} predicts by an unknown output column")
    names = {group.name for group in challenge.groups}
    if unknown := set(challenge.leaderboard.private_groups) - names:
        raise top.error("leaderboard", f"names an unknown group {min(unknown)!r}")
