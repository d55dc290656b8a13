"""A challenge package: ``challenge.toml`` and its folders, loaded, validated and exported.

Challenge packages are data. Nothing in one is imported or run by loading it.
"""

from __future__ import annotations

from grader.package.data import check_data
from grader.package.export import export_public, given_lines, public_digests
from grader.package.files import challenge_digest, data_digest
from grader.package.load import find_challenge, list_challenges, load_challenge

__all__ = [
    "challenge_digest",
    "check_data",
    "data_digest",
    "export_public",
    "find_challenge",
    "given_lines",
    "list_challenges",
    "load_challenge",
    "public_digests",
]
