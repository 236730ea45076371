"""What stands around a post - share buttons, related posts, advertisements, author boxes - and how it goes. No I/O.

The rules are data, in `furniture.toml`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree
from lxml.html import HtmlElement

_MAIN = frozenset({"html", "body", "main", "article"})
_BLOCKS = frozenset(
    "div p section aside h1 h2 h3 h4 h5 h6 header footer b strong span em small i dt legend figcaption li ul".split()  # noqa: SIM905
)
_LEAVES = ("p", "dt", "dd", "li", "blockquote", "h2", "h3", "h4", "div")
_HEADING_LENGTH = 60
_COMMENT_LENGTH = 20_000
_BOX_SHARE = 0.4
"""A box that holds more of the page's text than this is not furniture, whatever its heading says."""
_CAPTION_LENGTH = 2_000
_LINK_SHARE = 0.5
"""Text within links, from which on a block is a list of links."""
_MARKS = re.compile(r"^(?:#{1,6}|[-*+>]|\d+\.)\s+")
_NUMBER = re.compile(r"\d[\d.,]*")
_SPACE = re.compile(r"\s+")


_POST_BODY = etree.XPath(
    ".//*[self::article or @itemprop='articleBody' or contains(concat(' ', @class, ' '), ' entry-content ')"
    " or contains(concat(' ', @class, ' '), ' post-body ')]"
)
_LISTING = frozenset({"home", "blog", "archive", "search-results"})
_PROSE = etree.XPath(".//text()[not(parent::script or parent::style or parent::noscript or parent::template)]")
_CAPTIONS = etree.XPath(".//figcaption | .//*[contains(concat(' ', @class, ' '), ' wp-caption-text ')]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The content of `furniture.toml`."""

    classes: frozenset[str]
    ids: frozenset[str]
    id_starts: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    headings: frozenset[str]
    comments: frozenset[str]
    lines: frozenset[str]
    starts: tuple[str, ...]
    short: int
    """Longest line, in characters, that `starts` is compared with."""


@cache
def rules() -> Rules:
    """The rules, read once."""
    data = tomllib.loads(files("archive").joinpath("furniture.toml").read_text("utf-8"))
    widgets = {
        kind: [word for widget in data["widget"] for word in widget.get(kind, ())]
        for kind in ("classes", "ids", "id_starts", "attributes")
    }
    return Rules(
        classes=frozenset(widgets["classes"]),
        ids=frozenset(widgets["ids"]),
        id_starts=tuple(widgets["id_starts"]),
        attributes=tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in widgets["attributes"]),
        headings=frozenset(map(_folded, data["heading"]["exact"])),
        comments=frozenset(map(_folded, data["heading"]["comments"])),
        lines=frozenset(map(_folded, data["line"]["exact"])),
        starts=tuple(data["line"]["starts"]),
        short=data["line"]["short"],
    )


def remove_widgets(tree: HtmlElement) -> str:
    """Remove the elements of known widgets and of boxes whose heading tells what they are; changes the tree.

    Gives the text of the readers' comments among them, a line for each block.
    """
    known = rules()
    total = len(_prose(tree))
    for element in [found for found in tree.iter() if _is_widget(found, known)]:
        # Some themes wrap the post itself in a class of this name.
        if element.tag not in _MAIN and not _POST_BODY(element) and len(_prose(element)) <= _BOX_SHARE * total:
            _remove(element)
    return "\n".join(_remove_boxes(tree, known))


def _is_widget(element: HtmlElement, known: Rules) -> bool:
    attributes = element.attrib
    if not attributes or not isinstance(element.tag, str):
        return False
    classes = attributes.get("class")
    if classes and not known.classes.isdisjoint(classes.split()):
        return True
    name = attributes.get("id")
    if name and (name in known.ids or name.startswith(known.id_starts)):
        return True
    return any(attributes.get(key) == value for key, value in known.attributes)


def free_captions(tree: HtmlElement) -> None:
    """Turn each figure with a caption into a paragraph with the caption's text, which extraction would drop.

    What a figure holds beside images (tables, code, quotations) stays, before the caption. Changes the tree.
    """
    for caption in _CAPTIONS(tree):
        parent = caption.getparent()
        if parent is None or not _short_text(caption, _CAPTION_LENGTH):
            continue
        caption.tag = "p"
        caption.attrib.clear()
        if parent.tag == "figure" or "wp-caption" in (parent.get("class") or "").split():
            parent.tag = "div"
            parent.attrib.clear()


