"""Backup of a portal that is in use, and restoring it: every rank is the same."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from leaderboard.store import audit, submissions
from portal import backup, repositories
from portal.errors import PortalError
from portal.house import House, open_house
from portal.services import boards, submitting
from portal.settings import HOME, Settings
from tests.support.portal import SLUG, Git, Held
from tests.support.postgres import PASSWORD
from tests.support.reports import recorded


@pytest.fixture
def used(house: House, held: Held, project: tuple[Path, Git]) -> House:
    """Give a portal with a graded submission of Blue's."""
    place = house.repositories.ensure("blue", SLUG)
    repositories.take_over(place, project[0])
    sent, _ = submitting.submit_head(house, held.people["Ada"], held.blue, held.version)
    with house.database.write() as tx:
        submissions.start(tx, sent.id, at=house.now())
        submissions.record(tx, sent.id, recorded(held), at=house.now())
    return house


@pytest.fixture
def target(used: House, tmp_path: Path) -> Settings:
    """Give where to restore: another folder, and another database of the same kind."""
    url = make_url(used.settings.database_url)
    if url.get_backend_name() == "sqlite":
        return Settings(data=tmp_path / "restored")
    name = f"{url.database}_restored"
    host = str(url.query["host"])
    with psycopg.connect(
        host=host, user="drydock", password=PASSWORD, dbname="postgres", autocommit=True
    ) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    again = url.set(database=name).render_as_string(hide_password=False)
    return Settings(data=tmp_path / "restored", database_url=again)


def test_every_rank_is_the_same(used: House, held: Held, target: Settings, tmp_path: Path) -> None:
    file = tmp_path / "portal.tar.gz"
    written = backup.write(used.settings, used.database, file)
    found = backup.restore(target, file)
    assert found == written
    with closing(open_house(target)) as restored:
        check_same(used, restored, held, written.last)


def check_same(used: House, restored: House, held: Held, last: str) -> None:
    before = boards.board(used, held.people["Ada"], "spring", SLUG)
    assert before.rows
    after = boards.board(restored, held.people["Ada"], "spring", SLUG)
    assert [row.standing for row in after.rows] == [row.standing for row in before.rows]
    with restored.database.read() as tx:
        assert audit.verify(tx, known=last).broken == ""
    old, new = (h.repositories.place("blue", SLUG) for h in (used, restored))
    assert repositories.head(new) == repositories.head(old)
    hooks = subprocess.run(
        ["git", "-C", str(new), "config", "core.hooksPath"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert hooks.stdout.strip() == str(new / "hooks")
    assert restored.library.load(held.version.digest).digest == held.version.digest


def test_what_goes_on_meanwhile_breaks_nothing(
    used: House, held: Held, target: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "portal.tar.gz"
    settings = dataclasses.replace(used.settings)
    with used.database.write() as tx:
        audit.record(tx, "event.changed", "event:1", at=used.now())
    backup.write(settings, used.database, file)
    with used.database.write() as tx:
        audit.record(tx, "event.changed", "event:1", at=used.now())
    assert backup.restore(target, file).last
    assert held.blue.slug == "blue"


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b\x08cut off"])
def test_what_is_no_backup_changes_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.tar.gz"
    file.write_bytes(content)
    with pytest.raises(PortalError) as caught:
        backup.restore(Settings(data=tmp_path / "restored"), file)
    assert caught.value.slug == "not-a-backup"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar.gz"]


def test_archive_cannot_leave_its_folder(tmp_path: Path) -> None:
    file, secret = tmp_path / "evil.tar.gz", tmp_path / "outside"
    secret.write_text("mine", encoding="utf-8")
    with tarfile.open(file, "w:gz") as archive:
        archive.add(secret, "../../outside-too")
    with pytest.raises(PortalError) as caught:
        backup.restore(Settings(data=tmp_path / "restored"), file)
    assert caught.value.slug == "not-a-backup"
    assert not (tmp_path.parent / "outside-too").exists()


def test_nothing_that_is_there_is_overwritten(
    used: House, target: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "portal.tar.gz"
    backup.write(used.settings, used.database, file)
    with pytest.raises(PortalError) as caught:
        backup.write(used.settings, used.database, file)
    assert caught.value.slug == "backup-file"
    with pytest.raises(PortalError) as caught:
        backup.restore(used.settings, file)
    assert caught.value.slug == "restore-occupied"
    if target.database_url:
        occupied = dataclasses.replace(target, database_url=used.settings.database_url)
        with pytest.raises(PortalError) as caught:
            backup.restore(occupied, file)
        assert caught.value.slug == "restore-occupied"


@pytest.mark.parametrize(
    "command", [["audit", "verify"], ["record", "key"], ["backup", "portal.tar.gz"]], ids=" ".join
)
def test_what_looks_at_a_portal_makes_none(command: list[str], tmp_path: Path) -> None:
    nowhere = tmp_path / "mistyped"
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", *command, "--data", str(nowhere)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        check=False,
    )
    assert done.returncode == 2
    assert "No portal keeps its things" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_backup_is_for_its_owner_alone(house: House, tmp_path: Path) -> None:
    file = tmp_path / "portal.tar.gz"
    backup.write(house.settings, house.database, file)
    assert file.stat().st_mode & 0o077 == 0
