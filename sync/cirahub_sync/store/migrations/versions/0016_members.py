"""Sets of spokes, and their members"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spoke_sets",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("set_uid", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.Column("added_at", sa.Float(), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.Column("source_key", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=256), nullable=False),
        sa.Column("held", sa.String(length=64), nullable=False),
        sa.Column("held_count", sa.Integer(), nullable=False),
        sa.Column("emptied", sa.Boolean(), nullable=False),
        sa.Column("left_since", sa.Float(), nullable=False),
        sa.Column("left_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_spoke_sets_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "set_uid", name=op.f("pk_spoke_sets")),
    )
    op.create_table(
        "members",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("set_uid", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("leaving", sa.Boolean(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("yields_to", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.Float(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_members_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "set_uid", "id", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_uid"), "members", ["uid"])


def downgrade() -> None:
    op.drop_table("members")
    op.drop_table("spoke_sets")
