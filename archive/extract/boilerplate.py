"""Boilerplate - share buttons, related posts, advertisements, author boxes - recognised by class names and wording.

The rules are data, in `boilerplate.toml`. No I/O except reading that file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from lxml.html import HtmlElement

from archive.extract.tags import HEADINGS

_MAX_HEADING = 60
"""Characters of a heading; a longer block is a sentence."""
_MARKS = re.compile(r"^(?:#{1,6}|[-*+>]|\d+\.)\s+")
_COUNT = re.compile(r"[\s:–-]*[(\[]\s*#\s*[)\]]$|[\s:–-]+#$")  # noqa: RUF001
"""The number after a word: "Comments (3)"."""
_CUT_WITHIN = 200
"""Characters at the end of a text that say whether it is cut."""
_NUMBER = re.compile(r"\d[\d.,]*")
_SPACE = re.compile(r"\s+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = re.compile(r"[\s_:/.]+|-+")
_VARIANT = re.compile(r"\w:|[\[\]!@]")
"""What is in classes of Tailwind and its like, which say how an element looks: `print:hidden`, `[&>p]:mt-2`."""
_NO_DISPLAY = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|clip\s*:\s*rect\(\s*[01]|clip-path\s*:\s*inset\(", re.IGNORECASE
)
_BOXES = frozenset({"aside", "nav", "footer", "form"})
_WHOLE = frozenset({"html", "body"})
_DISTINCT_NAMES = 8_192
_NO_MARKS: frozenset[str] = frozenset()
_NOT_MARKS = frozenset({"ignored", "listing"})
"""Lists in `[names]` that do not name an element of a page."""
_LONGEST_NAME = 4
"""Words of the longest name in the rules."""


_LONGEST_SLUG = 6
"""Words of an id from which on it is a sentence rather than a name."""
_SLUG_PARTS = frozenset(
    {"sec", "section", "sect", "s", "h", "heading", "header", "id", "part", "outline", "user", "content", "wrap", "toc"}
)
"""Words that software adds to the words of a heading when it makes an id of them."""
_WORDS = re.compile(r"\w+")


class Kind(Enum):
    """What kind of boilerplate an element is named as."""

    NONE = 0
    STRONG = 1
    """Boilerplate, unless the post seems to be in it. `hard` in the rules."""
    WEAK = 2
    """Boilerplate if it contains little running text."""
    COMMENTS = 3
    """A container of readers' comments."""
    CARD = 4
    """A teaser of another post; recognised by its structure, not by its name."""

    def __bool__(self) -> bool:
        return self is not Kind.NONE


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The content of `boilerplate.toml`."""

    classes: frozenset[str]
    ids: frozenset[str]
    id_starts: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    listing: frozenset[str]
    no_names: frozenset[str]
    ignored: tuple[str, ...]
    names: dict[str, frozenset[str]]
    """Class names by what they mean, as listed in `[names]`."""
    headings: frozenset[str]
    comments: frozenset[str]
    lines: frozenset[str]
    starts: tuple[str, ...]
    short: int
    """Characters of the longest line that is compared with `starts`."""

    @cached_property
    def marks(self) -> Mapping[str, frozenset[str]]:
        """The lists in `[names]` by the names in them."""
        found: dict[str, set[str]] = {}
        for mark, listed in self.names.items():
            for name in listed:
                found.setdefault(name, set()).add(mark)
        return {name: frozenset(marks) for name, marks in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Patterns for the text of blocks that are not part of a post, and of those that date or credit it."""

    byline: re.Pattern[str]
    credit: re.Pattern[str]
    agency: re.Pattern[str]
    also: re.Pattern[str]
    disclosure: re.Pattern[str]
    offer: re.Pattern[str]
    reader: re.Pattern[str]
    tail: re.Pattern[str]
    plea: re.Pattern[str]
    bio: re.Pattern[str]
    more: re.Pattern[str]
    figure: re.Pattern[str]
    cut: re.Pattern[str]
    feed_footer: re.Pattern[str]
    published: re.Pattern[str]
    modified: re.Pattern[str]
    no_name: re.Pattern[str]


