"""Search over all texts; urlkeys in code point order, in which they are scanned."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "searchable",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("urlkey", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("author", sa.Text),
        sa.Column("language", sa.String(16)),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("dated", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("urlkey", "digest"),
    )
    op.create_index("searchable_host", "searchable", ["host", "dated"])
    op.create_index("searchable_dated", "searchable", ["dated"])
    op.create_index("searchable_seen", "searchable", ["seen"])
    op.create_index("captures_date", "captures", ["date"])
    if op.get_bind().dialect.name == "postgresql":
        for table in ("captures", "texts"):
            op.execute(f'ALTER TABLE {table} ALTER COLUMN urlkey TYPE text COLLATE "C"')
        op.execute(
            "CREATE TABLE passages ("
            "text_id integer NOT NULL REFERENCES searchable (id) ON DELETE CASCADE, number integer NOT NULL, "
            "words tsvector NOT NULL, PRIMARY KEY (text_id, number))"
        )
        op.execute("CREATE INDEX passages_words ON passages USING gin (words)")
    else:
        # Our words are separated by spaces; the tokenizer has nothing to decide.
        op.execute(
            "CREATE VIRTUAL TABLE searchable_words USING fts5 ("
            "title, author, tags, body, facets, content='', tokenize=\"ascii\")"
        )


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS searchable_words")
    op.execute("DROP TABLE IF EXISTS passages")
    op.drop_index("captures_date", "captures")
    op.drop_table("searchable")
