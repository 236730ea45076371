"""What a reader would call an edit: of words, title, author, publication date, lead picture, links. Pure, no I/O.

Two texts are compared only if the same extractor made them from the same source, page or feed. What a theme, a content
delivery network or a typographer changes is no edit: white space, quotation marks, dashes, the size of a picture.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from archive.index.line_marks import line_marks
from archive.index.schema import TextRow
from archive.warc.capture import digest
from archive.warc.page_identity import page_key

Class = Literal["text", "title", "author", "date", "picture", "links"]
CLASSES: tuple[Class, ...] = ("text", "title", "author", "date", "picture", "links")
"""What can be edited, in the order in which it is named."""
_FACTS: Mapping[Class, str] = {"title": "title", "author": "author", "date": "published", "picture": "image"}
"""Each fact, and the field of a text that has it."""
_OF_PAGE = "page "
"""Before the name of a field: what the page states where the text has the feed's words."""
_LINKS = "links"
"""Name of the digest of where its links lead."""
_RULES = "by rules"
"""Name of the version of the rules that read them."""
_CHARACTERS = 2_000
"""Of a fact that are compared."""
_RESTLESS: tuple[Class, ...] = ("date", "picture", "links")
"""What some pages make anew at each visit: the date of the visit, a picture by chance, marks in links."""
_RESTLESS_FROM = 3
"""Comparisons from which on it counts that all of them differ."""

