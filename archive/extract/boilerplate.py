"""What stands around a post - share buttons, related posts, advertisements, author boxes - told by names and wording.

The rules are data, in `boilerplate.toml`. No I/O but reading that.
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

from archive.extract.measure import HEADINGS

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
_LONGEST_NAME = 4
"""Words of the longest name in the rules."""


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
    """The content of `boilerplate.toml`."""

    classes: frozenset[str]
    ids: frozenset[str]
    id_starts: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    names: dict[str, frozenset[str]]
    """Words by what they say of an element."""
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
    """The wording in `boilerplate.toml`, read once."""
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
    return tomllib.loads(files("archive.extract").joinpath("boilerplate.toml").read_text("utf-8"))


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
        names={mark: _words(words) for mark, words in names.items() if mark != "ignored"},
        headings=frozenset(map(folded, data["heading"]["exact"])),
        comments=frozenset(map(folded, data["heading"]["comments"])),
        lines=frozenset(map(folded, data["line"]["exact"])),
        starts=tuple(data["line"]["starts"]),
        short=data["line"]["short"],
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What the class and id of an element say that it is."""

    kind: Kind = Kind.NONE
    is_body: bool = False
    """It has a post's words, as software for blogs calls it."""
    is_comments: bool = False
    """It holds the readers' comments."""
    is_consent: bool = False
    """It is a dialog on cookies or privacy."""
    is_lead: bool = False
    """It stands between a post's title and its body."""
    is_no_lead: bool = False
    is_others: bool = False
    """It is teasers of other posts."""
    is_caption: bool = False
    """It stands under a picture."""
    is_unseen: bool = False
    """It is a run within a line that is not for readers."""


def named(element: HtmlElement) -> Named:
    """What an element is called."""
    attributes = element.attrib
    if not attributes:
        return _NAMELESS
    classes, name = attributes.get("class") or "", attributes.get("id") or ""
    if name and element.tag in HEADINGS:  # it is its anchor, made of its words
        return _COMMENTS_HEADING if _named("", name).is_comments else _named(classes, "")
    return _named(classes, name)


def kind_of(element: HtmlElement) -> Kind:
    """What an element is by its tag, class, id and role."""
    attributes = element.attrib
    if attributes:
        if "hidden" in attributes or _is_not_displayed(attributes.get("style")):
            return Kind.WEAK
        if any(attributes.get(key) == value for key, value in rules().attributes):
            return Kind.HARD
        found = named(element).kind
        if found:
            return found
    return Kind.WEAK if element.tag in _BOXES else Kind.NONE


def names_body(element: HtmlElement) -> bool:
    """Whether an element is called what software for blogs calls a post's body."""
    return named(element).is_body or "articleBody" in (element.get("itemprop") or "")


def names_lead(element: HtmlElement) -> bool:
    """Whether an element is called what stands between a post's title and its body."""
    return named(element).is_lead


def names_caption(element: HtmlElement) -> bool:
    """Whether an element is what stands under a picture."""
    return element.tag == "figcaption" or named(element).is_caption


def is_unseen(element: HtmlElement) -> bool:
    """Whether a run within a line is not for readers, such as the anchor of a heading."""
    attributes = element.attrib
    if not attributes:
        return False
    if "hidden" in attributes or (attributes.get("aria-hidden") == "true" and element.tag == "a"):
        return True
    return named(element).is_unseen or _is_not_displayed(attributes.get("style"))


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


def _words(words: list[str]) -> frozenset[str]:
    return frozenset(_SEPARATOR.sub("-", word) for word in words)


@lru_cache(maxsize=_DISTINCT_NAMES)
def _marks(name: str) -> frozenset[str]:
    """The lists in `[names]` that hold a word, or neighbouring words, of one class or of an id."""
    known = rules()
    parts = _SEPARATOR.sub("-", _HUMP.sub("-", name)).lower()
    if parts.startswith(known.ignored):
        return frozenset()
    words = parts.split("-")
    found = set(words)
    for length in range(2, min(_LONGEST_NAME, len(words)) + 1):
        found.update("-".join(words[at : at + length]) for at in range(len(words) - length + 1))
    return frozenset(mark for mark, listed in known.names.items() if not listed.isdisjoint(found))


@lru_cache(maxsize=_DISTINCT_NAMES)
def _named(classes: str, name: str) -> Named:
    known = rules()
    of_classes = {mark for one in classes.split() for mark in _marks(one)}
    marks = of_classes | _marks(name) if name else of_classes
    is_widget = not known.classes.isdisjoint(classes.split()) or name in known.ids or name.startswith(known.id_starts)
    kind = Kind.NONE
    if is_widget:
        kind = Kind.HARD
    elif "comments" in marks:
        kind = Kind.COMMENTS
    elif "consent" in marks or "hard" in marks:
        kind = Kind.HARD
    elif "weak" in marks:
        kind = Kind.WEAK
    return Named(
        kind=kind,
        is_body="body" in marks,
        is_comments="comments" in marks,
        is_consent="consent" in marks,
        is_lead="lead" in of_classes,
        is_no_lead="not_lead" in marks,
        is_others="others" in marks,
        is_caption="caption" in of_classes,
        is_unseen="unseen" in of_classes,
    )


def _is_not_displayed(style: str | None) -> bool:
    return bool(style) and _NO_DISPLAY.search(style or "") is not None


_NAMELESS = Named()
_COMMENTS_HEADING = Named(kind=Kind.COMMENTS, is_comments=True)
