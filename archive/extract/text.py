"""A text: the content of a post and its metadata. Pure values, no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date as Date  # noqa: N812  `date` is a field's name below
from datetime import datetime

from archive.limits import ENTRY_CHARACTERS
from archive.warc.capture import digest

_STRINGS = frozenset(
    {
        "title",
        "author",
        "shared_author",
        "language",
        "html",
        "published_raw",
        "modified_raw",
        "related",
        "license",
        "named_by",
    }
)

_OF_ONE_RELEASE = {None, "1", "2"}
"""Rules whose texts are told apart by the release as well."""

WITNESSES = ("pressmark", "trafilatura", "joined")
PAGE, FEED = "page", "feed"
"""Sources of a text."""


def made_by(extractor: object) -> str:
    """The identity of an extractor in an index: a digest of its name, rules, options and site profile.

    The version of the package is left out: a release that changes no rule makes the texts that its predecessor made.
    Texts by rules of the first releases keep the identities that these gave them.
    """
    if isinstance(extractor, dict) and extractor.get("rules") not in _OF_ONE_RELEASE:
        extractor = {name: value for name, value in extractor.items() if name != "version"}
    return digest(json.dumps(extractor, sort_keys=True).encode())


def witness_of(text: Text) -> str | None:
    """Whose words a text has, if the judged extractor chose: `pressmark`, `trafilatura` or `joined`."""
    chosen = (text.judgement or {}).get("chosen")
    return chosen if isinstance(chosen, str) and chosen in WITNESSES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a publisher states about a post elsewhere than on its page, for instance in a feed."""

    title: str | None = None
    author: str | None = None
    shared_author: str | None = None
    """Whom the publisher names for all posts together: the author where the post's page names none."""
    published: datetime | None = None
    """Aware, UTC; None if it is missing or could not be parsed."""
    modified: datetime | None = None
    """Aware, UTC; None if it is missing or could not be parsed."""
    tags: tuple[str, ...] = ()
    language: str | None = None
    """The language that the feed states for all its posts."""
    html: str | None = None
    """Content or summary as markup, not sanitised."""
    published_raw: str | None = None
    """The date of publication as written."""
    modified_raw: str | None = None
    """The date of the last modification as written."""
    doubts: tuple[str, ...] = ()
    """Why its dates are doubtful: `unreadable`, `no zone` (taken as UTC), `future` (more than a day after it was seen),
    `old` (before 1990)."""
    related: str | None = None
    """URL that the publisher relates to the post: the post's own page, if its link leads to another site."""
    license: str | None = None
    """Absolute URL of the licence that the publisher states for the post, or for all posts."""
    named_by: str | None = None
    """What identifies it among the entries: `id`, `link` or `content`."""

    def as_json(self) -> dict[str, object]:
        """Its known fields as JSON values; markup that is too long is left out."""
        known: dict[str, object] = {
            one.name: value.isoformat() if isinstance(value := getattr(self, one.name), datetime) else value
            for one in fields(self)
        }
        if self.html is not None and len(self.html) > ENTRY_CHARACTERS:
            known["html"] = None
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items() if value}

    @classmethod
    def from_json(cls, data: object) -> Entry | None:
        """The entry in the output of `as_json`; None if there is none. Unknown fields and wrong types are left out."""
        if not isinstance(data, dict):
            return None
        found: dict[str, object] = {}
        for name, value in data.items():
            if name in {"published", "modified"} and isinstance(value, str):
                found[name] = _instant(value)
            elif name in {"tags", "doubts"} and isinstance(value, list):
                found[name] = tuple(map(str, value))
            elif name in _STRINGS and isinstance(value, str):
                found[name] = value
        return cls(**found)  # type: ignore[arg-type]


