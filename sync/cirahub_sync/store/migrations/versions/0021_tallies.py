"""What each spoke has, counted as it comes and goes; and dead items by an index of their own"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("own", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_tallies_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", name=op.f("pk_tallies")),
    )
    dead = sa.column("alive", sa.Boolean()).is_(False)
    op.create_index(
        op.f("ix_items_hub_dead"),
        "items",
        ["hub", "id"],
        sqlite_where=dead,
        postgresql_where=dead,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_items_hub_dead"), "items")
    op.drop_table("tallies")
