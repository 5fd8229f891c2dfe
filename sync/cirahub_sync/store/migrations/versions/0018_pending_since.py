"""Since when what is not delivered has waited"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What waits already waits since the next pass: nothing says how long it has.
    op.add_column("pending", sa.Column("since", sa.Float(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("pending") as table:
        table.drop_column("since")