def join_posts(tree: HtmlElement) -> None:
    """On a page that lists whole posts, put all of them into the first one's body. Changes the tree.

    Extraction looks for one post on a page. WordPress tells in the class of `body` what a page is.
    """
    body = tree.find(".//body")
    if body is None or not _LISTING.intersection((body.get("class") or "").split()):
        return
    posts = [found for found in _POST_BODY(tree) if not _POST_BODY(found) and found.tag != "article"]
    for post in posts[1:]:
        posts[0].extend(list(post))


def _remove_boxes(tree: HtmlElement, known: Rules) -> list[str]:
    comments: list[str] = []
    total = max(1, len(_prose(tree)))
    for element in list(tree.iter(*_BLOCKS)):
        if element.getparent() is None or not _attached(element, tree):
            continue
        said = _short_text(element, known.short)
        if not said:
            continue
        folded = _folded(said)
        if len(said) <= _HEADING_LENGTH and folded in known.headings:
            _remove_box(element, total)
        elif folded in known.comments:
            comments += _lines(_remove_box(element, total))
        elif folded in known.lines or folded.startswith(known.starts):
            _remove(element)
    return comments


def _lines(box: HtmlElement) -> list[str]:
    """The text of an element, a line for each block in it that has text of its own."""
    leaves = (part for part in box.iter(*_LEAVES) if next(part.iterdescendants(*_LEAVES), None) is None)
    found = (_short_text(part, _COMMENT_LENGTH) for part in leaves)
    return [line for line in found if line and keep_line(line)]


def _remove_box(heading: HtmlElement, total: int) -> HtmlElement:
    """Remove the box that a heading opens; where it stands among the post's own blocks, it and the links after it."""
    box = heading
    while (parent := box.getparent()) is not None and parent.tag not in _MAIN:
        text = _text(parent).strip()
        if len(_prose(parent)) > _BOX_SHARE * total or not text.startswith(_text(box).strip()[:_HEADING_LENGTH]):
            break
        box = parent
    following = box.getnext()
    _remove(box)
    while following is not None and (not _text(following).strip() or _is_links(following)):
        following, gone = following.getnext(), following
        _remove(gone)
    return box


def keep_line(line: str) -> bool:
    """Whether a line of extracted text, plain or markdown, is the post's own."""
    known = rules()
    bare = _MARKS.sub("", line.strip()).strip("*_ ")
    if not bare or len(bare) > known.short:
        return True
    folded = _folded(bare)
    furniture = folded in known.lines or folded in known.headings or folded in known.comments
    return not furniture and not folded.startswith(known.starts)


def _folded(text: str) -> str:
    """Text for comparison: lower case, single spaces, numbers as `#`, no colon at the end."""
    return _NUMBER.sub("#", _SPACE.sub(" ", text)).strip().casefold().rstrip(" :")


def _prose(element: HtmlElement) -> str:
    """The text of an element that is written to be read, not run."""
    return "".join(_PROSE(element))


def _text(element: HtmlElement) -> str:
    return "".join(element.itertext())


def _short_text(element: HtmlElement, limit: int) -> str:
    """The element's text if it is not longer than `limit`, else nothing; looks no further than it must."""
    parts: list[str] = []
    length = 0
    for part in element.itertext():
        bare = part.strip()
        if bare:
            parts.append(bare)
            length += len(bare) + 1
            if length > limit:
                return ""
    return " ".join(parts)


def _is_links(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.tag in _MAIN:
        return False
    text = len(_text(element).strip())
    linked = sum(len(_text(link).strip()) for link in element.iter("a"))
    return linked >= _LINK_SHARE * text


def _attached(element: HtmlElement, tree: HtmlElement) -> bool:
    return element.getroottree().getroot() is tree.getroottree().getroot()


def _remove(element: HtmlElement) -> None:
    """Take an element out of its tree, keeping the text that follows it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
        element.tail = None
    parent.remove(element)