def _instant(written: str) -> datetime | None:
    """An aware instant; None if the text is a day without a time, or not a date."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else None


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a post."""

    target: str
    """Absolute web or mail address, quoted; not followed."""
    words: str
    """The text of the link, on one line."""
    rel: str = ""
    """Its `rel` attribute, in lower case; empty if it has none."""

    def as_json(self) -> dict[str, str]:
        """Its fields; `rel` only if there is one."""
        return {"target": self.target, "words": self.words, **({"rel": self.rel} if self.rel else {})}


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in a post."""

    url: str
    """Absolute web address, quoted; not fetched."""
    alt: str = ""
    """What it shows, for readers who do not see it; empty if that is not stated."""
    caption: str = ""
    """Its caption; empty if it has none."""

    def as_json(self) -> dict[str, str]:
        """Its fields, without those that are empty."""
        return {name: value for name in ("url", "alt", "caption") if (value := getattr(self, name))}


def links_from_json(data: object) -> tuple[Link, ...]:
    """The links in `Text.fields`; what is not a link is left out."""
    return tuple(
        Link(**{name: str(one.get(name) or "") for name in ("target", "words", "rel")})
        for one in (data if isinstance(data, list) else ())
        if isinstance(one, dict) and one.get("target")
    )


def images_from_json(data: object) -> tuple[Image, ...]:
    """The pictures in `Text.fields`; what is not a picture is left out."""
    return tuple(
        Image(**{name: str(one.get(name) or "") for name in ("url", "alt", "caption")})
        for one in (data if isinstance(data, list) else ())
        if isinstance(one, dict) and one.get("url")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The metadata of a post; None if it is not stated."""

    title: str | None = None
    author: str | None = None
    """Names, joined with `; `."""
    published: datetime | Date | None = None
    """Aware instant with the offset that the page states, so that its day is the author's (a feed's is in UTC); or a
    day if there is no time."""
    modified: datetime | Date | None = None
    """As `published`."""
    site: str | None = None
    language: str | None = None
    """ISO 639-1 code."""
    tags: tuple[str, ...] = ()
    """Tags and categories, in the page's order."""
    canonical: str | None = None
    """Canonical URL that the page states, absolute; not followed, not compared with the capture's."""
    license: str | None = None
    """Absolute URL of the licence that the page or its feed states."""
    image: str | None = None
    """Absolute URL of the lead image; not fetched."""
    sources: dict[str, str] = field(default_factory=dict)
    """The source of each known fact: `feed`, `json-ld`, `meta`, `page`, `url` or `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Facts):
    """The extracted text of one capture, and the post's metadata."""

    url: str
    """URL of the post: of the capture, or the post's own address."""
    own: bool = False
    """Whether the URL's fragment is part of the post's own address: an entry without a page of its own."""

    text: str
    """The post as plain text, one paragraph a line."""

    markdown: str
    """The post as Markdown, with links and pictures."""

    links: tuple[Link, ...] = ()
    """The links in it, in order; the first 2,000."""

    images: tuple[Image, ...] = ()
    """The pictures in it, in order; the first 1,000."""

    comments: str = ""
    """Readers' comments; not part of `text`."""
    extractor: dict[str, str] = field(default_factory=dict)
    """Name, version and options of what made this text, and the site profile in use."""
    judgement: Mapping[str, object] | None = None
    """Which witness the words are from: `chosen` (`pressmark`, `trafilatura`, `joined` or `site rules`), `confidence`
    (0.5 to 1) and `asked`, whether trafilatura was; None if there was no choice."""
    entry: Entry | None = None
    """The post's entry in a feed at the time this text was made."""
    rights: Mapping[str, object] = field(default_factory=dict)
    """What its response states of what others may do with it: `robots`, `tdm_reserved`, `tdm_policy`."""
    page_says: Mapping[str, str] = field(default_factory=dict)
    """What the page itself states where the feed's words are taken: `title`, `author`, `published`, `modified`."""
    source: str = PAGE
    """Where its words come from: `page`, or `feed` if the page does not have them."""
    verdict: str | None = None
    """Why the page is not the source, for instance `login`; None if it is, or if there is no page."""
    feed_only: str = ""
    """Blocks that only the feed has, as Markdown; empty unless the feed has the whole post."""
    pages: tuple[str, ...] = ()
    """WARC-Record-IDs of the captures of further pages of the post that are part of this text, in order."""

    @property
    def digest(self) -> str:
        """Digest of the plain text as stored, `sha1:BASE32`."""
        return digest(self.text.encode("utf-8", "replace"))

    def fields(self) -> dict[str, object]:
        """Everything except the plain text, as JSON values; this is what is stored.

        The fields that an ordinary text of a page does not need are only there if they say something.
        """
        stored: dict[str, object] = {
            "title": self.title,
            "author": self.author,
            "published": self.published.isoformat() if self.published else None,
            "modified": self.modified.isoformat() if self.modified else None,
            "site": self.site,
            "language": self.language,
            "tags": list(self.tags),
            "canonical": self.canonical,
            "license": self.license,
            "image": self.image,
            "sources": dict(self.sources),
            "markdown": self.markdown,
            "comments": self.comments,
            "extractor": dict(self.extractor),
            "entry": self.entry.as_json() if self.entry else None,
            **({"own": True} if self.own else {}),
        }
        if self.source != PAGE:
            stored["source"] = self.source
        if self.verdict is not None:
            stored["verdict"] = self.verdict
        if self.feed_only:
            stored["feed_only"] = self.feed_only
        if self.pages:
            stored["pages"] = list(self.pages)
        if self.page_says:
            stored["page_says"] = dict(self.page_says)
        if self.rights:
            stored["rights"] = dict(self.rights)
        if self.judgement:
            stored["judgement"] = dict(self.judgement)
        if self.links:
            stored["links"] = [link.as_json() for link in self.links]
        if self.images:
            stored["images"] = [image.as_json() for image in self.images]
        return stored
