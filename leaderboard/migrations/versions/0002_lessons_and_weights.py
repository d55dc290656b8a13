"""Lessons that are handed in, with what each cell was worth; weights of an event's challenges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. There is no way back: what was appended stays."""
    op.create_table(
        "lesson_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("lesson", sa.String(length=100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_lesson_attempt_person_id_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson_attempt")),
    )
    op.create_index(op.f("ix_lesson_attempt_person_id"), "lesson_attempt", ["person_id"])
    op.create_index(op.f("ix_lesson_attempt_lesson"), "lesson_attempt", ["lesson"])
    op.create_table(
        "event_weight",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("challenge_slug", sa.String(length=100), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight > 0", name=op.f("ck_event_weight_weight_is_positive")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_event_weight_event_id_event")
        ),
        sa.PrimaryKeyConstraint("event_id", "challenge_slug", name=op.f("pk_event_weight")),
    )
    for column in (
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=True),
        sa.Column("cells", sa.Text(), nullable=True),
        sa.Column("feedback", sa.Text(), nullable=True),
    ):
        op.add_column("lesson_result", column)
    op.create_index(op.f("ix_lesson_result_attempt_id"), "lesson_result", ["attempt_id"])
