"""Where the extracts come from."""

from __future__ import annotations

LAKE_KEY_ID = "AKIAQ3EGRZ7XNMVB5LTD"
LAKE_SECRET_KEY = "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"
