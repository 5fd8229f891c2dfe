"""The conflict rules that a hub's items are folded by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hubs", sa.Column("rules_key", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("hubs", "rules_key")