@cache
def wording() -> Wording:
    """The patterns in `boilerplate.toml`, compiled once."""
    listed = {name: "(?:" + "|".join(parts) + ")" for name, parts in parsed_rules()["wording"].items()}
    return Wording(
        byline=re.compile("^" + listed["byline"]),
        credit=re.compile("^" + listed["credit"], re.IGNORECASE),
        agency=re.compile(listed["agency"], re.IGNORECASE),
        also=re.compile(r"^[\[(>»→•▶►*\s-]*" + listed["also"] + r"\b[^:]{0,25}[:|?–-]", re.IGNORECASE),  # noqa: RUF001
        disclosure=re.compile(listed["disclosure"], re.IGNORECASE),
        offer=re.compile(listed["offer"], re.IGNORECASE),
        reader=re.compile(listed["reader"]),
        tail=re.compile("^" + listed["tail"], re.IGNORECASE),
        plea=re.compile(r"(?<!\w)" + listed["plea"], re.IGNORECASE),
        bio=re.compile(listed["bio"] + r".{0,120}\b(?i:" + listed["trade"] + r")\b", re.DOTALL),
        more=re.compile(listed["more"] + r"\b", re.IGNORECASE),
        figure=re.compile(listed["figure"] + r"\s*\d{1,3}\s*[:.–—-]"),  # noqa: RUF001
        cut=re.compile(listed["cut"] + r"\W*$", re.IGNORECASE),
        feed_footer=re.compile(listed["feed_footer"], re.IGNORECASE | re.DOTALL),
        published=re.compile(listed["published"], re.IGNORECASE),
        modified=re.compile(listed["modified"], re.IGNORECASE),
        no_name=re.compile("^" + listed["no_name"] + r"\b", re.IGNORECASE),
    )


@cache
def parsed_rules() -> dict[str, Any]:
    """The tables of `boilerplate.toml`, read once."""
    return tomllib.loads(files("archive.extract").joinpath("boilerplate.toml").read_text("utf-8"))


@cache
def rules() -> Rules:
    """The rules, read once."""
    data = parsed_rules()
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
        listing=frozenset(names["listing"]),
        no_names=frozenset(data["no_names"]),
        ignored=tuple(names["ignored"]),
        names={mark: _words(words) for mark, words in names.items() if mark not in _NOT_MARKS},
        headings=frozenset(map(folded, data["heading"]["exact"])),
        comments=frozenset(map(folded, data["heading"]["comments"])),
        lines=frozenset(map(folded, data["line"]["exact"])),
        starts=tuple(data["line"]["starts"]),
        short=data["line"]["short"],
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What the class and the id of an element say about it."""

    kind: Kind = Kind.NONE
    is_body: bool = False
    """It is named as blog software names the body of a post."""
    is_comments: bool = False
    """It contains the readers' comments."""
    is_consent: bool = False
    """It is a dialog about cookies or privacy."""
    is_lead: bool = False
    """It is a lead, between a post's title and its body."""
    is_not_lead: bool = False
    """It is not a lead, whatever else it is named as."""
    is_others: bool = False
    """It contains teasers of other posts."""
    is_caption: bool = False
    """It is the caption of a picture."""
    is_unseen: bool = False
    """It is inline text that is not for readers."""


def names_of(element: HtmlElement) -> Names:
    """What the class and the id of an element say about it."""
    classes, name = element.get("class") or "", element.get("id") or ""
    if not (classes or name) or element.tag in _WHOLE:  # classes of the whole page are switches, not names
        return NAMELESS
    if name and _marks(name) and _is_slug(element, name):
        name = ""
    if name and element.tag in HEADINGS:  # it is an anchor made from its text
        return _COMMENTS_HEADING if _named("", name).is_comments else _named(classes, "")
    return _named(classes, name)


def _is_slug(element: HtmlElement, name: str) -> bool:
    """Whether the id of an element is made from the words of its heading, or is a sentence: it names nothing."""
    words = [word for word in _SEPARATOR.sub("-", _HUMP.sub("-", name)).lower().split("-") if word]
    if len(words) > _LONGEST_SLUG:
        return True
    heading = next(islice(element.iter(*HEADINGS), 1), None) if element.tag not in HEADINGS else None
    if heading is None or element.tag == "body":
        return False
    said = set(_WORDS.findall("".join(heading.itertext()).casefold()))
    own = [word for word in words if word not in _SLUG_PARTS and not word.isdecimal()]
    return bool(own) and said.issuperset(own)


def kind_of(element: HtmlElement) -> Kind:
    """What kind of boilerplate an element is by its tag, class, id and attributes."""
    get = element.get
    if element.keys():
        if get("hidden") is not None or _is_not_displayed(get("style")):
            return Kind.WEAK
        for key, value in rules().attributes:
            if get(key) == value:
                return Kind.STRONG
        found = names_of(element).kind
        if found is not Kind.NONE:
            return found
    return Kind.WEAK if element.tag in _BOXES else Kind.NONE


