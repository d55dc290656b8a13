from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.hints import remedy_for


def machine(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        ("proc/sys/kernel/unprivileged_userns_clone", "0\n"),
        ("proc/sys/user/max_user_namespaces", "0\n"),
    ],
)
def test_forbidding_setting_is_named(tmp_path: Path, name: str, text: str) -> None:
    remedy = remedy_for("denied", root=machine(tmp_path, name, text))
    assert name.rpartition("/")[2] in remedy


def test_allowing_setting_is_passed_over(tmp_path: Path) -> None:
    root = machine(tmp_path, "proc/sys/user/max_user_namespaces", "96343\n")
    assert remedy_for("denied", root=root).startswith("Run 'drydock doctor'")


def test_container_is_recognised(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()
    assert "seccomp=unconfined" in remedy_for("denied", root=tmp_path)


def test_masked_proc_is_recognised(tmp_path: Path) -> None:
    assert "systempaths" in remedy_for("mount proc on /proc: denied", root=tmp_path)
