"""A machine that stands still within a transaction does not hold up the others for ever."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from archive.errors import DatabaseError
from archive.runtime import database
from archive.runtime.database import connect, transaction


def test_its_locks_end_and_it_is_told_to_try_again(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_IDLE_SECONDS", 0.5)
    suspended, other = connect(postgres_database), connect(postgres_database)
    with transaction(other) as connection:
        connection.execute(text("CREATE TABLE t (n integer)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))

    def stand_still() -> None:
        with transaction(suspended) as connection:
            connection.execute(text("UPDATE t SET n = 2"))
            with transaction(other) as second:  # waits until the first one is over
                second.execute(text("UPDATE t SET n = 3"))
            connection.execute(text("UPDATE t SET n = 4"))

    with pytest.raises(DatabaseError) as failed:
        stand_still()
    assert failed.value.temporary
    with transaction(suspended) as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar() == 3
