"""Marks of the lines of a text: where two texts differ is found without reading them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("texts", sa.Column("marks", sa.Text))


def downgrade() -> None:
    op.drop_column("texts", "marks")
