"""The last deletions, and the posts that came back last, are found without sorting all of them."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index("deletions_since", "deletions", ["since", "key"])
    op.create_index("deletions_restored", "deletions", ["restored", "key"])


def downgrade() -> None:
    for name in ("deletions_restored", "deletions_since"):
        op.drop_index(name, "deletions")
