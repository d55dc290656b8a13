from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.dynamic import build_wheel
from grader.model import Checkout, Environment, Limits, WheelBuild
from grader.sandbox import Sandbox

Project = Callable[..., Checkout]
Build = Callable[..., WheelBuild]
PROJECT = '[project]\nname = "tinyport"\nversion = "1"\n'


@pytest.fixture
def build(project: Project, sandbox: Sandbox, limits: Limits, pinned: Environment) -> Build:
    def built(changes: dict[str, str | None] | None = None) -> WheelBuild:
        return build_wheel(project(changes), sandbox, limits, pinned)[0]

    return built


def system(back_end: str, **more: Any) -> dict[str, str | None]:
    lines = "".join(f"{name} = {value!r}\n" for name, value in more.items())
    declared = f'[build-system]\nrequires = []\nbuild-backend = "{back_end}"\n{lines}'
    return {"pyproject.toml": f"{declared}\n{PROJECT}"}


def test_wheel_holds_the_package(
    project: Project, sandbox: Sandbox, limits: Limits, pinned: Environment
) -> None:
    wheel, site = build_wheel(project(), sandbox, limits, pinned)
    assert (wheel.built, wheel.version, wheel.message) == (True, "1.2.3", "")
    assert "tinyport/__init__.py" in wheel.files
    assert site is not None
    assert (site / "tinyport" / "__init__.py").is_file()


def test_missing_packages_are_named(build: Build) -> None:
    assert build().missing == ("left-pad>=1", "pandas<1")


def test_setuptools_builds_too(build: Build) -> None:
    wheel = build(system("setuptools.build_meta"))
    assert "tinyport/__init__.py" in wheel.files


def test_flit_builds_too(build: Build) -> None:
    text = system("flit_core.buildapi")["pyproject.toml"]
    described = f'{text}description = "d"\n'
    assert "tinyport/__init__.py" in build({"pyproject.toml": described}).files


def test_back_end_of_its_own(build: Build) -> None:
    own = "def build_wheel(folder, *_):\n    raise SystemExit('our own back end ran')\n"
    wheel = build({**system("own", **{"backend-path": ["tools"]}), "tools/own.py": own})
    assert "our own back end ran" in wheel.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (system("poetry.core.masonry.api"), "'poetry.core.masonry.api' is not in the environment"),
        ({"pyproject.toml": "[project\n"}, "pyproject.toml cannot be read"),
        ({"pyproject.toml": PROJECT.replace("version", "versoin")}, "The build ended with"),
    ],
)
def test_failed_builds_say_why(changes: dict[str, str | None], said: str, build: Build) -> None:
    wheel = build(changes)
    assert not wheel.built
    assert said in wheel.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("open(folder + '/x.whl', 'wb').write(b'PK'); return 'x.whl'", "The wheel cannot be"),
        ("import os; os.symlink('/etc/passwd', 'drydock.whl'); os._exit(0)", "no usable wheel"),
        ("import os; os._exit(0)", "no usable wheel: missing"),
        ("raise type('E', (Exception,), {})('a\\x1b[31m\\nb')", "exit code 1"),
    ],
)
def test_hostile_back_ends_are_held(body: str, said: str, build: Build) -> None:
    own = f"def build_wheel(folder, *_):\n    {body}\n"
    wheel = build({**system("own", **{"backend-path": ["tools"]}), "tools/own.py": own})
    assert not wheel.built
    assert said in wheel.message
    assert wheel.message.isprintable()


def test_same_tree_same_wheel(build: Build) -> None:
    assert build() == build()
