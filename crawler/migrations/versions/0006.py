"""What an entry says of its post as markup, until the post's page has been read with it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("entries", sa.Column("markup", sa.Text()))


def downgrade() -> None:
    op.drop_column("entries", "markup")
