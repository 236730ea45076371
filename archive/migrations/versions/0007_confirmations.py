"""Further visits that confirm a capture, counted instead of captured."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "confirmations",
        sa.Column("record", sa.String(64), primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("confirmed", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("confirmations")
