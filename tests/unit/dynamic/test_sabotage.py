from __future__ import annotations

import pytest

from grader.dynamic.suite import SABOTAGE, sabotaged
from grader.dynamic.wheel import missing_packages


@pytest.mark.parametrize("name", ["src/port/a.py", "port/sub/b.py", "lib/python/port/__init__.py"])
def test_every_module_is_broken(name: str) -> None:
    assert sabotaged({name: b"x = 1"}, "port") == {name: SABOTAGE}


@pytest.mark.parametrize("name", ["tests/port/test_a.py", "setup.py", "src/portal/a.py", "port.py"])
def test_other_files_are_left_alone(name: str) -> None:
    assert sabotaged({name: b"x = 1"}, "port") == {name: b"x = 1"}


@pytest.mark.parametrize("name", ["port/__pycache__/a.cpython-311.pyc", "src/port/fast.so"])
def test_compiled_modules_are_taken_away(name: str) -> None:
    assert sabotaged({name: b"x"}, "port") == {}


def test_data_files_stay() -> None:
    assert sabotaged({"port/table.csv": b"x"}, "port") == {"port/table.csv": b"x"}


@pytest.mark.parametrize(
    ("declared", "missing"),
    [
        ("numpy", ()),
        ("NumPy >= 2", ()),
        ("numpy<2", ("numpy<2",)),
        ("scikit_learn", ()),
        ("left-pad", ("left-pad",)),
        ("left-pad; extra == 'dev'", ()),
        ("left-pad; python_version < '3'", ()),
        ("not a requirement!", ("not a requirement!",)),
    ],
)
def test_dependencies_are_held_or_missing(declared: str, missing: tuple[str, ...]) -> None:
    packages = {"numpy": "2.4.0", "scikit-learn": "1.9.0"}
    assert missing_packages([declared], packages) == missing