_MARKS = str.maketrans(
    dict.fromkeys("‘’‚‛′`´ʼ＇", "'")  # noqa: RUF001  they are what is replaced
    | dict.fromkeys("“”„‟″«»＂", '"')  # noqa: RUF001
    | dict.fromkeys("‐‑‒–—―−－", "-")  # noqa: RUF001
    | {"…": "...", "\u00ad": None, "\u200b": None, "\u2060": None, "\ufeff": None}
)
_DASH = re.compile(r" ?-+ ?")
_COUNTER = re.compile(r"\(\d{1,6}\+?\) ")
"""Before a title: how many messages a reader has not seen."""
_SHOWN = re.compile(r"[^/?#]{1,500}\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?)", re.IGNORECASE)
_SIZED = re.compile(r"[-_](?:\d{2,5}x\d{2,5}|scaled)(?=\.\w{2,5}$)")
_DAY = len("2026-05-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What two texts state of their post in one respect."""

    name: Class
    before: str | None
    after: str | None
    edited: bool

    def as_json(self) -> dict[str, object]:
        """It as programs see it."""
        return {"class": self.name, "before": self.before, "after": self.after}


def plain(text: str) -> str:
    """A text as it reads, without what a typographer changes: white space, kinds of quotation marks and dashes."""
    bare = " ".join(unicodedata.normalize("NFC", text).translate(_MARKS).split())
    return _DASH.sub("-", bare).replace("''", '"')


def plain_digest(text: str) -> str:
    """Digest of `plain`, `sha1:BASE32`."""
    return digest(plain(text).encode("utf-8", "replace"))


def text_marks(text: str) -> str:
    """Marks of the lines of a text without its typography."""
    return line_marks(map(plain, text.split("\n")))


def stated(fields: Mapping[str, object]) -> str:
    """What the fields of a text say of its post, and where that was found, as it stands in the index: JSON."""
    where = fields.get("sources")
    sources = where if isinstance(where, dict) else {}
    found = {
        name: [value[:_CHARACTERS], str(sources.get(name, ""))[:20]]
        for name in _FACTS.values()
        if isinstance(value := fields.get(name), str) and value
    }
    says = fields.get("page_says")
    own = {
        f"{_OF_PAGE}{name}": [value[:_CHARACTERS], "page"]
        for name in _FACTS.values()
        if isinstance(says, dict) and isinstance(value := says.get(name), str) and value
    }
    made = fields.get("extractor")
    rules = {_RULES: [str(made["rules"]), ""]} if isinstance(made, dict) and made.get("rules") else {}
    leads = {_LINKS: [_leads(fields.get("links")), "page"]}
    return json.dumps({**found, **own, **rules, **leads}, ensure_ascii=False, sort_keys=True)


def published(row: TextRow) -> str | None:
    """When a post says that it was published, ISO 8601; None if it does not, or if the row does not know."""
    said = json.loads(row.stated).get("published") if row.stated else None
    return str(said[0]) if said else None


def states_the_same(earlier: str | None, now: str | None) -> bool:
    """Whether what `stated` wrote in an earlier version is what it writes now, as far as that version knew it."""
    if earlier is None or now is None:
        return earlier == now
    old, new = json.loads(earlier), json.loads(now)
    return bool({**{name: new.get(name) for name in (_RULES, _LINKS) if name in new}, **old} == new)


def edits(before: TextRow, after: TextRow) -> tuple[Class, ...]:
    """What was edited between two texts by the same extractor from the same source.

    Of rows that an earlier version wrote only words are compared: what they state is not known.
    """
    said = before.plain, after.plain
    words = before.digest != after.digest and (None in said or said[0] != said[1])
    if before.stated is None or after.stated is None or before.stated == after.stated:
        return ("text",) if words else ()
    edited: list[Class] = [fact.name for fact in facts(before.stated, after.stated, source=after.source) if fact.edited]
    if not words and _leads_elsewhere(before.stated, after.stated):
        edited.append("links")
    return (*(("text",) if words else ()), *edited)


def edits_of_facts(before: TextRow, after: TextRow) -> tuple[Class, ...]:
    """What was edited beside the words between two texts from the same source, whichever extractors made them.

    Empty if `same_reading` does not hold.
    """
    if not same_reading(before, after) or before.stated is None or after.stated is None:
        return ()
    return tuple(fact.name for fact in facts(before.stated, after.stated, source=after.source) if fact.edited)


def same_reading(before: TextRow, after: TextRow) -> bool:
    """Whether two texts from the same source have the same words, and the same rules read what their post states.

    Titles, authors, dates and pictures do not depend on who found the words, nor on the profile of a site, so that they
    can then be compared although the extractors differ.
    """
    if before.plain is None or before.plain != after.plain or before.stated is None or after.stated is None:
        return False
    rules = [json.loads(one).get(_RULES) for one in (before.stated, after.stated)]
    return before.source == after.source and rules[0] is not None and rules[0] == rules[1]


def facts(before: str, after: str, *, source: str) -> tuple[Fact, ...]:
    """What two texts from the same source state of their post, as `stated` wrote it."""
    old, new = json.loads(before), json.loads(after)
    found = []
    for name, field in _FACTS.items():
        fact = _fact(name, old.get(field), new.get(field), source)
        if not fact.edited:  # a feed can still have the words that its page has no more
            own = f"{_OF_PAGE}{field}"
            on_page = _fact(name, old.get(own, old.get(field)), new.get(own, new.get(field)), source)
            fact = on_page if on_page.edited else fact
        found.append(fact)
    return tuple(found)


def restless(compared: Iterable[tuple[Class, ...]]) -> frozenset[Class]:
    """What a page makes anew at each visit, by what was found to differ between each of its texts and the next."""
    every = list(compared)
    if len(every) < _RESTLESS_FROM:
        return frozenset()
    return frozenset(name for name in _RESTLESS if all(name in one for one in every))


def _leads(links: object) -> str:
    """A digest of the pages that links lead to, whatever their spelling and order."""
    listed = links if isinstance(links, list) else []
    targets = {page_key(str(one.get("target"))) for one in listed if isinstance(one, dict)}
    return digest(" ".join(sorted(targets)).encode()) if targets else ""


def _leads_elsewhere(before: str, after: str) -> bool:
    """Whether links lead to other pages; rows of an earlier version do not say where theirs lead."""
    old, new = (json.loads(one).get(_LINKS) for one in (before, after))
    return old is not None and new is not None and old != new


def _fact(name: Class, old: list[str] | None, new: list[str] | None, source: str) -> Fact:
    before, after = (one[0] if one else None for one in (old, new))
    differs = before != after and (before is None or after is None or not _SAME[name](before, after))
    places = [one[1] for one in (old, new) if one]
    return Fact(name=name, before=before, after=after, edited=differs and _comparable(name, places, source))


def _comparable(name: Class, places: Sequence[str], source: str) -> bool:
    """Whether a difference is an edit: found elsewhere than before, a fact may differ for that alone."""
    if source == "feed":
        return True
    from_feed = [place == "feed" for place in places]
    if len(places) == 1:
        return not from_feed[0]  # what only a feed says of a page comes and goes with the feed
    return from_feed[0] == from_feed[1] if name == "title" else places[0] == places[1]


def _same_title(one: str, other: str) -> bool:
    first, second = (_COUNTER.sub("", plain(side), count=1) for side in (one, other))
    return first == second


def _same_author(one: str, other: str) -> bool:
    return plain(one) == plain(other)


def _same_date(one: str, other: str) -> bool:
    """Whether two dates are the same day where only that is stated, else the same minute, here or in UTC."""
    if len(one) == _DAY or len(other) == _DAY:
        return one[:_DAY] == other[:_DAY]
    first, second = _moment(one), _moment(other)
    if first is None or second is None:
        return one == other
    here, there = (moment.replace(second=0, microsecond=0) for moment in (first, second))
    return here == there or here.replace(tzinfo=None) == there.replace(tzinfo=None)


def _moment(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def same_picture(one: str, other: str) -> bool:
    """Whether two URLs show one picture: from another server, in another size or past a cache it is the same."""
    first, second = _picture(one), _picture(other)
    return first == second or first.endswith(second) or second.endswith(first)


def _picture(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    shown = _SHOWN.fullmatch(parts.path.rpartition("/")[2])
    return _SIZED.sub("", parts.path) if shown else f"{parts.path}?{parts.query}"


_SAME = {"title": _same_title, "author": _same_author, "date": _same_date, "picture": same_picture}
