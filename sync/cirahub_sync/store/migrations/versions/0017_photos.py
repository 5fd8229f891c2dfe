"""Photos of contacts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photos",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("remote", sa.String(length=512), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("contact", sa.String(length=512), nullable=False),
        sa.Column("etag", sa.String(length=512), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("written", sa.LargeBinary(length=16), nullable=True),
        sa.Column("written_etag", sa.String(length=512), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_photos_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "remote", name=op.f("pk_photos")),
    )
    op.create_index(op.f("ix_photos_hub_due_at"), "photos", ["hub", "due_at"])
    op.create_index(op.f("ix_photos_hub_digest"), "photos", ["hub", "digest"])
    op.create_table(
        "pictures",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_pictures_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "digest", name=op.f("pk_pictures")),
    )
    op.create_table(
        "portraits",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_portraits_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", name=op.f("pk_portraits")),
    )
    op.create_index(op.f("ix_portraits_hub_spoke"), "portraits", ["hub", "spoke"])


def downgrade() -> None:
    op.drop_table("portraits")
    op.drop_table("pictures")
    op.drop_table("photos")
