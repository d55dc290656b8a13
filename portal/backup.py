"""Backup and restore: one archive of a portal's database and folders, taken while it runs.

The database is read first, in one state: the engine's own online copy for SQLite, ``pg_dump`` for
PostgreSQL. The folders only ever gain files, so what the database knows of is in them afterwards;
of a repository its references are read before its objects, for the same reason.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from leaderboard.store import Database, audit, open_database
from portal.errors import PortalError
from portal.repositories import Repositories
from portal.settings import Settings

FORMAT = 1
KEPT = ("repositories", "challenges", "packages", "lessons", "keys", "records")
"""Folders of the data folder; locks and what workers are at are nothing to keep."""
_MANIFEST, _DUMP, _DATABASE = "manifest.json", "database", "drydock.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What an archive says of itself."""

    at: str
    kind: str
    """Of the database: ``sqlite`` or ``postgresql``."""
    lines: int
    """Of the audit."""
    last: str
    """The hash of the audit's last line."""
    format: int = FORMAT


def write(settings: Settings, database: Database, file: Path) -> Backup:
    """Write an archive of a portal that may be running; a file that is there is not overwritten.

    :raises PortalError: the file exists or cannot be written (slug ``backup-file``), or the
        database cannot be dumped (slug ``backup-failed``)
    """
    if file.exists():
        raise PortalError("backup-file", f"{file} is there already.", remedy="Name another file.")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as name:
            folder = Path(name)
            backup = _described(database)
            _dump(database.engine.url, folder / _DUMP)
            (folder / _MANIFEST).write_text(json.dumps(_fields(backup)), encoding="utf-8")
            with tarfile.open(folder / "backup", "w:gz", compresslevel=1) as archive:
                archive.add(folder / _MANIFEST, _MANIFEST)
                archive.add(folder / _DUMP, _DUMP)
                for path in _kept(settings.data):
                    name_inside = f"data/{path.relative_to(settings.data)}"
                    archive.add(path, name_inside, recursive=False)
            (folder / "backup").chmod(0o600)  # it holds the signing key
            (folder / "backup").replace(file)
    except OSError as error:
        raise PortalError(
            "backup-file",
            f"{file} cannot be written: {error.strerror}.",
            remedy="Name a folder with enough room that you may write to.",
        ) from error
    return backup


def restore(settings: Settings, file: Path) -> Backup:
    """Bring a portal back from an archive, into an empty data folder and database.

    :raises PortalError: the archive is none of ours (slug ``not-a-backup``), something is there
        already (slug ``restore-occupied``), or the database refuses (slug ``backup-failed``)
    """
    _check_empty(settings)
    data = settings.data
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data.parent) as name:
        folder = Path(name)
        backup = _unpacked(file, folder)
        url = make_url(settings.database)
        if url.get_backend_name() != backup.kind:
            raise PortalError(
                "not-a-backup",
                f"The archive holds a database of {backup.kind}, not of {url.get_backend_name()}.",
                remedy="Restore it into one of its own kind, by --database-url.",
            )
        kept = folder / "data"
        kept.mkdir(exist_ok=True)
        _load(url, folder / _DUMP, kept)
        kept.chmod(0o700)
        if (kept / "keys").exists():
            (kept / "keys").chmod(0o700)
        if data.exists():
            data.rmdir()  # empty, as was checked
        kept.rename(data)
    Repositories(data / "repositories").settle()
    _prove(settings, backup)
    return backup


def _described(database: Database) -> Backup:
    """Describe what is about to be dumped; what is added meanwhile comes after this line."""
    with database.read() as tx:
        newest = audit.entries(tx, newest=1)
    line = newest[0] if newest else None
    return Backup(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        kind=database.engine.url.get_backend_name(),
        lines=line.number if line else 0,
        last=line.hash if line else "",
    )


def _fields(backup: Backup) -> dict[str, object]:
    return {name: getattr(backup, name) for name in Backup.__slots__}


