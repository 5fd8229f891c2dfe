"""Change notifications"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("resource", sa.String(length=1024), nullable=False),
        sa.Column("url", sa.String(length=64), nullable=False),
        sa.Column("subscription", sa.String(length=128), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("error", sa.String(length=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_subscriptions_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", name=op.f("pk_subscriptions")),
    )
    op.create_index(op.f("ix_subscriptions_hub"), "subscriptions", ["hub"])
    op.create_index(op.f("ix_subscriptions_subscription"), "subscriptions", ["subscription"])
    op.create_table(
        "notified",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_notified_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", name=op.f("pk_notified")),
    )
    op.create_index(op.f("ix_notified_hub"), "notified", ["hub"])


def downgrade() -> None:
    op.drop_table("notified")
    op.drop_table("subscriptions")
