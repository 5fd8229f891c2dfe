"""How far first syncs have come"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("spokes", sa.Column("joined_at", sa.Float(), nullable=False, server_default="0"))
    op.add_column("spokes", sa.Column("allowed", big, nullable=True))
    # Who has been brought anything had its first sync before there were stages.
    op.execute("UPDATE spokes SET allowed = 0 WHERE mark = 0")
    op.create_table(
        "arrivals",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("found", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_arrivals_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "item", name=op.f("pk_arrivals")),
    )


def downgrade() -> None:
    op.drop_table("arrivals")
    with op.batch_alter_table("spokes") as table:
        table.drop_column("allowed")
        table.drop_column("joined_at")
