"""What `import archive` offers to other programs: an archive opened in one call, and the records of a WARC file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Self

from archive.archive import Archive
from archive.errors import StoreRefusedError
from archive.extract.text import Text
from archive.index.overview import Overview, Post
from archive.index.schema import CaptureRow
from archive.index.versions import Version
from archive.maintenance.reindex import keys, reindex
from archive.reader.page_history import Difference, captures_and_versions, compared, versions_of
from archive.reader.reader import Reader
from archive.runtime.times import iso, parse_moment
from archive.search.query import parse
from archive.search.search import Hit, Search
from archive.settings import ArchiveSettings, load
from archive.warc import foreign
from archive.warc.codings import decoded
from archive.warc.foreign import Broken
from archive.warc.http_message import header
from archive.warc.record import Record, split_payload

if TYPE_CHECKING:
    from archive.writer.committer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPost:
    """A post that the archive has a text of."""

    url: str
    blog: str
    """Host of the URL."""
    title: str | None
    author: str | None
    language: str | None
    """ISO 639-1 code."""
    dated: datetime
    """The date that the post states for itself, or else when its latest text was first seen; aware, UTC."""
    first_seen: datetime
    last_seen: datetime
    versions: int
    captures: int

    def as_json(self) -> dict[str, object]:
        """The post as programs see it."""
        return {
            "url": self.url,
            "blog": self.blog,
            "title": self.title,
            "author": self.author,
            "language": self.language,
            "dated": iso(self.dated),
            "first_seen": iso(self.first_seen),
            "last_seen": iso(self.last_seen),
            "versions": self.versions,
            "captures": self.captures,
        }


class OpenArchive:
    """An archive that is open until the end of a `with` block.

    Methods take an instant as text (ISO 8601, a date, or 4 to 14 digits, as on the command line) or as an aware
    `datetime`; other text and naive datetimes raise `ValueError`.
    """

    def __init__(self, archive: Archive, closing: ExitStack) -> None:
        self._archive = archive
        self._closing = closing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; a temporary index is deleted."""
        self._closing.close()

    @property
    def reader(self) -> Reader:
        """Everything that reads: payloads, records, rows of the index."""
        return self._archive

    @property
    def writer(self) -> Writer:
        """What adds captures and texts from another crawler: a batch, which is sealed, committed and released."""
        return self._archive.writer

    def text(self, url: str, at: str | datetime | None = None) -> Text:
        """The text of a page whose capture is nearest to `at`, by default the newest.

        Raises:
            NotArchivedError: The page has no text.
            DamagedError: The stored data do not match the index.
        """
        return self._archive.text(url, _instant(at)).as_text()

    def captures(self, url: str) -> list[CaptureRow]:
        """Every capture of a page, oldest first; http and https, with or without `www.`, are the same page."""
        return self._archive.captures(url)

    def versions(self, url: str) -> list[Version]:
        """The texts of a page that differ from the one before, oldest first.

        Raises:
            NotArchivedError: The page has no text.
        """
        return versions_of(self._archive, url)

    def diff(self, url: str, since: str | datetime | None = None, until: str | datetime | None = None) -> Difference:
        """What changed between the versions at two instants; by default between the last two.

        Raises:
            NotArchivedError: The page has no text.
            DamagedError: The stored data do not match the index.
        """
        return compared(self._archive, versions_of(self._archive, url), _instant(since), _instant(until))

    def posts(
        self,
        *,
        blog: str | None = None,
        language: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> Iterator[ArchivedPost]:
        """The archived posts.

        Args:
            blog: Only of this host.
            language: Only in this language, an ISO 639-1 code.
            since: Only posts dated at or after this instant.
            until: Only posts dated before this instant.
        """
        overview = Overview(self._archive.index)
        wanted = overview.all_posts(blog=blog, language=language, since=_instant(since), until=_instant(until))
        return (self._post(one) for one in wanted)

    def search(self, query: str, *, limit: int = 10, offset: int = 0) -> list[Hit]:
        """Versions that match a query, the best first; the query language is that of `pressmark search`.

        Raises:
            ValueError: The query cannot be understood.
        """
        search, wanted = Search(self._archive), parse(query)
        found = (None if offset else search.page(query)) or search.find(wanted, limit=limit, offset=offset)
        return list(found.hits)

    def _post(self, found: Post) -> ArchivedPost:
        captures, versions = captures_and_versions(self._archive, found.url)
        return ArchivedPost(
            url=found.url,
            blog=found.host,
            title=found.title,
            author=found.author,
            language=found.language,
            dated=found.dated,
            first_seen=versions[0].first,
            last_seen=versions[-1].last,
            versions=len(versions),
            captures=len(captures),
        )


def open_archive(store: str, database: str | None = None, *, home: str | Path | None = None) -> OpenArchive:
    """Open an archive; use it in a `with` block.

    Args:
        store: The object store, as `PRESSMARK_STORE` names it: `file:PATH`, `s3://BUCKET/PREFIX` or `memory:`.
        database: SQLAlchemy URL of the index, as in `PRESSMARK_DATABASE`. None: `pressmark.db` beside the folder of a
            `file:` store, if it exists; otherwise a temporary index, built now by reading the whole store.
        home: Folder whose `spool` takes batches that are written; None: the folder of that `pressmark.db`, otherwise a
            temporary one, so that a batch is lost if the process is killed before it is committed.

    Raises:
        SettingsError: The store or the database cannot be used under that name.
        ArchiveError: One of them failed.
    """
    closing = ExitStack()
    with closing:
        beside = _beside(store)
        if database is None and beside is not None:
            database, home = f"sqlite:///{beside}", home or beside.parent
        temporary = None
        if database is None or home is None:
            temporary = Path(closing.enter_context(TemporaryDirectory(prefix="pressmark-")))
        rebuilt = database is None
        if rebuilt and (folder := _folder(store)) and not folder.is_dir():
            raise StoreRefusedError("no such folder", location=store, hint="Name the folder of an existing store.")
        settings = load(
            ArchiveSettings,
            home=Path(home or temporary or "."),
            store=store,
            database=database or f"sqlite:///{temporary}/pressmark.db",
        )
        archive = Archive.open(settings)
        closing.callback(archive.index.engine.dispose)
        if rebuilt:
            for key in keys(archive.store):
                reindex(archive.store, archive.writer.index, key)
        return OpenArchive(archive, closing.pop_all())


def parse_warc(path: str | Path) -> Iterator[Record | Broken]:
    """The records of a WARC, ARC or WACZ file, in its order; a `Broken` stands for each that cannot be read.

    Raises:
        OSError: The file cannot be read.
    """
    return foreign.records(Path(path))


def decoded_payload(record: Record) -> tuple[bytes, str | None]:
    """The payload of a response or resource record without transfer and content coding, and its Content-Type.

    Raises:
        OverflowError: The decoded payload is larger than the limit.
        ValueError: It is not in the coding that its header states.
    """
    head, body = split_payload(record)
    if not head:
        return body, record.get("Content-Type")
    return decoded(body, header(head, "content-encoding")), header(head, "content-type")


def _beside(store: str) -> Path | None:
    """The default database of the home that a `file:` store is in, if there is one."""
    folder = _folder(store)
    database = folder.parent / "pressmark.db" if folder else None
    return database if database and database.is_file() else None


def _folder(store: str) -> Path | None:
    """The folder of a `file:` store."""
    scheme, _, rest = store.partition(":")
    return Path(rest.removeprefix("//")).absolute() if scheme == "file" and rest else None


def _instant(at: str | datetime | None) -> datetime | None:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValueError(f"{at.isoformat()} has no time zone: pass an aware datetime, such as with tzinfo=UTC")
        return at
    return parse_moment(at) if at is not None else None
