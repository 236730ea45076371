"""What stands around a post - share buttons, related posts, advertisements, author boxes - told by names and wording.

The rules are data, in `furniture.toml`. No I/O but reading that.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from lxml.html import HtmlElement

from archive.layout import HEADINGS

_HEADING_LENGTH = 60
_MORE = re.compile(
    r"(?:more|latest|related|other|popular|recent) (?:from|on|in|by|stories|news|posts|articles|coverage|reading)\b"
    r"|mehr (?:von|aus|zu|zum)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"^(?:#{1,6}|[-*+>]|\d+\.)\s+")
_COUNT = re.compile(r"[\s:–-]*[(\[]\s*#\s*[)\]]$|[\s:–-]+#$")  # noqa: RUF001
"""How many there are, behind the word."""
_NUMBER = re.compile(r"\d[\d.,]*")
_SPACE = re.compile(r"\s+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = re.compile(r"[\s_:/.]+|-+")
_NO_DISPLAY = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|clip\s*:\s*rect\(\s*[01]|clip-path\s*:\s*inset\(", re.IGNORECASE
)
_BOXES = frozenset({"aside", "nav", "footer", "form"})
_DISTINCT_NAMES = 8_192


class Kind(Enum):
    """What an element is by its name."""

    NONE = 0
    HARD = 1
    """Furniture, unless the post seems to be in it."""
    WEAK = 2
    """Furniture if it holds little running text."""
    COMMENTS = 3
    CARD = 4
    """A teaser of another post; told by how it is built, not by its name."""

    def __bool__(self) -> bool:
        return self is not Kind.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The content of `furniture.toml`."""

    classes: frozenset[str]
    ids: frozenset[str]
    id_starts: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    body: re.Pattern[str]
    lead: re.Pattern[str]
    caption: re.Pattern[str]
    not_lead: re.Pattern[str]
    others: re.Pattern[str]
    consent: re.Pattern[str]
    reader_comments: re.Pattern[str]
    hard: re.Pattern[str]
    weak: re.Pattern[str]
    unseen: re.Pattern[str]
    headings: frozenset[str]
    comments: frozenset[str]
    lines: frozenset[str]
    starts: tuple[str, ...]
    short: int
    """Longest line, in characters, that `starts` is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What blocks say that are no part of a post; each as a pattern for a block's words."""

    byline: re.Pattern[str]
    credit: re.Pattern[str]
    agency: re.Pattern[str]
    also: re.Pattern[str]
    disclosure: re.Pattern[str]
    tail: re.Pattern[str]
    plea: re.Pattern[str]
    bio: re.Pattern[str]


@cache
def wording() -> Wording:
    """The wording in `furniture.toml`, read once."""
    said = {name: "(?:" + "|".join(parts) + ")" for name, parts in _data()["wording"].items()}
    return Wording(
        byline=re.compile("^" + said["byline"]),
        credit=re.compile("^" + said["credit"], re.IGNORECASE),
        agency=re.compile(said["agency"], re.IGNORECASE),
        also=re.compile(r"^[\[(>»→•▶►*\s-]*" + said["also"] + r"\b[^:]{0,25}[:|?–-]", re.IGNORECASE),  # noqa: RUF001
        disclosure=re.compile(said["disclosure"], re.IGNORECASE),
        tail=re.compile("^" + said["tail"], re.IGNORECASE),
        plea=re.compile(r"(?<!\w)" + said["plea"], re.IGNORECASE),
        bio=re.compile(said["bio"] + r".{0,120}\b(?i:" + said["trade"] + r")\b", re.DOTALL),
    )


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("archive").joinpath("furniture.toml").read_text("utf-8"))


@cache
def rules() -> Rules:
    """The rules, read once."""
    data = _data()
    widgets = {
        kind: [word for widget in data["widget"] for word in widget.get(kind, ())]
        for kind in ("classes", "ids", "id_starts", "attributes")
    }
    names = data["names"]
    return Rules(
        classes=frozenset(widgets["classes"]),
        ids=frozenset(widgets["ids"]),
        id_starts=tuple(widgets["id_starts"]),
        attributes=tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in widgets["attributes"]),
        ignored=tuple(names["ignored"]),
        body=_words(names["body"]),
        lead=_words(names["lead"]),
        caption=_words(names["caption"]),
        not_lead=_words(names["not_lead"]),
        others=_words(names["others"]),
        consent=_words(names["consent"]),
        reader_comments=_words(names["comments"]),
        hard=_words(names["hard"]),
        weak=_words(names["weak"]),
        unseen=_words(names["unseen"]),
        headings=frozenset(map(folded, data["heading"]["exact"])),
        comments=frozenset(map(folded, data["heading"]["comments"])),
        lines=frozenset(map(folded, data["line"]["exact"])),
        starts=tuple(data["line"]["starts"]),
        short=data["line"]["short"],
    )


def kind_of(element: HtmlElement) -> Kind:
    """What an element is by its tag, class, id and role."""
    attributes = element.attrib
    if attributes:
        if "hidden" in attributes or _NO_DISPLAY.search(attributes.get("style") or ""):
            return Kind.WEAK
        if any(attributes.get(key) == value for key, value in rules().attributes):
            return Kind.HARD
        # The id of a heading is its anchor, made of its words.
        name = "" if element.tag in HEADINGS else attributes.get("id") or ""
        found = _kind(attributes.get("class") or "", name)
        if found:
            return found
    return Kind.WEAK if element.tag in _BOXES else Kind.NONE


