"""Who is in groups that filters name"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "group_readings",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("read_at", sa.Float(), nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_group_readings_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "key", name=op.f("pk_group_readings")),
    )


def downgrade() -> None:
    op.drop_table("group_readings")
