from __future__ import annotations

import pytest

from grader.package.section import Trail, line_of

TEXT = """\
title = "x"
[a]
b.c = 1
"d" = 2
[[list]]
name = "one"
[list.inner]
name = "two"
[[list]]
name = "three"
inline = { name = "four" }
[[list.deep]]
name = "five"
[[list.deep]]
name = "six"
"""


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (("title",), 1),
        (("a", "b", "c"), 3),
        (("a", "d"), 4),
        (("list", 1, "name"), 6),
        (("list", 1, "inner", "name"), 8),
        (("list", 2, "name"), 10),
        (("list", 2, "inline", "name"), 11),
        (("list", 2, "deep", 2, "name"), 15),
        (("list", 2, "lost"), 9),
        (("lost",), 0),
    ],
)
def test_line_leads_to_key(target: Trail, line: int) -> None:
    assert line_of(TEXT, target) == line
