"""Which create a copy came from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "replicas", sa.Column("attempt", sa.String(length=16), nullable=False, server_default="")
    )


def downgrade() -> None:
    with op.batch_alter_table("replicas") as table:
        table.drop_column("attempt")
