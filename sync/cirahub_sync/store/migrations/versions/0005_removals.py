"""What the guard let go in the last day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "removals",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_removals_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "item", name=op.f("pk_removals")),
        comment="What the guard let go at a receiver without asking anybody, and when it was sent: "
        "the limit per day counts these.",
    )
    op.create_index(op.f("ix_removals_spoke_at"), "removals", ["spoke", "at"])


def downgrade() -> None:
    op.drop_table("removals")
