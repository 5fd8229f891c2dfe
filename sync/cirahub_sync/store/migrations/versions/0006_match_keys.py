"""What a hub's match keys are made by"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hubs", sa.Column("keys_key", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("hubs", "keys_key")
