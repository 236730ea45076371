"""What may be done with a text, as words that the search filters by; rows have none until they are reindexed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("searchable", sa.Column("rights", sa.Text))


def downgrade() -> None:
    op.drop_column("searchable", "rights")