def names_lead(element: HtmlElement) -> bool:
    """Whether an element is named as a lead, between a post's title and its body."""
    return names_of(element).is_lead


def names_caption(element: HtmlElement) -> bool:
    """Whether an element is the caption of a picture."""
    tag = element.tag
    if tag == "figcaption":
        return True
    classes = element.get("class")
    if not classes or tag in _WHOLE:
        return False
    return (names_of(element) if tag in HEADINGS else _named(classes, "")).is_caption


def is_unseen(element: HtmlElement, names: Names | None = None) -> bool:
    """Whether an inline element is not for readers, such as the anchor of a heading; `names`: its own, if known."""
    get = element.get
    if get("hidden") is not None or (element.tag == "a" and get("aria-hidden") == "true"):
        return True
    return (names or names_of(element)).is_unseen or _is_not_displayed(get("style"))


def keep_line(line: str) -> bool:
    """Whether a line of extracted text, plain or Markdown, is not known as a label of blog software."""
    known = rules()
    bare = _MARKS.sub("", line.strip()).strip("*_ ")
    if not bare or len(bare) > known.short:
        return True
    text = folded(bare)
    return not (
        text in known.lines or text in known.headings or text in known.comments or text.startswith(known.starts)
    )


def opens_boilerplate(text: str) -> bool:
    """Whether a block with this text opens boilerplate, such as related posts."""
    return len(text) <= _MAX_HEADING and (folded(text) in rules().headings or wording().more.match(text) is not None)


def opens_comments(text: str) -> bool:
    """Whether a block with this text opens the readers' comments."""
    return len(text) <= _MAX_HEADING and _COUNT.sub("", folded(text)) in rules().comments


def is_cut(text: str) -> bool:
    """Whether a text ends like the summary of a post that continues elsewhere."""
    return wording().cut.search(text[-_CUT_WITHIN:]) is not None


def folded(text: str) -> str:
    """Text for comparison: lower case, single spaces, numbers as `#`, no colon at the end."""
    return _NUMBER.sub("#", _SPACE.sub(" ", text)).strip().casefold().rstrip(" :")


def _words(words: list[str]) -> frozenset[str]:
    return frozenset(_SEPARATOR.sub("-", word) for word in words)


@lru_cache(maxsize=_DISTINCT_NAMES)
def _marks(name: str) -> frozenset[str]:
    """The lists in `[names]` that contain a word, or adjacent words, of one class or id."""
    known = rules()
    if _VARIANT.search(name):
        return _NO_MARKS
    parts = _SEPARATOR.sub("-", _HUMP.sub("-", name)).lower()
    if parts.startswith(known.ignored):
        return _NO_MARKS
    words = parts.split("-")
    marks, found = known.marks, set(_NO_MARKS)
    for begin in range(len(words)):
        for end in range(begin + 1, min(begin + _LONGEST_NAME, len(words)) + 1):
            found |= marks.get("-".join(words[begin:end]), _NO_MARKS)
    return frozenset(found)


@lru_cache(maxsize=_DISTINCT_NAMES)
def _named(classes: str, name: str) -> Names:
    known = rules()
    of_classes = {mark for one in classes.split() for mark in _marks(one)}
    marks = of_classes | _marks(name) if name else of_classes
    is_widget = not known.classes.isdisjoint(classes.split()) or name in known.ids or name.startswith(known.id_starts)
    kind = Kind.NONE
    if is_widget:
        kind = Kind.STRONG
    elif "comments" in marks:
        kind = Kind.COMMENTS
    elif "consent" in marks or "hard" in marks:
        kind = Kind.STRONG
    elif "weak" in marks:
        kind = Kind.WEAK
    return Names(
        kind=kind,
        is_body="body" in marks,
        is_comments="comments" in marks,
        is_consent="consent" in marks,
        is_lead="lead" in of_classes,
        is_not_lead="not_lead" in marks,
        is_others="others" in marks,
        is_caption="caption" in of_classes,
        is_unseen="unseen" in of_classes,
    )


def _is_not_displayed(style: str | None) -> bool:
    return bool(style) and _NO_DISPLAY.search(style or "") is not None


NAMELESS = Names()
"""What is said by no name."""
_COMMENTS_HEADING = Names(kind=Kind.COMMENTS, is_comments=True)
