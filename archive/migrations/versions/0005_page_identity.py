"""Captures and texts are found by the key of their page; addresses that are one page, with their evidence."""

import sqlalchemy as sa
from alembic import op

from archive.warc.page_identity import page_key

revision = "0005"
down_revision = "0004"

_PART = 2_000


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("page", sa.String(64), primary_key=True),
        sa.Column("root", sa.String(64), nullable=False),
    )
    op.create_index("aliases_root", "aliases", ["root"])
    op.create_table(
        "alias_proofs",
        sa.Column("page", sa.String(64), primary_key=True),
        sa.Column("target", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("target_url", sa.Text, nullable=False),
        sa.Column("proof", sa.String(64), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_index("alias_proofs_since", "alias_proofs", ["since"])
    for table in ("captures", "texts"):
        op.add_column(table, sa.Column("page", sa.String(64), nullable=False, server_default=""))
        _fill(table)
    op.add_column("texts", sa.Column("source", sa.String(8), nullable=False, server_default="page"))
    op.execute("ALTER TABLE searchable RENAME COLUMN urlkey TO page")
    _rename_searchable()
    op.create_index("captures_page", "captures", ["page", "date"])
    op.create_index("texts_page", "texts", ["page", "date"])


def _fill(name: str) -> None:
    """Compute the key of every row's page."""
    connection = op.get_bind()
    rows = sa.table(name, sa.column("record", sa.String), sa.column("url", sa.Text), sa.column("page", sa.String))
    change = sa.update(rows).where(rows.c.record == sa.bindparam("of")).values(page=sa.bindparam("to"))
    last = ""
    while True:
        query = sa.select(rows.c.record, rows.c.url).where(rows.c.record > last).order_by(rows.c.record).limit(_PART)
        found = connection.execute(query).all()
        if not found:
            return
        connection.execute(change, [{"of": row.record, "to": page_key(row.url)} for row in found])
        last = found[-1].record


def _rename_searchable() -> None:
    """Group texts by page; of equal texts of one page, which an earlier version took for two, one stays."""
    connection = op.get_bind()
    rows = sa.table("searchable", *(sa.column(name) for name in ("id", "url", "page", "digest")))
    last = 0
    while found := connection.execute(
        sa.select(rows.c.id, rows.c.url, rows.c.digest).where(rows.c.id > last).order_by(rows.c.id).limit(_PART)
    ).all():
        last = found[-1].id
        for row in found:
            key = page_key(row.url)
            there = sa.select(rows.c.id).where(rows.c.page == key, rows.c.digest == row.digest)
            if connection.execute(there).first() is None:
                connection.execute(sa.update(rows).where(rows.c.id == row.id).values(page=key))
            else:
                connection.execute(sa.delete(rows).where(rows.c.id == row.id))


def downgrade() -> None:
    op.drop_column("texts", "source")
    op.execute("ALTER TABLE searchable RENAME COLUMN page TO urlkey")
    for table in ("captures", "texts"):
        op.drop_index(f"{table}_page", table)
        op.drop_column(table, "page")
    op.drop_table("alias_proofs")
    op.drop_table("aliases")
