"""What to change on a machine that does not let sandboxes be set up."""

from __future__ import annotations

from pathlib import Path

_SETTINGS = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor forbids user namespaces: set kernel.apparmor_restrict_unprivileged_userns=0.",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "User namespaces are off: set kernel.unprivileged_userns_clone=1 by sysctl.",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "User namespaces are off: set user.max_user_namespaces=15000 by sysctl.",
    ),
)
_CONTAINER = (
    "In a container, start it with '--security-opt seccomp=unconfined --security-opt "
    "systempaths=unconfined' (Docker) or '--security-opt unmask=ALL' (Podman)."
)
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")
_OTHERWISE = "Run 'drydock doctor', which tries every part of the sandbox by itself."


def remedy_for(complaint: str, *, root: Path = Path("/")) -> str:
    """Return what to do about a sandbox that cannot be set up.

    :param complaint: what the failing part said
    :param root: where the machine's files are looked up
    """
    found = [
        remedy
        for path, forbidding, remedy in _SETTINGS
        if _text(root / path.lstrip("/")) == forbidding
    ]
    in_container = any((root / mark.lstrip("/")).exists() for mark in _CONTAINER_MARKS)
    if in_container or "proc" in complaint:
        found.append(_CONTAINER)
    return " ".join(found) or _OTHERWISE


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""
