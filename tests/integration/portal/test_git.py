"""Pushing to a portal that runs, with git as teams have it."""

from __future__ import annotations

import base64
import http.client
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from leaderboard.store import submissions
from portal import repositories
from tests.support.portal import SLUG, Git, Portal, reference, run_git

Project = tuple[Path, Git]


def test_push_is_answered_with_the_grade(graded_portal: Portal, tmp_path: Path) -> None:
    # It is graded fast, for it does not even install; the event's test pushes a right port.
    source = reference(graded_portal.held.challenge, "standards/no-wheel", tmp_path / "port")
    address = graded_portal.git_address("Ada")
    pushed = run_git(source, "push", address, "HEAD:main")
    assert pushed.returncode == 0
    told = re.findall(r"^remote: (.*?)\s*$", pushed.stderr, re.MULTILINE)
    number = int(re.findall(r"report\?submission=(\d+)", pushed.stderr)[0])
    assert "wheel" in told  # a step, told while it went on
    assert "parity 0/300" in told
    assert any(line.endswith("rejected") for line in told)
    assert any(line.startswith("fix PACK001") for line in told)

    with graded_portal.house.database.read() as tx:
        report = submissions.report_of(tx, submissions.find(tx, number).id)
    assert report is not None
    assert report.outcome == "rejected"
    assert str(graded_portal.house.settings.data) not in report.content

    # The same commit again, by another member: its report, and no second grading.
    run_git(source, "commit", "--quiet", "--allow-empty", "-m", "Later")
    with graded_portal.client("Bob") as client:
        blue = {"team": "blue", "challenge": SLUG}
        again = client.post("/api/v1/submissions", data=blue).json()
    assert (again["id"], again["state"], again["outcome"]) == (number, "done", "rejected")


def test_interrupted_push_leaves_its_submission(portal: Portal, project: Project) -> None:
    folder, git = project
    (folder / "notes.md").write_text("Interrupted.\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Interrupt")
    pushing = subprocess.Popen(
        ["git", "-C", str(folder), "push", portal.git_address("Cleo", "red"), "HEAD:main"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert pushing.stderr is not None
    for line in pushing.stderr:
        if "waiting" in line:
            break
    pushing.terminate()
    pushing.wait(10)
    pushing.stderr.close()
    commit = git("rev-parse", "HEAD").stdout.strip()
    with portal.house.database.read() as tx:
        (sent,) = submissions.of_team(tx, portal.held.red.id)
    assert sent.commit == commit


@pytest.mark.parametrize(
    ("credentials", "status"),
    [("", 401), ("x:wrong@", 401), ("{Cleo}", 403), ("{Gita}", 403), ("{Finn}", 403)],
)
def test_push_is_for_members(
    portal: Portal, project: Project, credentials: str, status: int
) -> None:
    _, git = project
    name = credentials.strip("{}")
    if credentials.startswith("{"):
        address = portal.git_address(name)
    else:
        address = portal.git_address("Ada")
        address = re.sub(r"//.*@", f"//{credentials}", address)
    pushed = git("push", address, "HEAD:main")
    assert pushed.returncode != 0
    expected = str(status) if status == 403 else r"could not read|Authentication failed"
    assert re.search(expected, pushed.stderr)


def test_unknown_repository_is_not_there(portal: Portal, project: Project) -> None:
    _, git = project
    address = portal.git_address("Ada", "nobody")
    assert "not found" in git("push", address, "HEAD:main").stderr


@pytest.mark.parametrize("name", ["refs/heads/other", "refs/tags/drydock/approved-1"])
def test_push_takes_main_and_tags_alone(portal: Portal, project: Project, name: str) -> None:
    _, git = project
    pushed = git("push", portal.git_address("Ada"), f"HEAD:{name}")
    assert pushed.returncode != 0
    assert "pre-receive hook declined" in pushed.stderr


def test_large_file_is_refused_with_its_name(portal: Portal, project: Project) -> None:
    folder, git = project
    (folder / "dump.bin").write_bytes(b"\0" * (repositories.MAX_FILE + 1))
    git("add", ".")
    git("commit", "--quiet", "-m", "Dump")
    # By force: whatever was pushed to this repository before, the file alone is in the way.
    pushed = git("push", "--force", portal.git_address("Ada"), "HEAD:main")
    assert pushed.returncode != 0
    assert "dump.bin has 5.0 MB; a file may have 5 MB" in pushed.stderr


def test_history_only_goes_forward_and_is_read_by_few(
    portal: Portal, project: Project, tmp_path: Path
) -> None:
    folder, git = project
    address = portal.git_address("Bob")
    git("tag", "v1")
    place = portal.house.repositories.ensure("blue", SLUG)
    repositories.take_over(place, folder)
    git("commit", "--quiet", "--amend", "-m", "Rewritten")
    forced = git("push", "--force", address, "HEAD:main").stderr
    assert "main only goes forward" in forced
    assert "git pull --rebase" in forced
    assert "denying ref deletion" in git("push", address, ":main").stderr
    assert git("push", address, "v1").returncode == 0
    for name, may in {
        "Ada": True,
        "Finn": True,
        "Edda": True,
        "Cleo": False,
        "Gita": False,
    }.items():
        target = tmp_path / name
        cloned = git("clone", "--quiet", portal.git_address(name), str(target))
        assert (cloned.returncode == 0) == may
        assert (target / "README.md").exists() == may


def test_too_much_is_refused_before_it_is_sent(portal: Portal) -> None:
    word = base64.b64encode(f"x:{portal.token('Ada')}".encode()).decode()
    sending = http.client.HTTPConnection("127.0.0.1", portal.house.settings.port)
    sending.putrequest("POST", f"/git/blue/{SLUG}/git-receive-pack")
    sending.putheader("Authorization", f"Basic {word}")
    sending.putheader("Content-Length", str(repositories.MAX_PUSH + 1))
    sending.endheaders()
    answer = sending.getresponse()
    assert answer.status == 413
    assert b"100 MB" in answer.read()
    sending.close()


def test_too_much_is_refused_while_it_is_sent(portal: Portal, project: Project) -> None:
    folder, git = project
    for number in range(repositories.MAX_PUSH // (4 * 2**20) + 1):
        (folder / f"{number}.bin").write_bytes(os.urandom(4 * 2**20))
    # Noise is neither compressed nor compared with other noise: both would take half a minute.
    git("config", "core.compression", "0")
    git("config", "pack.window", "0")
    git("add", ".")
    git("commit", "--quiet", "-m", "All of it")
    # By force: else git itself may see that this is no descendant, and send nothing.
    pushed = git("push", "--force", portal.git_address("Cleo", "red"), "HEAD:main")
    assert pushed.returncode != 0
    assert "A push may have 100 MB" in pushed.stderr


def test_hooks_route_is_for_hooks(portal: Portal) -> None:
    for key in ("", "Bearer x", f"Bearer {portal.token('Ada')}"):
        headers = {"authorization": key}
        answer = httpx.post(f"{portal.address}/hook/received", headers=headers, content=b"abc")
        assert answer.status_code == 403
