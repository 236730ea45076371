"""Store the intervals that servers and feeds ask for, since not every response repeats them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_FEEDS = (("fresh", sa.BigInteger()), ("every", sa.BigInteger()), ("skips", sa.Text()))


def upgrade() -> None:
    for name, kind in _FEEDS:
        op.add_column("feeds", sa.Column(name, kind))


def downgrade() -> None:
    for name, _ in _FEEDS:
        op.drop_column("feeds", name)
