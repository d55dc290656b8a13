"""What git runs before and after it takes a push in. Standard library only: it starts in no time.

Before: ``main`` and tags alone, none of them ours, and no file that is too large; what is refused
leaves nothing behind. After: the portal is told of the new ``main``, and what it answers, line by
line as grading goes on, git shows to whoever pushes.
"""

import os
import subprocess
import sys
import urllib.error
import urllib.request

MAIN = "refs/heads/main"
TAGS = "refs/tags/"
NOTHING = "0"
FIELDS = 3


def before(lines: list[str]) -> int:
    """Return 1 where the push is refused, having said why."""
    most = int(os.environ["DRYDOCK_MAX_FILE"])
    for line in lines:
        old, new, name = line.split(maxsplit=2)
        if name.startswith(f"{TAGS}drydock/"):
            print(f"Tags under drydock/ are made by approvals alone: {name}")
            return 1
        if name != MAIN and not name.startswith(TAGS):
            print(f"Only main and tags are taken in, not {name}.")
            print("Remedy: git push <remote> HEAD:main")
            return 1
        large = too_large(new, most) if new.strip(NOTHING) else []
        for size, path in large:
            print(f"{path} has {size / 2**20:.1f} MB; a file may have {most >> 20} MB.")
        if large:
            print("Remedy: take it out of the commits (git rm, git commit --amend), push again.")
            return 1
        if name == MAIN and old.strip(NOTHING) and new.strip(NOTHING) and not descends(new, old):
            print("main only goes forward: what was submitted stays in its history.")
            print("Remedy: git pull --rebase drydock main (after an upload, too), push again.")
            return 1
    return 0


def descends(new: str, old: str) -> bool:
    """Return whether a commit has another one in its history."""
    command = ["git", "merge-base", "--is-ancestor", old, new]
    return subprocess.run(command, check=False).returncode == 0


def too_large(commit: str, most: int) -> list[tuple[int, str]]:
    """Return size and path of the files that come with a commit and are too large."""
    listed = subprocess.run(
        ["git", "rev-list", "--objects", commit, "--not", "--all"], capture_output=True, check=True
    )
    told = subprocess.run(
        ["git", "cat-file", "--batch-check=%(objecttype) %(objectsize) %(rest)"],
        input=listed.stdout,
        capture_output=True,
        check=True,
    )
    rows = [line.split(maxsplit=2) for line in told.stdout.decode(errors="replace").splitlines()]
    return [
        (int(row[1]), row[2])
        for row in rows
        if len(row) == FIELDS and row[0] == "blob" and int(row[1]) > most
    ]


def after(lines: list[str]) -> int:
    """Tell the portal, and print what it answers; a push of its own it knows of."""
    if "DRYDOCK_TELL" not in os.environ:
        return 0
    for line in lines:
        _, new, name = line.split(maxsplit=2)
        if name == MAIN:
            relay(new)
    return 0


def relay(commit: str) -> None:
    """Print the portal's lines until it has said all."""
    request = urllib.request.Request(
        os.environ["DRYDOCK_TELL"],
        data=commit.encode(),
        headers={"Authorization": f"Bearer {os.environ['DRYDOCK_PUSH']}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            for line in answer:
                print(line.decode(errors="replace").rstrip("\n"), flush=True)
    except (OSError, urllib.error.URLError) as error:
        print(f"The commit is stored, but the portal does not answer ({error}).")
        print("Remedy: submit it from the team's page.")


if __name__ == "__main__":
    received = [line for line in sys.stdin.read().splitlines() if line]
    sys.exit(before(received) if sys.argv[1] == "pre-receive" else after(received))
