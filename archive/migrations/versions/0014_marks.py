"""Marks of the lines of a text, by which differences are found without reading it; posts of which nobody was told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("texts", sa.Column("marks", sa.Text))
    op.create_table(
        "untold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("page", sa.String(64), nullable=False, unique=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("mark", sa.String(16), nullable=False),
    )
    op.execute("INSERT INTO untold (page, url, mark) SELECT page, MAX(url), '' FROM texts GROUP BY page")


def downgrade() -> None:
    op.drop_table("untold")
    op.drop_column("texts", "marks")
