"""The index: which captures and texts the archive has, and where they are stored. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Select,
    Table,
    bindparam,
    case,
    func,
    select,
)

from archive.index import tallies
from archive.index.aliases import conditions, keys_of
from archive.index.schema import (
    CAPTURES,
    CRAWL,
    IMPORT,
    IS_WHOLE,
    OF_THE_PAGE,
    OK,
    PARTIAL,
    UNNAMED,
    CaptureRow,
    ObjectRow,
    TextRow,
    capture_row,
    captures,
    newest,
    objects,
    retired,
    text_row,
    texts,
    texts_select,
)
from archive.runtime.database import fetch, in_parts, transaction
from archive.runtime.times import CLOCK_TOLERANCE
from archive.warc.page_identity import page_key, post_key
from archive.warc.urlkey import urlkey

R = TypeVar("R", "CaptureRow", "TextRow")


class Index:
    """Reads rows about captures and texts in one database; `IndexWriter` writes them."""

    def __init__(self, engine: Engine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Nothing is read yet.

        Args:
            engine: The database.
            now: The clock: what is dated far after now is never the newest, where there is something else.
        """
        self._engine = engine
        self._now = now

    @property
    def engine(self) -> Engine:
        """The database, for other lookups of the archive in it."""
        return self._engine

    @property
    def latest(self) -> datetime:
        """What is dated later than this was dated by a clock that was ahead."""
        return self._now() + CLOCK_TOLERANCE

    def captures(self, url: str) -> list[CaptureRow]:
        """Every capture of a page, oldest first."""
        for same in conditions(self._engine, captures, url):
            if rows := fetch(self._engine, CAPTURES.where(same).order_by(captures.c.date, captures.c.record)):
                return [capture_row(row) for row in rows]
        return []

    def addresses(self, pages: Collection[str]) -> dict[str, tuple[str, ...]]:
        """For each page that has aliases, by its key: the keys of all its addresses, its own first."""
        with transaction(self._engine, reads=True) as connection:
            return keys_of(connection, pages)

    def nearest(self, url: str, at: datetime | None) -> CaptureRow | None:
        """The capture of a URL nearest to `at`, or the newest; if two are equally near, the earlier."""
        return self._nearest(captures, CAPTURES.where(captures.c.status != PARTIAL), url, at, capture_row)

    def nearest_as_spelt(self, url: str, at: datetime | None) -> CaptureRow | None:
        """The capture nearest to `at`, or the newest, of exactly this URL: not of its page under another address."""
        same = CAPTURES.where(captures.c.page == page_key(url), captures.c.url == url)
        return self._around(captures, same, at, capture_row)

    def last_before(self, url: str, at: datetime) -> CaptureRow | None:
        """The last capture of exactly this URL up to an instant; None if there is none."""
        same = CAPTURES.where(captures.c.page == page_key(url), captures.c.url == url, captures.c.date <= at)
        rows = fetch(self._engine, same.order_by(captures.c.date.desc()).limit(1))
        return capture_row(rows[0]) if rows else None

    def nearest_text(self, url: str, at: datetime | None) -> TextRow | None:
        """The text of a URL whose capture is nearest to `at`, or the newest."""
        return self._nearest(texts, texts_select(), url, at, text_row)

    def own_text(self, url: str, at: datetime | None) -> TextRow | None:
        """The text of the post whose own address is a URL with its fragment, nearest to `at`, or the newest."""
        if "#" not in url:
            return None
        return self._around(texts, texts_select().where(texts.c.page == post_key(url)), at, text_row)

    def text_of(self, capture: str) -> TextRow | None:
        """The text made from the capture with that WARC-Record-ID; if there are several, that of the newest batch."""
        return next(iter(self.texts_of(capture)), None)

    def text_for(self, capture: CaptureRow) -> TextRow | None:
        """The text of the page in a capture or, if it has none and is a revisit, in the response it refers to."""
        sources = {capture.record, capture.refers_to or capture.record}
        own = case((texts.c.capture == capture.record, 0), else_=1)
        query = texts_select().where(texts.c.capture.in_(sources), OF_THE_PAGE)
        rows = fetch(self._engine, query.order_by(own, *newest(texts)).limit(1))
        return text_row(rows[0]) if rows else None

    def texts_of(self, capture: str) -> list[TextRow]:
        """Every text of the page in the capture with that WARC-Record-ID, newest batch first."""
        query = texts_select().where(texts.c.capture == capture, OF_THE_PAGE).order_by(*newest(texts))
        return [text_row(row) for row in fetch(self._engine, query)]

    def with_text(self, after: str, limit: int) -> list[str]:
        """WARC-Record-IDs of captures that have a text, in their order, starting with the one after `after`."""
        query = select(texts.c.capture).where(texts.c.capture > after, OF_THE_PAGE).distinct().order_by(texts.c.capture)
        return [row.capture for row in fetch(self._engine, query.limit(limit))]

    def imported_without_text(self, after: str, limit: int) -> list[CaptureRow]:
        """Captures of pages that other tools made and that have no text, starting with the record after `after`."""
        has_text = select(texts.c.capture).where(texts.c.capture == captures.c.record).exists()
        is_page = (captures.c.status == OK) & (captures.c.mime.contains("html") | (captures.c.mime == UNNAMED))
        query = CAPTURES.where(captures.c.record > after, objects.c.key.like(f"%/{IMPORT}-%"), is_page, ~has_text)
        return [capture_row(row) for row in fetch(self._engine, query.order_by(captures.c.record).limit(limit))]

    def pages_with_text(self, after: str, limit: int) -> tuple[list[CaptureRow], str | None]:
        """For pages in the order of their keys: the newest capture with a text that a crawl made of each.

        Texts whose source is another document, such as a feed, and imported ones do not count.

        Args:
            after: Key of the last page of the previous part; empty for the first.
            limit: Number of pages to examine.

        Returns:
            The captures, and the key of the last page; None if there are no more.
        """
        every = select(texts.c.page).where(texts.c.page > after).distinct().order_by(texts.c.page).limit(limit)
        pages = [row.page for row in fetch(self._engine, every)]
        own = (captures.c.record == texts.c.capture) & (captures.c.page == texts.c.page)
        query = CAPTURES.join(texts, own).where(objects.c.key.like(f"%/{CRAWL}-%"))
        found: dict[str, CaptureRow] = {}
        for part in in_parts(pages):
            for row in fetch(self._engine, query.where(texts.c.page.in_(part)).order_by(captures.c.date.desc())):
                found.setdefault(row.page, capture_row(row))
        return [found[page] for page in pages if page in found], pages[-1] if pages else None

    def posts_of_host(self, url: str) -> int:
        """How many URLs of a URL's host have a text."""
        query = select(func.count(texts.c.urlkey.distinct())).where(*self._of_host(url), OF_THE_PAGE)
        return int(fetch(self._engine, query)[0][0])

    def newest_texts(self, url: str, limit: int) -> list[TextRow]:
        """Texts of `limit` posts of a URL's host, the newest of each, latest captures first."""
        query = texts_select().where(*self._of_host(url), OF_THE_PAGE)
        query = query.order_by(texts.c.date.desc(), *newest(texts))
        found: dict[str, TextRow] = {}
        for row in fetch(self._engine, query.limit(4 * limit)):
            found.setdefault(row.urlkey, text_row(row))
        return list(found.values())[:limit]

    def _of_host(self, url: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        host = urlkey(url).partition(")")[0]
        key: ColumnElement[str] = texts.c.urlkey
        if self._engine.dialect.name == "postgresql":
            key = key.collate("C")
        return key >= f"{host})", key < f"{host}*"  # `*` follows `)`

    def same_text(self, digest: str) -> list[TextRow]:
        """Every text with that digest, of any URL, oldest first: the same words, whatever the bytes of the page."""
        return [
            text_row(row)
            for row in fetch(self._engine, texts_select().where(texts.c.digest == digest).order_by(texts.c.date))
        ]

    def texts(self, url: str) -> dict[str, list[TextRow]]:
        """Texts of each capture of a URL that has one, newest batch first, by the capture's WARC-Record-ID."""
        found: dict[str, list[TextRow]] = {}
        for same in conditions(self._engine, texts, url):
            query = texts_select().where(same).order_by(*newest(texts))
            for row in fetch(self._engine, query):
                found.setdefault(row.capture, []).append(text_row(row))
            if found:
                break
        return found

    def capture(self, record: str) -> CaptureRow | None:
        """The capture with that WARC-Record-ID."""
        rows = fetch(self._engine, CAPTURES.where(captures.c.record == record))
        return capture_row(rows[0]) if rows else None

    def text(self, record: str) -> TextRow | None:
        """The text with that WARC-Record-ID."""
        rows = fetch(self._engine, texts_select().where(texts.c.record == record))
        return text_row(rows[0]) if rows else None

    def present(self, row: R) -> R | None:
        """The row of the same capture or text as it is now."""
        if isinstance(row, TextRow):
            return self.text(row.record)
        return self.capture(row.record)

    def captures_of(self, records: Iterable[str]) -> list[CaptureRow]:
        """The captures with these WARC-Record-IDs."""
        found: list[CaptureRow] = []
        for part in in_parts(records):
            found += map(capture_row, fetch(self._engine, CAPTURES.where(captures.c.record.in_(part))))
        return found

    def newest_of_url(self, url: str) -> CaptureRow | None:
        """The newest capture of exactly that URL."""
        query = CAPTURES.where(captures.c.page == page_key(url), captures.c.url == url)
        rows = fetch(self._engine, query.order_by(captures.c.date.desc(), captures.c.record.desc()).limit(1))
        return capture_row(rows[0]) if rows else None

    def original(self, digest: str) -> CaptureRow | None:
        """The earliest complete response with the payload of that digest, of any URL, that is not known to be lost."""
        return next(iter(self.originals(digest, 1)), None)

    def originals(self, digest: str, limit: int = 5) -> list[CaptureRow]:
        """Complete responses with that payload digest, of any URL, that are not known to be lost, oldest first."""
        return [capture_row(row) for row in fetch(self._engine, _ORIGINALS, digest=digest, limit=limit)]

    def latest_payload(self, url: str) -> CaptureRow | None:
        """The newest complete capture of a URL by our own crawler with status 200, not of the future."""
        query = (
            CAPTURES.where(captures.c.page == page_key(url), captures.c.url == url, captures.c.status == 200)  # noqa: PLR2004
            .where(captures.c.truncated.is_(None), captures.c.fault.is_(None), captures.c.date <= self.latest)
            .where(objects.c.key.like(f"%/{CRAWL}-%"))
            .order_by(captures.c.date.desc())
            .limit(1)
        )
        rows = fetch(self._engine, query)
        return capture_row(rows[0]) if rows else None

    def newest_batches(self, batches: int, of_each: int) -> list[list[CaptureRow]]:
        """The newest captures of each of the batches that crawls have committed last, the last batch first."""
        ours = objects.c.key.like(f"warc/%/{CRAWL}-%")
        last = select(objects.c.id).where(ours).order_by(objects.c.id.desc()).limit(batches)
        found = []
        for row in fetch(self._engine, last):
            query = CAPTURES.where(captures.c.object_id == row.id).order_by(captures.c.date.desc()).limit(of_each)
            found.append([capture_row(one) for one in fetch(self._engine, query)])
        return [rows for rows in found if rows]

    def objects(self) -> list[ObjectRow]:
        """Every object that rows may refer to, by key."""
        names = ObjectRow.__slots__
        query = select(*(objects.c[name] for name in names)).order_by(objects.c.key)
        with transaction(self._engine, reads=True) as connection:
            return [ObjectRow(**row._asdict()) for row in connection.execute(query)]

    def objects_of(self, keys: Iterable[str]) -> list[ObjectRow]:
        """Those of some objects that rows may refer to."""
        columns = [objects.c[name] for name in ObjectRow.__slots__]
        queries = (select(*columns).where(objects.c.key.in_(part)) for part in in_parts(keys))
        return [ObjectRow(**row._asdict()) for query in queries for row in fetch(self._engine, query)]

    def some_objects(self, limit: int) -> list[str]:
        """Keys of the objects that were added last."""
        query = select(objects.c.key).order_by(objects.c.id.desc()).limit(limit)
        return [row.key for row in fetch(self._engine, query)]

    def has_object(self, key: str) -> bool:
        """Whether rows may refer to an object."""
        return bool(fetch(self._engine, select(objects.c.id).where(objects.c.key == key)))

    def retired(self) -> list[str]:
        """Keys of objects that are in the store still, but whose bytes are in a joined one."""
        return [row.key for row in fetch(self._engine, select(retired.c.key).order_by(retired.c.key))]

    def of_object(self, key: str) -> tuple[list[CaptureRow], list[TextRow]]:
        """The captures and texts in an object, in its order."""
        held = fetch(self._engine, CAPTURES.where(objects.c.key == key).order_by(captures.c.offset))
        made = fetch(self._engine, texts_select().where(objects.c.key == key).order_by(texts.c.offset))
        return [capture_row(row) for row in held], [text_row(row) for row in made]

    def counts(self) -> dict[str, int]:
        """How many captures, texts and objects there are."""
        return tallies.of_tables(self._engine)

    def _nearest(
        self, table: Table, query: Select[Any], url: str, at: datetime | None, make: Callable[[Row[Any]], R]
    ) -> R | None:
        """The nearest one of the page, under any of its addresses; otherwise of any URL with the same urlkey."""
        same = conditions(self._engine, table, url)
        found = (self._around(table, query.where(one), at, make) for one in same)
        return next((row for row in found if row), None)

    def _around(self, table: Table, query: Select[Any], at: datetime | None, make: Callable[[Row[Any]], R]) -> R | None:
        # If a capture has several texts, the newest.
        latest: tuple[ColumnElement[Any], ...] = newest(table)
        if at is None:
            last = query.order_by(table.c.date.desc(), *latest).limit(1)
            rows = fetch(self._engine, last.where(table.c.date <= self.latest)) or fetch(self._engine, last)
            return make(rows[0]) if rows else None
        around = [
            *fetch(self._engine, query.where(table.c.date <= at).order_by(table.c.date.desc(), *latest).limit(1)),
            *fetch(self._engine, query.where(table.c.date > at).order_by(table.c.date, *latest).limit(1)),
        ]
        return min((make(row) for row in around), key=lambda row: row.distance(at), default=None)


# Used for each capture, so it is built once.
_ORIGINALS = (
    CAPTURES.where(
        captures.c.digest == bindparam("digest"),
        IS_WHOLE,
    )
    .order_by(captures.c.date)
    .limit(bindparam("limit"))
)
