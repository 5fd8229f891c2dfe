"""Conflicts that wait for a person, and what people decided about them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "undecided",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("conflict", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_undecided_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", "conflict", name=op.f("pk_undecided")),
        comment="Conflicts that wait for a person, as of the item's last fold. conflict: digest of "
        "who said something when; it changes with them.",
    )
    op.create_table(
        "decisions",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_decisions_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", "field", "slot", name=op.f("pk_decisions")),
        comment="What a person decided about a conflict. slot: of the element of a list that was "
        "chosen.",
    )


def downgrade() -> None:
    for table in ("decisions", "undecided"):
        op.drop_table(table)
