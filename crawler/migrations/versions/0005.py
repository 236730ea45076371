"""When a hub told of news is remembered, so that a hub that tells all the time is not followed all the time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("hubs", sa.Column("told", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("hubs", "told")
