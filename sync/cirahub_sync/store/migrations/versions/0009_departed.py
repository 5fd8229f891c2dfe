"""What spokes' users deleted, to be brought back; and what died of one contributor's deletion"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "departed",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("gone_at", sa.Float(), nullable=False),
        sa.Column("restored", sa.Boolean(), nullable=False),
        sa.Column("own", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_departed_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "item", name=op.f("pk_departed")),
        comment="What a spoke contributed of an item until its user deleted it there. restored: a "
        "person brought it back, and it counts.",
    )
    op.create_index(op.f("ix_departed_hub_item"), "departed", ["hub", "item"])
    op.create_table(
        "condemned",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_condemned_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", name=op.f("pk_condemned")),
        comment="Items that one contributor's user deleted, for hubs where one suffices: what "
        "others have of them does not keep them alive.",
    )


def downgrade() -> None:
    for table in ("condemned", "departed"):
        op.drop_table(table)
