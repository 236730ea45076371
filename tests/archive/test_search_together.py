"""Two machines that add the same text to the full-text index at a time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from sqlalchemy import func, select

from archive.index.fulltext import Entered, enter, passages, searchable
from archive.index.index import Index
from archive.index.writing import IndexWriter
from archive.runtime.database import connect, transaction

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def entered(number: int) -> Entered:
    return Entered(
        page=f"{number:064}", digest=f"{number:064}", url=f"http://a.example/{number}", host="a.example", title="T",
        author=None, language="en", tags=(), dated=NOW, seen=NOW, body="High water comes at noon.",
    )  # fmt: skip


def test_both_succeed_and_the_text_is_there_once(postgres_database: str) -> None:
    IndexWriter(Index(connect(postgres_database))).prepare()
    first, second = connect(postgres_database), connect(postgres_database)
    failed: list[BaseException] = []

    def add() -> None:
        try:
            with transaction(second) as connection:
                enter(connection, second, [entered(3), entered(2), entered(1)])
        except BaseException as e:  # noqa: BLE001  the test shows it
            failed.append(e)

    other = threading.Thread(target=add)
    with transaction(first) as connection:
        enter(connection, first, [entered(1), entered(2)])
        other.start()
        other.join(1.0)  # it waits for this transaction
        assert other.is_alive()
    other.join(30)
    assert failed == []
    with transaction(first, reads=True) as connection:
        assert connection.scalar(select(func.count()).select_from(searchable)) == 3
        assert connection.scalar(select(func.count()).select_from(passages)) == 3