def names_body(element: HtmlElement) -> bool:
    """Whether an element is called what software for blogs calls a post's body."""
    attributes = element.attrib
    if "articleBody" in (attributes.get("itemprop") or "").split():
        return True
    return _is_body(attributes.get("class") or "", attributes.get("id") or "")


def names_comments(element: HtmlElement) -> bool:
    """Whether an element is called what holds the readers' comments."""
    attributes = element.attrib
    return _is_comments(attributes.get("class") or "", attributes.get("id") or "")


def names_consent(element: HtmlElement) -> bool:
    """Whether an element is called a dialog on cookies or privacy."""
    attributes = element.attrib
    return _is_consent(attributes.get("class") or "", attributes.get("id") or "")


def names_lead(element: HtmlElement) -> bool:
    """Whether an element is called what stands between a post's title and its body."""
    return _is_lead(element.attrib.get("class") or "")


def names_caption(element: HtmlElement) -> bool:
    """Whether an element is what stands under a picture."""
    return element.tag == "figcaption" or (bool(element.attrib) and _is_caption(element.get("class") or ""))


def names_others(element: HtmlElement) -> bool:
    """Whether an element is called teasers of other posts."""
    attributes = element.attrib
    return (
        rules().others.search(f"{_name(attributes.get('class') or '')} {_name(attributes.get('id') or '')}") is not None
    )


def is_no_lead(element: HtmlElement) -> bool:
    """Whether an element's name says that it is none of what stands between a title and its body."""
    attributes = element.attrib
    return _is_no_lead(attributes.get("class") or "", attributes.get("id") or "")


def is_unseen(element: HtmlElement) -> bool:
    """Whether a run within a line is not for readers, such as the anchor of a heading."""
    attributes = element.attrib
    if not attributes:
        return False
    if "hidden" in attributes or (attributes.get("aria-hidden") == "true" and element.tag == "a"):
        return True
    if _NO_DISPLAY.search(attributes.get("style") or ""):
        return True
    return _is_unseen(attributes.get("class") or "")


def keep_line(line: str) -> bool:
    """Whether a line of extracted text, plain or markdown, is the post's own."""
    known = rules()
    bare = _MARKS.sub("", line.strip()).strip("*_ ")
    if not bare or len(bare) > known.short:
        return True
    said = folded(bare)
    return not (
        said in known.lines or said in known.headings or said in known.comments or said.startswith(known.starts)
    )


def opens_furniture(text: str) -> bool:
    """Whether a block that says this opens what is not the post, such as related posts."""
    return len(text) <= _HEADING_LENGTH and (folded(text) in rules().headings or _MORE.match(text) is not None)


def opens_comments(text: str) -> bool:
    """Whether a block that says this opens the readers' comments."""
    return len(text) <= _HEADING_LENGTH and _COUNT.sub("", folded(text)) in rules().comments


def folded(text: str) -> str:
    """Text for comparison: lower case, single spaces, numbers as `#`, no colon at the end."""
    return _NUMBER.sub("#", _SPACE.sub(" ", text)).strip().casefold().rstrip(" :")


def _words(words: list[str]) -> re.Pattern[str]:
    """What finds one of the words between separators, in a name that `_name` gave."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(r"(?<![^\s-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![^\s-])")


@lru_cache(maxsize=_DISTINCT_NAMES)
def _name(names: str) -> str:
    """Classes or an id, humps and separators as `-`, without those that say nothing."""
    ignored = rules().ignored
    kept = [_SEPARATOR.sub("-", _HUMP.sub("-", name)).lower() for name in names.split()]
    return " ".join(name for name in kept if not name.startswith(ignored))


@lru_cache(maxsize=_DISTINCT_NAMES)
def _kind(classes: str, name: str) -> Kind:
    known = rules()
    if (
        not known.classes.isdisjoint(classes.split())
        or name in known.ids
        or (name and name.startswith(known.id_starts))
    ):
        return Kind.HARD
    said = f"{_name(classes)} {_name(name)}"
    if known.reader_comments.search(said):
        return Kind.COMMENTS
    if known.hard.search(said) or known.consent.search(said):
        return Kind.HARD
    return Kind.WEAK if known.weak.search(said) else Kind.NONE


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_body(classes: str, name: str) -> bool:
    return rules().body.search(f"{_name(classes)} {_name(name)}") is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_comments(classes: str, name: str) -> bool:
    return rules().reader_comments.search(f"{_name(classes)} {_name(name)}") is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_consent(classes: str, name: str) -> bool:
    return rules().consent.search(f"{_name(classes)} {_name(name)}") is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_lead(classes: str) -> bool:
    return rules().lead.search(_name(classes)) is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_caption(classes: str) -> bool:
    return rules().caption.search(_name(classes)) is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_no_lead(classes: str, name: str) -> bool:
    return rules().not_lead.search(f"{_name(classes)} {_name(name)}") is not None


@lru_cache(maxsize=_DISTINCT_NAMES)
def _is_unseen(classes: str) -> bool:
    return rules().unseen.search(_name(classes)) is not None
