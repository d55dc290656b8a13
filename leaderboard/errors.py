"""What the store refuses; a branch of the one tree of errors."""

from __future__ import annotations

from grader.errors import UserError


class StoreError(UserError):
    """Something that the store refuses, or that its database can't do."""
