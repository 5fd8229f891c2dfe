"""Plans that wait for a person's approval"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=32), nullable=False),
        sa.Column("issue", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_plans_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", name=op.f("pk_plans")),
        comment="The plan that waits for approval; blank: none does. issue: counts the hub's plans, "
        "so that none has the id of an earlier one.",
    )
    op.create_table(
        "plan_entries",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.String(length=32), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("approved_until", sa.Float()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_plan_entries_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "item", "entry", name=op.f("pk_plan_entries")),
        comment="What the plan would write: entry is a digest of the spoke, the action, and of what "
        "item and replica were. approved_until: a person approved it, and it was not applied yet.",
    )
    op.create_index(op.f("ix_plan_entries_hub"), "plan_entries", ["hub"])


def downgrade() -> None:
    for table in ("plan_entries", "plans"):
        op.drop_table(table)
