"""What spokes' own edits were before they changed, and which of them a person put back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "moments",
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("seq", _BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f("fk_moments_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "seq", name=op.f("pk_moments")),
        comment="To which seq the hub had come when: one row for each pass that changed anything.",
    )
    op.create_table(
        "earlier",
        *_edits("earlier"),
        comment="What a spoke's own edits of an item were until they changed at seq: those that "
        "changed. Without: nothing is known of what they were before.",
    )
    op.create_index(op.f("ix_earlier_hub_seq"), "earlier", ["hub", "seq"])
    op.create_table(
        "rewound",
        *_edits("rewound"),
        comment="A spoke's own edits of an item that a person put back at seq, in the place of "
        "those made until then; the last one counts. Without: what the spoke says counts again.",
    )


def downgrade() -> None:
    for table in ("rewound", "earlier", "moments"):
        op.drop_table(table)


def _edits(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("hub", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("spoke", sa.String(length=64), nullable=False),
        sa.Column("seq", _BIG, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["hub"], ["hubs.uid"], name=op.f(f"fk_{table}_hub"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub", "item", "spoke", "seq", name=op.f(f"pk_{table}")),
    )
