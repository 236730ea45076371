"""Credentials for origins, and feeds whose certificates are not verified."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "credentials",
        sa.Column("origin", sa.String(300), primary_key=True),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
    )
    op.add_column("feeds", sa.Column("unverified", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("feeds", "unverified")
    op.drop_table("credentials")
