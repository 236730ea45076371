"""Words of the full-text index, folded as searches fold them now: strokes, ligatures and vowel points do not matter."""

import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from archive.index.tokens import fold

revision = "0010"
down_revision = "0009"

_COLUMNS = ("title", "author", "tags", "body", "facets")
_ADD_TEXTS = "INSERT OR IGNORE INTO folded_texts SELECT doc FROM temp.words_instance WHERE term = ? AND col <> 'facets'"
_ADD = "INSERT INTO searchable_words (rowid, title, author, tags, body, facets) VALUES (?, ?, ?, ?, ?, ?)"
_REMOVE = (
    "INSERT INTO searchable_words (searchable_words, rowid, title, author, tags, body, facets) "
    "VALUES ('delete', ?, ?, ?, ?, ?, ?)"
)
_PART = 500
_MOST_PLACES = 255
"""Positions of a word that PostgreSQL stores."""
_LEXEME = re.compile(r"'((?:[^'\\]|''|\\.)*)'(?::([0-9A-D,]+))?", re.DOTALL)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _fold_vectors()
    else:
        _fold_words()


def downgrade() -> None:
    """Words that were folded stay so; what they were before is not known."""


def _fold_words() -> None:
    """SQLite has the words only in its index, from which they are put together again."""
    connection = op.get_bind()
    for form in ("row", "instance"):
        listing = f"fts5vocab('main', 'searchable_words', '{form}')"
        connection.exec_driver_sql(f"CREATE VIRTUAL TABLE temp.words_{form} USING {listing}")
    connection.exec_driver_sql("CREATE TEMP TABLE folded_texts (id INTEGER PRIMARY KEY)")
    for (word,) in connection.exec_driver_sql("SELECT term FROM temp.words_row").all():
        if _folded(word) != word:
            connection.exec_driver_sql(_ADD_TEXTS, (word,))
    connection.exec_driver_sql(
        "CREATE TEMP TABLE folded_words AS SELECT doc, col, offset, term FROM temp.words_instance "
        "WHERE doc IN (SELECT id FROM folded_texts)"
    )
    connection.exec_driver_sql("CREATE INDEX temp.folded_words_doc ON folded_words (doc)")
    for number, columns in _texts():
        old = [" ".join(columns[name]) for name in _COLUMNS]
        new = [" ".join(word if name == "facets" else _folded(word) for word in columns[name]) for name in _COLUMNS]
        connection.exec_driver_sql(_REMOVE, (number, *old))
        connection.exec_driver_sql(_ADD, (number, *new))
    for table in ("folded_words", "folded_texts", "words_instance", "words_row"):
        connection.exec_driver_sql(f"DROP TABLE temp.{table}")


def _texts() -> Iterator[tuple[int, dict[str, list[str]]]]:
    """The words of the columns of each text that has one to fold."""
    connection = op.get_bind()
    numbers = [row[0] for row in connection.exec_driver_sql("SELECT id FROM folded_texts ORDER BY id")]
    for number in numbers:
        columns: dict[str, list[str]] = {name: [] for name in _COLUMNS}
        query = "SELECT col, term FROM folded_words WHERE doc = ? ORDER BY offset"
        for column, word in connection.exec_driver_sql(query, (number,)):
            columns[column].append(word)
        yield number, columns


def _fold_vectors() -> None:
    connection = op.get_bind()
    reading = sa.text(
        "SELECT text_id, number, CAST(words AS text) AS words FROM passages "
        "WHERE (text_id, number) > (:text_id, :number) ORDER BY text_id, number LIMIT :part"
    )
    writing = sa.text(
        "UPDATE passages SET words = CAST(:words AS tsvector) WHERE text_id = :text_id AND number = :number"
    )
    last = {"text_id": -1, "number": -1}
    while found := connection.execute(reading, {**last, "part": _PART}).all():
        last = {"text_id": found[-1].text_id, "number": found[-1].number}
        for row in found:
            words = None if row.words.isascii() else _folded_vector(row.words)
            if words is not None:
                connection.execute(writing, {"words": words, "text_id": row.text_id, "number": row.number})


def _folded_vector(words: str) -> str | None:
    """A vector in PostgreSQL's syntax with its words folded; None if that changes none."""
    places: dict[str, set[str]] = {}
    changed = False
    for quoted, where in _LEXEME.findall(words):
        word = re.sub(r"''|\\(.)", lambda match: match[1] or "'", quoted)
        folded = _folded(word)
        changed = changed or folded != word
        places.setdefault(folded, set()).update(where.split(",") if where else ())
    if not changed:
        return None
    return " ".join(f"'{_quoted(word)}'{_listed(where)}" for word, where in places.items())


def _listed(places: set[str]) -> str:
    ordered = sorted(places, key=lambda place: int(place.rstrip("ABCD")))[:_MOST_PLACES]
    return ":" + ",".join(ordered) if ordered else ""


def _quoted(word: str) -> str:
    return word.replace("\\", "\\\\").replace("'", "''")


def _folded(word: str) -> str:
    return fold(word) or word
