"""What the Ladder needs of a report: the loss against the legacy model, and its standard error."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. There is no way back: what was appended stays."""
    op.add_column("report", sa.Column("loss", sa.Float(), nullable=True))
    op.add_column("report", sa.Column("loss_error", sa.Float(), nullable=True))
