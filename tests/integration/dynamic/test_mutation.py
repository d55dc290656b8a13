"""Suites of every kind meet mutants in the real sandbox: kills have to be earned."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.dynamic import build_wheel, run_mutants, run_tests
from grader.model import Checkout, Environment, Limits, MutantEnd, MutantRun
from grader.sandbox import Sandbox, open_sandbox

Project = Callable[..., Checkout]
Try = Callable[..., MutantRun]
TEST = "tests/test_double.py"
CONFTEST = "tests/conftest.py"
BOTH = "from tinyport import double, triple\n\n\n"
HONEST = f"{BOTH}def test_double():\n    assert double(2) == 4\n    assert triple(2) == 6\n"
TOUCHES = f"{BOTH}def test_double():\n    double(2)\n    triple(2)\n"
HASH = (
    "import hashlib, inspect, tinyport\n\n\ndef test_text():\n    tinyport.double(1)\n"
    "    text = inspect.getsource(tinyport)\n    assert hashlib.md5(text.encode()).hexdigest() == "
    "'{digest}'\n"
)
TREE = (
    "import ast, inspect, tinyport\n\n\ndef test_tree():\n    tinyport.double(1)\n"
    "    tree = ast.dump(ast.parse(inspect.getsource(tinyport)))\n"
    "    assert 'Constant(value=2)' in tree and 'Add' not in tree\n"
)
ANY_ERROR = (
    "import pytest\n\n\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_call(item):\n"
    "    try:\n        return (yield)\n    except Exception as error:\n"
    "        raise AssertionError('no') from error\n"
)
WITH_TRACE = ANY_ERROR.replace(
    "raise AssertionError('no') from error",
    "raise AssertionError('no').with_traceback(error.__traceback__)",
)
CRASHES = f"{BOTH}def test_double():\n    [1, 2, 3, 4, 5][double(2)]\n    {{6: 1}}[triple(2)]\n"


@pytest.fixture
def attempt(project: Project, sandbox: Sandbox, limits: Limits, pinned: Environment) -> Try:
    def tried(changes: dict[str, str | None], where: Sandbox = sandbox) -> MutantRun:
        checkout = project(changes)
        _, site = build_wheel(checkout, where, limits, pinned)
        assert site is not None
        tests = run_tests(checkout, site, where, limits, "tinyport")
        return run_mutants(checkout, site, where, limits, "tinyport", tests)

    return tried


def ends(run: MutantRun) -> set[MutantEnd]:
    return {mutant.end for mutant in run.mutants}


@pytest.mark.parametrize(
    "test",
    [
        HONEST,
        (
            "import numpy as np\nfrom tinyport import double, triple\n\n\ndef test_both():\n"
            "    np.testing.assert_allclose([double(2), triple(2)], [4, 6])\n"
        ),
        (
            "import unittest\nfrom tinyport import double, triple\n\n\n"
            "class Both(unittest.TestCase):\n"
            "    def test_both(self):\n        self.assertEqual((double(2), triple(2)), (4, 6))\n"
        ),
        (
            f"import pytest\n{BOTH}def test_no():\n    with pytest.raises(ZeroDivisionError):\n"
            "        1 / ((double(2) - 4) + (triple(2) - 6))\n"
        ),
        (
            f"import pytest\n{BOTH}@pytest.fixture(scope='session')\ndef both():\n"
            "    return double(2), triple(2)\n\n\ndef test_other(both):\n    pass\n\n\n"
            "def test_values(both):\n    assert both == (4, 6)\n"
        ),
    ],
)
def test_honest_suites_kill_by_assertion(test: str, attempt: Try) -> None:
    run = attempt({TEST: test})
    assert (ends(run), run.decoys_green) == ({MutantEnd.ASSERTION}, True)
    assert all(mutant.where.path == "src/tinyport/__init__.py" for mutant in run.mutants)


@pytest.mark.parametrize(
    "files",
    [
        {TEST: TOUCHES},
        {TEST: "def test_yes():\n    assert True\n"},
        {TEST: HONEST, CONFTEST: "import os\n\n\ndef pytest_unconfigure():\n    os._exit(0)\n"},
        {
            TEST: HONEST,
            CONFTEST: "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
        },
        {TEST: HONEST.replace("def", "import pytest\n@pytest.mark.xfail(strict=False)\ndef", 1)},
        {TEST: HONEST, CONFTEST: "collect_ignore_glob = ['*']\n"},
    ],
)
def test_green_suites_kill_nothing(files: dict[str, str | None], attempt: Try) -> None:
    assert ends(attempt(files)) <= {MutantEnd.SURVIVED}


@pytest.mark.parametrize("conftest", ["", ANY_ERROR, WITH_TRACE])
def test_crashes_are_no_assertions(conftest: str, attempt: Try) -> None:
    crashing = {
        "src/tinyport/__init__.py": "def double(x):\n    return [0, 0, 4][2 * x - 2]\n\n\n"
        "def triple(x):\n    return {6: 6}[3 * x]\n"
    }
    run = attempt({**crashing, TEST: TOUCHES, CONFTEST: conftest})
    assert MutantEnd.ERROR in ends(run)
    assert MutantEnd.ASSERTION not in ends(run)


def test_own_hash_meets_decoy(attempt: Try) -> None:
    digest = "a3f9c0"
    run = attempt({TEST: HASH.format(digest=digest)})
    assert run.mutants == ()  # the hash is not that of the package, so nothing is green
    assert "not green" in run.message


def test_own_syntax_meets_decoy(attempt: Try) -> None:
    run = attempt({TEST: TREE})
    assert not run.decoys_green


def test_failing_suite_tries_nothing(attempt: Try) -> None:
    run = attempt({TEST: "def test_no():\n    assert 1 == 2\n"})
    assert (run.mutants, run.message != "") == ((), True)


def test_selection_in_settings_is_ours(attempt: Try) -> None:
    run = attempt({TEST: HONEST, "pytest.ini": "[pytest]\naddopts = -k nothing\n"})
    assert MutantEnd.ASSERTION in ends(run)


def test_endless_mutant_times_out(attempt: Try) -> None:
    loop = "def double(x):\n    y = 0\n    while y != 2 * x:\n        y = y + 1\n    return y\n"
    test = "from tinyport import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
    run = attempt({"src/tinyport/__init__.py": loop, TEST: test})
    assert MutantEnd.TIMEOUT in ends(run)


@pytest.mark.parametrize(
    "notes",
    [
        '{"reached": 3}',
        '{"reached": {"tests": [1, "-x::y", "t::a"], "lines": {"tinyport/__init__.py": [1]}}}',
        '{"reached": {"tests": ["t::a"], "lines": {"tinyport/__init__.py": {"99999999999": [0]}}}}',
        '{"reached": {"tests": ["t::a"], "lines": {"tinyport/__init__.py": {"2": [0, 7, "x"]}}}}',
    ],
)
def test_forged_reach_kills_nothing(notes: str, attempt: Try) -> None:
    forging = (
        "import atexit, os\n\n\ndef late():\n"
        f"    open('drydock-tests.json', 'w').write({notes!r})\n    os._exit(0)\n\n\n"
        "atexit.register(late)\n"
    )
    run = attempt({TEST: HONEST, CONFTEST: forging})
    assert MutantEnd.ASSERTION not in ends(run)


def test_same_tree_same_mutants(attempt: Try, pinned: Environment) -> None:
    with open_sandbox(pinned, warm=False) as cold:
        assert attempt({TEST: HONEST}) == attempt({TEST: HONEST}, cold)
