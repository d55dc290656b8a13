"""Any source → a clean, read-only tree, and the history it came from.

Nothing of a source is run, and nothing outside of it is read: git is read object by object, without
the git program, which would obey a repository's own configuration. What cannot be made into a
plain tree of regular files is refused in one sentence.

::

    <destination>/
    └── tree/            regular files, 0444, in folders 0555; no .git inside
"""

from __future__ import annotations

from grader.checkout.source import check_out
from grader.checkout.tree import MAX_BYTES, MAX_FILES, tree_of
from grader.checkout.wheel import unpack_wheel

__all__ = ["MAX_BYTES", "MAX_FILES", "check_out", "tree_of", "unpack_wheel"]