def _dump(url: URL, target: Path) -> None:
    if url.get_backend_name() == "postgresql":
        _run_postgres("pg_dump", url, "--format=custom", "--no-owner", f"--file={target}")
        return
    with (
        closing(sqlite3.connect(str(url.database))) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _load(url: URL, dump: Path, data: Path) -> None:
    if url.get_backend_name() == "postgresql":
        options = ("--single-transaction", "--exit-on-error", "--no-owner", str(dump))
        _run_postgres("pg_restore", url, *options)
    else:
        shutil.move(dump, data / _DATABASE)


def _kept(data: Path) -> Iterator[Path]:
    """Yield the files to keep, a repository's objects after all that names them."""
    for name in KEPT:
        paths = [path for path in (data / name).rglob("*") if not _passing(path, data)]
        yield from sorted(paths, key=lambda path: ("objects" in path.parts, path))


def _passing(path: Path, data: Path) -> bool:
    """Say whether a file is one that somebody is just writing, and gives its name at the end."""
    folder, *parts = path.relative_to(data).parts
    if any(part.startswith(".new-") for part in parts) or path.suffix == ".unfinished":
        return True
    gits_own = any(part.startswith(("tmp_", "incoming-")) for part in parts)
    return folder == "repositories" and (gits_own or path.suffix == ".lock")


def _check_empty(settings: Settings) -> None:
    if settings.data.exists() and any(settings.data.iterdir()):
        raise PortalError(
            "restore-occupied",
            f"The data folder {settings.data} is not empty.",
            remedy="Name a new folder with --data; nothing that is there is overwritten.",
        )
    settings.data.parent.mkdir(parents=True, exist_ok=True)
    if make_url(settings.database).get_backend_name() != "postgresql":
        return
    engine = create_engine(make_url(settings.database).set(drivername="postgresql+psycopg"))
    try:
        names = inspect(engine).get_table_names()
    except SQLAlchemyError as error:
        said = str(error).strip().splitlines()[0]
        raise PortalError(
            "backup-failed",
            f"The database cannot be reached: {said}",
            remedy="Check that it runs, and that the URL is right.",
        ) from error
    finally:
        engine.dispose()
    if names:
        raise PortalError(
            "restore-occupied",
            "The database has tables already.",
            remedy="Create a new, empty one, and name it with --database-url.",
        )


def _unpacked(file: Path, folder: Path) -> Backup:
    try:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
        read = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        backup = Backup(**read)
    except (OSError, tarfile.TarError, ValueError, TypeError, EOFError) as error:
        raise PortalError(
            "not-a-backup",
            f"{file} is not a whole backup of a portal: {error}",
            remedy="Name a file that 'drydock backup' wrote.",
        ) from error
    if backup.format != FORMAT:
        raise PortalError("not-a-backup", f"{file} was written by another version of Drydock.")
    return backup


def _prove(settings: Settings, backup: Backup) -> None:
    database = open_database(settings.database)
    with database.read() as tx:
        proof = audit.verify(tx, known=backup.last)
    database.close()
    if proof.broken:
        raise PortalError(
            "backup-failed",
            f"The restored audit does not hold: {proof.broken}.",
            remedy="Restore an older backup.",
        )


def _run_postgres(program: str, url: URL, *options: str) -> None:
    """Run a program of PostgreSQL's; the password goes by the environment: others see arguments."""
    found = shutil.which(program)
    if found is None:
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        found = str(places[-1]) if places else None
    if found is None:
        raise PortalError(
            "backup-failed",
            f"{program} is not installed here.",
            remedy="On Debian and Ubuntu: apt-get install postgresql-client",
        )
    # URL.set() leaves a password as it is that it is given None for.
    plain = url.set(drivername="postgresql")._replace(password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [found, f"--dbname={plain}", *options]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own, found above
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PortalError(
            "backup-failed", f"{program} failed: {said[-1] if said else done.returncode}"
        )
