"""What a text's post states of itself, and its words without typography: edits are found without reading texts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("texts", sa.Column("stated", sa.Text))
    op.add_column("texts", sa.Column("plain", sa.String(64)))


def downgrade() -> None:
    for name in ("plain", "stated"):
        op.drop_column("texts", name)
