"""Hosts of pages that were known before pages had hosts: without one they all shared the daily budget of one."""

import sqlalchemy as sa
from alembic import op

from crawler.model.url_identity import host_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_PART = 5_000


def upgrade() -> None:
    connection = op.get_bind()
    pages = sa.table("pages", sa.column("id", sa.Integer), sa.column("url", sa.Text), sa.column("host", sa.String))
    change = sa.update(pages).where(pages.c.id == sa.bindparam("of")).values(host=sa.bindparam("to"))
    last = 0
    while True:
        query = sa.select(pages.c.id, pages.c.url).where(pages.c.host == "", pages.c.id > last)
        found = connection.execute(query.order_by(pages.c.id).limit(_PART)).all()
        if not found:
            return
        connection.execute(change, [{"of": row.id, "to": host_of(row.url)} for row in found])
        last = found[-1].id


def downgrade() -> None:
    pass
