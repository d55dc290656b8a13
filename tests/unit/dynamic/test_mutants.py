"""Mutants change what a module does, decoys don't, and both stay valid Python."""

from __future__ import annotations

import ast
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.dynamic.mutants import Site, disguise, draw, find_sites

MODULE = '''"""Rates, in dollars."""

from __future__ import annotations

LIMIT: int = 85


def rate(age: int, base: float = 1.5) -> float:
    """Rate by age."""
    if age >= LIMIT and not base < 0:
        return 0.0
    return max(base * (age - 18), 2)


class Table:
    """A table."""

    def look(self, key):
        return {1: "a", 2: "b"}[key]
'''


def changes(text: str) -> set[str]:
    return {site.change for site in find_sites(text)}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("a < b", "`<` became `<=`"),
        ("a == b", "`==` became `!=`"),
        ("(a) >= (b)", "`>=` became `>`"),
        ("a + b", "`+` became `-`"),
        ("a ** b", "`**` became `*`"),
        ("a and b", "`and` became `or`"),
        ("not a", "a `not` was dropped"),
        ("np.maximum(a, b)", "`maximum` became `minimum`"),
        ("x = 18", "`18` became `19`"),
        ("x = 0.5", "`0.5` became `1.5`"),
        ("ä = 'ü'; b = ä < c", "`<` became `<=`"),
    ],
)
def test_mistakes_of_people(text: str, change: str) -> None:
    assert change in changes(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = 'text'",
        "x: Literal[3]",
        "def f(x: Annotated[int, 3]): ...",
        "if __name__ == '__main__':\n    main(3)",
        "if TYPE_CHECKING:\n    import a",
        "f'{a + 1}'",
        "'a' + b",
        "folder / name",
        "a is None",
        "json.dumps(a, indent=2)",
        "SEED = 42",
        "x = True",
        "x = 10 ** ",
        "@cache(3)\ndef f(): ...",
        "def f(:",
    ],
)
def test_what_changes_no_answer_stays(text: str) -> None:
    assert changes(text) == set()


def test_each_change_stands_alone() -> None:
    for site in find_sites(MODULE):
        changed = site.applied(MODULE)
        ast.parse(changed)
        assert changed != MODULE
        assert len(changed.splitlines()) == len(MODULE.splitlines())


def test_line_is_that_of_change() -> None:
    (site,) = [site for site in find_sites(MODULE) if site.change == "`-` became `+`"]
    assert "age - 18" in MODULE.splitlines()[site.line - 1]


def sites(count: int) -> tuple[Site, ...]:
    return tuple(Site(line=n, start=n, end=n, new="", change=str(n)) for n in range(count))


def test_large_file_decides_not_alone() -> None:
    drawn = draw({"large": sites(1000), "a": sites(2), "b": sites(2)}, seed=1, most=6)
    assert sorted(change.path for change in drawn) == ["a", "a", "b", "b", "large", "large"]


def test_draw_goes_on_where_it_ended() -> None:
    piles = {"a": sites(30), "b": sites(5)}
    whole = draw(piles, seed=7, most=20)
    assert draw(piles, seed=7, most=12) + draw(piles, seed=7, most=8, start=12) == whole


@given(seed=st.integers(0, 2**64), most=st.integers(0, 40))
def test_draw_repeats_no_change(seed: int, most: int) -> None:
    piles = {"a": sites(9), "b": sites(3), "c": ()}
    drawn = draw(piles, seed=seed, most=most)
    assert len(set(drawn)) == len(drawn) == min(most, 12)
    assert drawn == draw(piles, seed=seed, most=most)


@given(st.integers(0, 2**64))
def test_disguise_computes_the_same(seed: int) -> None:
    text = disguise(MODULE, seed)
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    exec(compile(MODULE, "a", "exec"), before)  # noqa: S102 - the module above
    exec(compile(text, "a", "exec"), after)  # noqa: S102 - the module above
    age = random.Random(seed).randrange(100)  # noqa: S311 - any age
    assert before["rate"](age) == after["rate"](age)  # type: ignore[operator] # a function


def test_disguise_changes_tree_and_lines() -> None:
    text = disguise(MODULE, 3)
    assert ast.dump(ast.parse(text)) != ast.dump(ast.parse(MODULE))
    assert ast.parse(text).body[-1].lineno != ast.parse(MODULE).body[-1].lineno


@pytest.mark.parametrize(
    "text",
    ["", "def f(:", "#!/usr/bin/python\nx = 1\n", "match x:\n    case 3: y = 4\n", "f'{3}'", "x=1"],
)
def test_disguise_takes_any_text(text: str) -> None:
    disguised = disguise(text, 1)
    assert disguised.startswith((text[:2], "# _"))
