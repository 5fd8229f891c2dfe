"""What people merged and split"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "redirects",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("old", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_redirects_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "old", name=op.f("pk_redirects")),
        comment="Ids of items that were merged away, and the items that they are now; never in "
        "chains.",
    )
    op.create_table(
        "bindings",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("remote", sa.String(length=512), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_bindings_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "remote", name=op.f("pk_bindings")),
        comment="Contacts of which a person said which item they are: when they come back, no key "
        "is asked.",
    )


def downgrade() -> None:
    for table in ("bindings", "redirects"):
        op.drop_table(table)
