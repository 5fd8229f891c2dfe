"""Fields that two spokes keep changing back and forth"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flips",
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("said", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["spoke"], ["spokes.uid"], name=op.f("fk_flips_spoke"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("spoke", "item", "field", "slot", "seq", name=op.f("pk_flips")),
        comment="Who gave a field back what they had said of it before, in the last day. slot: of "
        "the element, in a list. seq: of that edit; said: of the one before.",
    )
    op.create_index(op.f("ix_flips_hub_item"), "flips", ["hub", "item"])
    op.create_table(
        "freezes",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_freezes_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", "field", "holder", "other", name=op.f("pk_freezes")),
        comment="Fields that two spokes kept changing back and forth: what the one that had said "
        "theirs first said then stands, and neither is written to.",
    )


def downgrade() -> None:
    for table in ("freezes", "flips"):
        op.drop_table(table)
