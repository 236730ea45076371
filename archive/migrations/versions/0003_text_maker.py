"""What made a text: only texts by the same extractor can be compared."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("texts", sa.Column("made_by", sa.String(64)))


def downgrade() -> None:
    op.drop_column("texts", "made_by")
