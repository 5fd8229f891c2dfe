"""Leaving as a durable job: erasures, what they withdrew, and configuration that outlives a pass"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "configurations",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_configurations_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_configurations")),
        comment="Resolved configuration, without secrets, of hubs and spokes as of their last "
        "pass; sealed, since it names mailboxes. digest: of what is sealed, keyed.",
    )
    op.create_index(op.f("ix_configurations_hub"), "configurations", ["hub"])
    op.create_table(
        "erasures",
        sa.Column("number", _BIG, autoincrement=True, nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("whole_hub", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.Float(), nullable=False),
        sa.Column("erase_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("abandoned", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("copies_deleted", _BIG, nullable=False),
        sa.Column("items_erased", _BIG, nullable=False),
        sa.Column("items_changed", _BIG, nullable=False),
        sa.Column("copies_remaining", _BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_erasures")),
        comment="Who leaves: job is the uid of the spoke, or of the whole hub. Open until "
        "finished_at. content: names and configuration, sealed with the hub's key; a finished one "
        "has none: what stays is a receipt in numbers, which outlives the hub.",
    )
    op.create_index(op.f("ix_erasures_job"), "erasures", ["job"])
    op.create_index(op.f("ix_erasures_hub"), "erasures", ["hub"])
    op.create_table(
        "withdrawals",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("seq", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_withdrawals_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job", "item", name=op.f("pk_withdrawals")),
        comment="Items that an erasure under way changed, and the seq that it gave them: until "
        "every receiver has been brought at least there, somebody still shows what was erased.",
    )
    op.create_index(op.f("ix_withdrawals_hub_item"), "withdrawals", ["hub", "item"])
    op.add_column("items", sa.Column("died_of", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("items", "died_of")
    for table in ("withdrawals", "erasures", "configurations"):
        op.drop_table(table)
