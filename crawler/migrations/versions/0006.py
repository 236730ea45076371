"""Store an entry's markup until the text of its post's page has been extracted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("entries", sa.Column("markup", sa.Text()))


def downgrade() -> None:
    op.drop_column("entries", "markup")
