"""Store the time of a hub's last notification, so that too frequent ones can be throttled."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("hubs", sa.Column("told", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("hubs", "told")
