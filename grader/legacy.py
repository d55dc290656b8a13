"""The legacy engine: the real one, run again to record or to check what ports are compared with.

``legacy/record.toml`` of a challenge says how::

    engine = "R"                       # for people
    version = "4.2.2"                  # of the engine that recorded
    program = "Rscript"                # must be found on PATH
    arguments = ["{legacy}/model.R", "{train}/train.csv", "{input}", "{output}"]
    relative = 1e-10                   # agreement asked of another machine's engine

``legacy/expected.sha256`` holds the digest of each recorded table, as ``sha256sum`` writes them.
The legacy program is the champion's own and runs without a sandbox, as it always did.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from grader.errors import ChallengeError, UsageError
from grader.model import Case, Challenge, OutputTable

TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """How a challenge's legacy model is run."""

    engine: str
    version: str
    program: str
    arguments: tuple[str, ...]
    relative: float
    digests: Mapping[str, str]
    """SHA-256 of each recorded table, by its path in the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What running the legacy model again showed."""

    ok: bool
    ran: bool
    """Whether the engine is installed here; else only the recorded digests were checked."""
    lines: tuple[str, ...]
    """One sentence per case, for people."""


def compare(challenge: Challenge, *, run: bool = True) -> Recorded:
    """Run the legacy model again where its engine is installed, and compare with the record.

    Elsewhere the recorded tables are held against their digests, and the result says so.

    :param run: without it, nothing of the package is run
    """
    recorder = read_recorder(challenge)
    if not run or shutil.which(recorder.program) is None:
        return _compare_digests(challenge, recorder)
    results = [
        _same(case, table, _run(challenge, recorder, case, table), recorder.relative)
        for case in challenge.cases
        for table in challenge.outputs
    ]
    digests = _compare_digests(challenge, recorder)
    return Recorded(
        ok=digests.ok and all(same for same, _ in results),
        ran=True,
        lines=(*(line for _, line in results), *digests.lines),
    )


def record(challenge: Challenge) -> Recorded:
    """Run the legacy model on every case, and write its outputs and their digests.

    Nothing is written unless every case ran.

    :raises UsageError: the engine is not installed here
    :raises ChallengeError: the legacy program fails
    """
    recorder = read_recorder(challenge)
    if shutil.which(recorder.program) is None:
        raise UsageError(
            "no-legacy-engine",
            f"{recorder.engine} ({recorder.program}) is not installed here.",
            remedy="Install it, or record on a machine that has it.",
        )
    outputs = {
        case.expected / table.file: _run(challenge, recorder, case, table)
        for case in challenge.cases
        for table in challenge.outputs
    }
    for path, content in outputs.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    _write_digests(challenge, outputs)
    lines = tuple(f"recorded {path.relative_to(challenge.root)}" for path in outputs)
    return Recorded(ok=True, ran=True, lines=lines)


def read_recorder(challenge: Challenge) -> Recorder:
    """Return how the legacy model is run.

    :raises ChallengeError: ``legacy/record.toml`` is missing, or lacks something
    """
    file = challenge.root / "legacy" / "record.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        return Recorder(
            engine=str(table["engine"]),
            version=str(table["version"]),
            program=str(table["program"]),
            arguments=tuple(map(str, table["arguments"])),
            relative=float(table["relative"]),
            digests=_read_digests(challenge),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ChallengeError(
            "legacy-record",
            f"{file} does not say how the legacy model is run: {type(error).__name__} {error}.",
            remedy="It needs engine, version, program, arguments and relative.",
        ) from error


def _run(challenge: Challenge, recorder: Recorder, case: Case, table: OutputTable) -> bytes:
    with tempfile.TemporaryDirectory(prefix="drydock-legacy-") as folder:
        output = Path(folder) / table.file
        places = {
            "legacy": str(challenge.root / "legacy"),
            "train": str(challenge.training),
            "input": str(case.inputs / challenge.contract.input_file),
            "output": str(output),
        }
        command = [recorder.program, *(_filled(part, places) for part in recorder.arguments)]
        done = subprocess.run(  # noqa: S603 - the champion's own program
            command, cwd=folder, capture_output=True, text=True, check=False,
            timeout=TIMEOUT_SECONDS,
        )  # fmt: skip
        if done.returncode or not output.is_file():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ChallengeError(
                "legacy-failed",
                f"The legacy model failed on {case.name}: {said}",
                remedy=f"Run it by hand, with an output file of your own: {' '.join(command)}",
            )
        return output.read_bytes()


def _same(case: Case, table: OutputTable, again: bytes, relative: float) -> tuple[bool, str]:
    recorded = case.expected / table.file
    if recorded.read_bytes() == again:
        return True, f"{case.name}: {table.file} came out again to the byte"
    old = pd.read_csv(recorded, dtype=dict.fromkeys(table.key, str))
    new = pd.read_csv(io.BytesIO(again), dtype=dict.fromkeys(table.key, str))
    if list(old.columns) != list(new.columns) or len(old) != len(new):
        return False, f"{case.name}: {table.file} came out with other columns or rows"
    worst = 0.0
    for name in old.columns:
        if pd.api.types.is_numeric_dtype(old[name]):
            a, b = old[name].to_numpy(float), new[name].to_numpy(float)
            scale = np.maximum(np.abs(a), np.finfo(float).tiny)
            worst = max(worst, float(np.max(np.abs(a - b) / scale, initial=0.0)))
        elif not old[name].equals(new[name]):
            return False, f"{case.name}: column {name} of {table.file} came out otherwise"
    ok = worst <= relative
    return ok, f"{case.name}: {table.file} came out again to {worst:.1e} relative"


def _filled(argument: str, places: Mapping[str, str]) -> str:
    """Return an argument with its placeholders filled in; other braces are the program's own."""
    return re.sub(r"\{(\w+)\}", lambda found: places.get(found[1], found[0]), argument)


def _compare_digests(challenge: Challenge, recorder: Recorder) -> Recorded:
    lines = []
    if shutil.which(recorder.program) is None:
        lines.append(f"{recorder.engine} is not installed here: only the digests are checked")
    # A public export holds the public tables alone.
    held = {case.expected.relative_to(challenge.root).as_posix() for case in challenge.cases}
    own = {
        name: digest for name, digest in recorder.digests.items() if name.rsplit("/", 1)[0] in held
    }
    wrong = [name for name, digest in own.items() if _sha256(challenge.root / name) != digest]
    lines += [f"{name} is not what was recorded" for name in wrong]
    if not wrong:
        lines.append(f"{len(own)} recorded tables match their digests")
    return Recorded(ok=not wrong and bool(own), ran=False, lines=tuple(lines))


def _read_digests(challenge: Challenge) -> dict[str, str]:
    file = _digests_file(challenge)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines if line)}


def _write_digests(challenge: Challenge, outputs: Iterable[Path]) -> None:
    lines = [
        f"{_sha256(path)}  {path.relative_to(challenge.root).as_posix()}\n"
        for path in sorted(outputs)
    ]
    _digests_file(challenge).write_text("".join(lines), encoding="utf-8")


def _digests_file(challenge: Challenge) -> Path:
    return challenge.root / "legacy" / "expected.sha256"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
