"""A pass in parts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shards",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("pass_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("errand", sa.String(length=16), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=True),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("handed", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_shards_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "pass_number", "errand", "part", name=op.f("pk_shards")),
    )


def downgrade() -> None:
    op.drop_table("shards")
