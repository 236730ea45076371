"""A blog as it was at an instant, as a site made of files that needs no server and no script.

The same archive and instant give the same bytes: nothing in the files says when or where they were made.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from archive.errors import TaskError
from archive.export.atom import Entry, atom
from archive.export.markdown_html import Addresses, addresses_in, with_files
from archive.export.site_pictures import SitePictures
from archive.index.at_time import Listed
from archive.index.schema import CaptureRow
from archive.reader.blog_at import AT_ONCE, BlogAt, HeldPost
from archive.reader.post_words import day_of, instant_of, lead_of
from archive.reader.reader import Reader

log = logging.getLogger(__name__)

ENTRIES = 25
"""Posts in the feed."""
LINES = 100
"""Posts on one page of a list."""
_POSTS, _FEED, _STYLE = "posts", "feed.atom", "style.css"
_NO_NAME = re.compile(r"[^a-z0-9]+")
_NAME_CHARACTERS = 60
_KEY_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a site consists of."""

    posts: int
    """Posts with a page."""
    later: int
    """Posts that are only listed: they are dated before the instant and were first seen after it."""
    unreadable: tuple[str, ...]
    """URLs of posts whose text cannot be read; their page says so."""
    no_pictures: int
    """Pictures that are not archived."""

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {
            "posts": self.posts,
            "first_seen_later": self.later,
            "unreadable": list(self.unreadable),
            "pictures_not_archived": self.no_pictures,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A post in a list."""

    file: str
    title: str
    language: str
    day: str
    author: str
    lead: str
    held: str
    """When its words were seen."""
    is_damaged: bool


class BlogSite:
    """The files of a blog as it was."""

    def __init__(self, reader: Reader, blog: BlogAt, folder: Path) -> None:
        """Find its posts.

        Args:
            reader: Reads the archive.
            blog: The blog at its instant.
            folder: An empty folder for the files.
        """
        self.posts: tuple[Listed, ...] = tuple(blog.every())
        self._reader = reader
        self._blog = blog
        self._folder = folder
        self._files = {one.page: _file_name(one) for one in self.posts}
        self._pictures = SitePictures(reader, folder, blog.until)
        self._lines: list[_Line] = []
        self._entries: list[Entry] = []
        self._unreadable: list[str] = []
        self._newest: CaptureRow | None = None
        self._templates = _templates()

    def write_posts(self, listed: Iterable[Listed]) -> None:
        """Write the pages of posts, which are all of `posts` in their order.

        Raises:
            ArchiveError: The archive cannot be read; what is damaged is told on its page.
            OSError: They cannot be written.
        """
        (self._folder / _POSTS).mkdir()
        every = iter(listed)
        while some := list(islice(every, AT_ONCE)):
            held = {post.listed.page: post for post in self._blog.posts(some)}
            for one in some:
                if post := held.get(one.page):
                    self._write_post(post)
                else:
                    self._write_unreadable(one)

    def write_rest(self) -> Written:
        """Write the lists, the feed and the stylesheet.

        Raises:
            OSError: They cannot be written.
        """
        later = list(self._blog.every_seen_later())
        first, newest = self._blog.period()
        front = self._blog.front()
        facts = {
            "front": front.date if front else None,
            "feed": own.date if (own := self._own_feed(front)) else None,
            "first": first,
            "newest": newest,
            "posts": len(self._lines),
            "later": len(later),
            "unreadable": len(self._unreadable),
            "no_pictures": self._pictures.missing,
        }
        self._write_list("index", self._lines, lines_later=later[:LINES], **facts)
        if later:
            self._write_list("later", later)
        self._write(_FEED, self._feed())
        self._write(_STYLE, (files("archive.export") / "site" / _STYLE).read_bytes())
        return Written(
            posts=len(self._lines),
            later=len(later),
            unreadable=tuple(self._unreadable),
            no_pictures=self._pictures.missing,
        )

    def _own_feed(self, front: CaptureRow | None) -> CaptureRow | None:
        try:
            return self._blog.feed((front, self._newest))
        except TaskError as e:
            log.warning("feed not looked for host=%s error=%s", self._blog.host, e)
            return None

    def _write_post(self, post: HeldPost) -> None:
        if self._newest is None and post.version.text.source == "page":
            self._newest = post.version.captures[0]
        stated = post.stated
        title = post.version.text.title or post.url
        html, in_feed = self._html(post, with_feed=len(self._entries) < ENTRIES)
        if stated is None:
            self._unreadable.append(post.url)
        line = _Line(
            file=f"{_POSTS}/{self._files[post.listed.page]}",
            title=title,
            language=(stated.language if stated else None) or "",
            day=day_of(stated.published) if stated else "",
            author=(stated.author if stated else None) or "",
            lead=lead_of(post.text.text) if post.text else "",
            held=_held(post),
            is_damaged=stated is None,
        )
        self._write_page(line, post.url, html)
        if len(self._entries) < ENTRIES:
            self._entries.append(
                Entry(
                    id=post.url,
                    link=line.file,
                    title=title,
                    updated=post.version.first,
                    published=instant_of(stated.published) if stated else None,
                    author=stated.author if stated else None,
                    html=in_feed,
                )
            )

    def _write_unreadable(self, listed: Listed) -> None:
        """A post of which the archive has neither capture nor text any more."""
        self._unreadable.append(listed.url)
        line = _Line(
            file=f"{_POSTS}/{self._files[listed.page]}",
            title=listed.title or listed.url,
            language="",
            day="",
            author="",
            lead="",
            held=f"seen first {_second(listed.seen)}",
            is_damaged=True,
        )
        self._write_page(line, listed.url, "")

    def _write_page(self, line: _Line, url: str, html: str) -> None:
        self._lines.append(line)
        self._page(line.file, "post", root="../", post=line, url=url, body=Markup(html))  # noqa: S704  sanitized

    def _html(self, post: HeldPost, *, with_feed: bool) -> tuple[str, str]:
        """The text as HTML for its own page and, if that is wanted, for the feed, which lies one folder above."""
        stated = post.stated
        if stated is None:
            return "", ""
        found: Addresses = self._reader.work(addresses_in, markdown=stated.markdown)
        posts = {url: self._files[page] for url, page in self._blog.known(found.links).items() if page in self._files}
        copied = {url: file for url in found.pictures if (file := self._pictures.file_of(url))}
        own = self._reader.work(
            with_files,
            markdown=stated.markdown,
            links=posts,
            pictures={url: f"../{file}" for url, file in copied.items()},
        )
        if not with_feed:
            return own, ""
        above = {url: f"{_POSTS}/{file}" for url, file in posts.items()}
        return own, self._reader.work(with_files, markdown=stated.markdown, links=above, pictures=copied)

    def _write_list(self, name: str, lines: Sequence[object], **values: object) -> None:
        """A list, in pages; the first is written even if the list is empty."""
        pages = range(max(1, -(-len(lines) // LINES)))
        for number in pages:
            self._page(
                _page_name(name, number),
                name,
                root="",
                lines=lines[number * LINES : (number + 1) * LINES],
                number=number,
                newer=_page_name(name, number - 1) if number else "",
                older=_page_name(name, number + 1) if number + 1 in pages else "",
                **values,
            )

    def _page(self, file: str, template: str, **values: object) -> None:
        html = self._templates.get_template(f"{template}.html").render(
            host=self._blog.host, until=self._blog.moment, **values
        )
        self._write(file, html.encode("utf-8", "replace"))

    def _feed(self) -> bytes:
        name = f"{self._blog.host} {self._blog.until:%Y%m%d%H%M%S}"
        return atom(
            id=uuid.uuid5(uuid.NAMESPACE_URL, name).urn,
            link=_FEED,
            alternate="index.html",
            title=f"{self._blog.host}, as it was on {_second(self._blog.until)}",
            entries=self._entries,
            updated=self._blog.moment,
        )

    def _write(self, file: str, data: bytes) -> None:
        (self._folder / file).write_bytes(data)


def _file_name(one: Listed) -> str:
    """Name of the page of a post: words of its address, and its key, so that no two are the same."""
    try:
        path = urlsplit(one.url).path
    except ValueError:
        path = ""
    last = unquote(path.rstrip("/").rpartition("/")[2]).lower()
    words = _NO_NAME.sub("-", last)[:_NAME_CHARACTERS].strip("-") or "post"
    return f"{words}-{one.page[:_KEY_CHARACTERS]}.html"


def _page_name(name: str, number: int) -> str:
    return f"{name}-{number + 1}.html" if number else f"{name}.html"


def _held(post: HeldPost) -> str:
    """When the words of a post were seen."""
    first = f"seen first {_second(post.version.first)}"
    if post.same:
        return f"{first}, still the same {_second(post.same)}"
    return f"{first}, looked at last {_second(post.looked)}"


def _second(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("archive.export", "site"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(second=_second, day=lambda moment: f"{moment:%Y-%m-%d}")
    return made
