"""An element of a page as a list of blocks - paragraphs, headings, list items and so on - as plain text and Markdown.

One walk over the DOM gives both: inline markup is carried along as control characters (`archive.extract.markdown`).
No I/O.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import ClassVar
from urllib.parse import quote, urlsplit

from lxml import etree
from lxml.html import HtmlElement, fragment_fromstring

from archive.extract import boilerplate, markdown
from archive.extract.addresses import href_target, is_tracker, link_target
from archive.extract.captions import is_of_words
from archive.extract.characters import NOISE, SPACE, collapsed, composed
from archive.extract.code import code_language, is_gutter, listing, source_code
from archive.extract.exponents import subscript, superscript
from archive.extract.formula import linear
from archive.extract.images import image_target
from archive.extract.markdown import (
    BREAK,
    FIRST_TARGET,
    LAST_TARGET,
    LINK,
    LINKED,
    NOTE,
    REFERENCES,
    TOGGLES,
    target_of,
)
from archive.extract.outward import leads_away
from archive.extract.tables import data_rows, link_characters, table_text
from archive.extract.tags import BLOCKS, HEADINGS
from archive.extract.text import Image, Link
from archive.limits import FIELD_CHARACTERS, LINK_CHARACTERS, TEXT_IMAGES, TEXT_LINKS

_SPACES = re.compile(" {2,}")
_BLANK_LINES = re.compile("\x0b(?: *+\x0b)+")
_INLINE = {
    "strong": markdown.BOLD, "b": markdown.BOLD, "em": markdown.ITALIC, "i": markdown.ITALIC, "cite": markdown.ITALIC,
    "dfn": markdown.ITALIC, "code": markdown.CODE, "kbd": markdown.CODE, "samp": markdown.CODE, "tt": markdown.CODE,
    "del": markdown.STRUCK, "s": markdown.STRUCK, "strike": markdown.STRUCK,
}  # fmt: skip
_FOOTNOTE = re.compile(r"^\[?(\d{1,3}|[*†‡§a-z])\]?$")
_BACK_LINK = re.compile(r"^[\s\[(]*(?:[↩↑⤴⏎^]\ufe0e?\d*\s*)+[\])]*$")
"""Text of the link that leads from a footnote back to its reference."""
_BACK_LINK_CHARACTERS = 20
_FOOTNOTES = re.compile(r"(?:^|[\s_-])(?:footnotes?|endnotes?|fussnoten)(?:$|[\s_-])", re.IGNORECASE)
_OWN_CAPTION = re.compile(r"(?:^|\s)(?:wp-caption-text|wp-element-caption|tr-caption)(?:$|\s)")
"""Caption classes of blog software: these are the author's words, while a newspaper's captions are its agency's."""
_EMBED = re.compile(
    r"/embed|player|video|youtu|vimeo|dailymotion|ted\.com|twitch|peertube|soundcloud|bandcamp", re.IGNORECASE
)
_PLAYERS = {
    "lite-youtube": "https://www.youtube.com/watch?v=",
    "amp-youtube": "https://www.youtube.com/watch?v=",
    "lite-vimeo": "https://vimeo.com/",
    "amp-vimeo": "https://vimeo.com/",
}
"""Elements that scripts turn into players, and what precedes the id of a video in its address."""
_MAX_EMOJI = 8
"""Characters up to which the `alt` of a picture can be the emoji that the picture shows."""
_CAPTION_DEPTH = 3
"""Elements above a caption that can be the frame around it and its picture."""
_MAX_NESTING = 12
"""Depth of lists and quotations that Markdown shows."""
_MAX_NUMBER_DIGITS = 6


class BlockType(Enum):
    """The type of a block."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"
    CAPTION = "caption"
    EMBED = "embed"
    IMAGE = "image"


NOT_TEXT = frozenset({BlockType.EMBED, BlockType.IMAGE, BlockType.CAPTION})
"""What is in Markdown and not in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, heading, list item, table or the like."""

    type: BlockType
    plain: str
    """Its text: one line, except verse, code and tables. For a video its URL, for a picture its description."""
    markdown: str
    joint: str = "\n\n"
    """What Markdown puts between the previous block and this one."""
    linked: int = 0
    """Characters of its text that are links."""
    outward: int = 0
    """How many of these lead to other sites."""
    item: bool = False
    """It is in a list."""
    links: tuple[Link, ...] = field(default=(), compare=False)
    """The links in it."""
    caption: bool = field(default=False, compare=False)
    """It is the caption of a picture, the author's own words or not."""
    image: Image | None = field(default=None, compare=False)
    """The picture, without its caption, if it is one."""
    element: HtmlElement | None = field(default=None, compare=False)
    """The element of the page that contains it."""

    def is_within(self, elements: Collection[HtmlElement]) -> bool:
        """Whether it is in one of these elements of the page."""
        above = self.element
        while above is not None and above not in elements:
            above = above.getparent()
        return above is not None


def blocks_of(element: HtmlElement, *, dropped: Collection[HtmlElement], url: str = "") -> list[Block]:
    """The blocks of an element in document order, without the elements in `dropped`.

    `url` is the base of the relative URLs of videos and pictures.
    """
    walk = _Walk(dropped, url)
    walk.through(element)
    return walk.blocks


def plain_text(blocks: Iterable[Block]) -> str:
    """Blocks as plain text, one paragraph a line, without captions, pictures and videos."""
    return "\n".join(block.plain for block in blocks if block.type not in NOT_TEXT)


def markdown_text(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, with links, pictures, captions, and links to embedded videos."""
    return "".join(part for block in blocks for part in (block.joint, block.markdown)).strip("\n")


def links_in(blocks: Iterable[Block]) -> tuple[Link, ...]:
    """The links in blocks, in order; no more than `TEXT_LINKS`."""
    return tuple(islice((link for block in blocks for link in block.links), TEXT_LINKS))


def images_in(blocks: Sequence[Block]) -> tuple[Image, ...]:
    """The pictures among blocks with their captions, in order; no more than `TEXT_IMAGES`."""
    shown = (
        replace(block.image, caption=_caption(block, blocks[at + 1] if at + 1 < len(blocks) else None))
        for at, block in enumerate(blocks)
        if block.image is not None
    )
    return tuple(islice(shown, TEXT_IMAGES))


def _caption(image: Block, following: Block | None) -> str:
    """The text of the block after a picture if that is its caption; empty if it is not."""
    if following is None or following.element is None or image.element is None or not following.caption:
        return ""
    frame = islice((following.element, *following.element.iterancestors()), _CAPTION_DEPTH + 1)
    around = set(image.element.iterancestors())
    return following.plain[:FIELD_CHARACTERS] if any(element in around for element in frame) else ""


@dataclass(slots=True)
class _Box:
    """An open list item or quotation."""

    marker: str
    """Prefix of its first line."""
    indent: str
    """Prefix of its other lines."""
    used: bool = False


@dataclass(slots=True)
class _Walk:
    """One walk through an element, depth first."""

    dropped: Collection[HtmlElement]
    url: str
    blocks: list[Block] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    images: list[tuple[HtmlElement, str]] = field(default_factory=list)
    """Pictures in the open block, and their addresses."""
    targets: list[str] = field(default_factory=lambda: [""])
    """Where links lead, by the number of their character; the first is that of links that lead nowhere."""
    rels: list[str] = field(default_factory=lambda: [""])
    anchors: int = 0
    """How many links are open."""
    marks: Counter[str] = field(default_factory=Counter)
    """How many inline elements are open, by their mark."""
    carried: list[str] = field(default_factory=list)
    """Marks that are still open at the end of a block."""
    open: list[HtmlElement] = field(default_factory=list)
    """Open block elements, the root of the walk first."""
    heading: int = 0
    captions: int = 0
    own_caption: bool = False
    boxes: list[_Box] = field(default_factory=list)
    fresh: bool = False
    """A top-level list has begun and has no block yet."""
    numbers: list[int | None] = field(default_factory=list)
    """The number of the next item of each open list; None for bullets, negative for footnotes."""

    def through(self, root: HtmlElement) -> None:
        self.open.append(root)
        at, entered = root, self._enter(root)
        while True:
            child = next(at.iterchildren(), None) if entered else None
            if child is not None:
                at, entered = child, self._enter(child)
                continue
            while True:
                if entered:
                    self._leave(at)
                if at is root:
                    self._flush()
                    return
                self._text(at.tail)
                following = at.getnext()
                if following is not None:
                    at, entered = following, self._enter(following)
                    break
                at, entered = at.getparent(), True

    # -- elements

    def _enter(self, element: HtmlElement) -> bool:
        """Process the start of an element; False if its children are not visited."""
        tag = element.tag
        if not isinstance(tag, str):
            return False
        if element in self.dropped:
            if tag == "noscript":
                self._no_script(element)
            elif tag == "object":
                self._embed(element)
            return False
        special = self._specials.get(tag)
        if special is not None and special(self, element):
            return False
        mark = _INLINE.get(tag)
        if mark:
            if not self.marks[mark] and not self.heading:
                self.parts.append(mark)
            self.marks[mark] += 1
        elif tag in BLOCKS:
            self._flush()
            self._open(element)
        if tag not in BLOCKS and element.attrib and boilerplate.names_of(element).is_caption:
            self._flush()
            self.captions += 1
            self.own_caption = False
        self._text(element.text)
        return True

    def _open(self, element: HtmlElement) -> None:
        tag = element.tag
        self.open.append(element)
        if tag in HEADINGS:
            self.heading = int(tag[1])
        elif tag in ("ul", "ol"):
            self.fresh = self.fresh or not self.numbers
            number = _number(element.get("start"), 1) if tag == "ol" else None
            self.numbers.append(-1 if tag == "ol" and _is_footnotes(element) else number)
        elif tag == "li":
            self._push(self._marker())
        elif tag == "dd":
            self._push("- ")
        elif tag == "blockquote":
            self.boxes.append(_Box("> ", "> "))
        if boilerplate.names_caption(element):
            self.captions += 1
            self.own_caption = _is_own_caption(element)

    def _leave(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag not in BLOCKS and element.attrib and boilerplate.names_of(element).is_caption:
            self._flush()
            self.captions -= 1
        mark = _INLINE.get(tag)
        if mark:
            self.marks[mark] -= 1
            if not self.marks[mark] and not self.heading:
                self.parts.append(mark)
        elif tag == "a":
            self.anchors -= 1
            if not self.anchors:
                self._mark_link(LINK)
        elif tag in BLOCKS:
            self._flush()
            self._close(element)

    def _close(self, element: HtmlElement) -> None:
        tag = element.tag
        self.open.pop()
        if tag in HEADINGS:
            self.heading = 0
        elif tag in ("ul", "ol"):
            self.numbers.pop()
        elif tag in ("li", "dd", "blockquote"):
            self.boxes.pop()
        if boilerplate.names_caption(element):
            self.captions -= 1

    def _push(self, marker: str) -> None:
        self.boxes.append(_Box(marker, "    " if marker.startswith("[^") else " " * len(marker)))

    def _marker(self) -> str:
        number = self.numbers[-1] if self.numbers else None
        if number is None:
            return "- "
        if number < 0:
            self.numbers[-1] = number - 1
            return f"[^{-number}]: "
        self.numbers[-1] = number + 1
        return f"{number}. "

    # -- elements with a meaning of their own: each returns whether it is done with the element

    def _line_break(self, _: HtmlElement) -> bool:
        self.parts.append(BREAK)
        return True

    def _rule(self, _: HtmlElement) -> bool:
        self._flush()
        return True

    def _skip(self, _: HtmlElement) -> bool:
        return True

    def _link(self, element: HtmlElement) -> bool:
        target = element.get("href") or ""
        if target.startswith("#") and _BACK_LINK.match("".join(element.itertext())[:_BACK_LINK_CHARACTERS] or "x"):
            return True
        self.anchors += 1
        if self.anchors == 1:
            self._mark_link(LINK + self._numbered(element, target))
        return False

    def _mark_link(self, mark: str) -> None:
        """Begin or end a link; code is a link rather than that a link is code, which Markdown does not know."""
        is_code = self.marks[markdown.CODE] and not self.heading
        self.parts += [markdown.CODE, mark, markdown.CODE] if is_code else [mark]

    def _numbered(self, element: HtmlElement, href: str) -> str:
        """The character that stands for the target of a link."""
        is_own_anchor = href.startswith("#") and self.heading  # of the heading itself
        target = href_target(self.url, href) if href.strip() and not is_own_anchor else ""
        number = len(self.targets)
        if not target or number > LAST_TARGET - FIRST_TARGET:
            return chr(FIRST_TARGET)
        self.targets.append(target)
        self.rels.append(" ".join((element.get("rel") or "").lower().split())[:LINK_CHARACTERS])
        return chr(FIRST_TARGET + number)

    def _superscript(self, element: HtmlElement) -> bool:
        link = next(element.iter("a"), None)
        found = _FOOTNOTE.match("".join(element.itertext()).strip())
        if found is not None and link is not None and "#" in (link.get("href") or ""):
            self.parts += [NOTE, found[1], NOTE]
            return True
        return link is None and self._written(superscript(element, self._last_sign()))

    def _subscript(self, element: HtmlElement) -> bool:
        is_linked = next(element.iter("a"), None) is not None
        return not is_linked and self._written(subscript(element, self._last_sign()))

    def _written(self, text: str | None) -> bool:
        """Add text if there is any."""
        self._text(text)
        return text is not None

    def _last_sign(self) -> str:
        """The last character of the open block; empty if it has none."""
        for part in reversed(self.parts):
            if bare := TOGGLES.sub("", part):
                return bare[-1]
        return ""

    def _image(self, element: HtmlElement) -> bool:
        classes = (element.get("class") or "").split()
        alt = element.get("alt") or ""
        if "latex" in classes or "tex" in classes or "mwe-math-fallback-image-inline" in classes:
            self._formula(alt)
        elif 0 < len(alt) <= _MAX_EMOJI and not any(map(str.isalnum, alt)) and not alt.isascii():
            self._text(alt)
        elif target := image_target(element, self.url):
            self.images.append((element, target))
        return True

    def _images(self) -> None:
        """Add the pictures of the previous block."""
        images, self.images = self.images, []
        for element, target in images:
            alt = composed(collapsed(element.get("alt") or "").strip())[:FIELD_CHARACTERS]
            self._add(
                BlockType.IMAGE, alt, markdown.image(alt, target), element=element, image=Image(url=target, alt=alt)
            )

    def _no_script(self, element: HtmlElement) -> None:
        """Note the pictures for readers without scripts, unless the one before is shown to other readers."""
        before = element.getprevious()
        if before is not None and any(image_target(img, self.url) for img in before.iter("img", "amp-img")):
            return
        for img in element.iter("img"):
            target = image_target(img, self.url)
            known = {one for _, one in self.images} | {block.image.url for block in self.blocks[-1:] if block.image}
            if target and target not in known:
                self.images.append((img, target))

    def _script(self, element: HtmlElement) -> bool:
        """A formula that MathJax shows."""
        language, _, options = (element.get("type") or "").partition(";")
        source = element.text or ""
        if language == "math/tex":
            self._formula(source, display="display" in options)
        elif language == "math/asciimath":
            self._text(collapsed(source))
        elif language == "math/mml" and (math := _parsed(source)) is not None:
            self._mathematics(math)
        return True

    def _mathematics(self, element: HtmlElement) -> bool:
        notes = (note for note in element.iter("annotation") if note.get("encoding") == "application/x-tex")
        source = next((note.text for note in notes if note.text), None) or element.get("alttext")
        if source:
            self._formula(source, display=element.get("display") == "block")
        else:
            self._text(linear(element))
        return True

    def _span(self, element: HtmlElement) -> bool:
        # KaTeX and MathJax render a formula as HTML beside its source.
        classes = (element.get("class") or "").split() if element.attrib else ()
        return "katex-html" in classes or "MathJax_Preview" in classes

    def _formula(self, source: str, *, display: bool = False) -> None:
        sign = "$$" if display else "$"
        bare = collapsed(source).strip().strip("$").strip()
        if bare:
            self.parts += [sign, bare, sign]

    def _embed(self, element: HtmlElement) -> bool:
        is_media = element.tag in ("video", "audio")
        for source in _embedded(element):
            target = link_target(self.url, source)
            if target and (is_media or _EMBED.search(target)) and not is_tracker(target):
                self._flush()
                label = (element.get("title") or "").strip() or f"{urlsplit(target).hostname}"
                self._add(BlockType.EMBED, target, markdown.link(label, target), element=element)
                break
        return str(element.tag) != "embed"  # it is empty, but the parser does not know that

    def _preformatted(self, element: HtmlElement) -> bool:
        self._flush()
        code = "" if is_gutter(element) else source_code(element, self.dropped)
        if code:
            self._add(BlockType.CODE, code, markdown.fenced(code, code_language(element)), element=element)
        return True

    def _table(self, element: HtmlElement) -> bool:
        if (code := listing(element)) is not None:
            self._flush()
            language = code_language(element)
            self._add(BlockType.CODE, code, markdown.fenced(code, language), element=element)
            return True
        rows = data_rows(element, self.dropped)
        if rows is None:
            return False
        self._flush()
        for caption in element.iterchildren("caption"):
            words = composed(collapsed("".join(caption.itertext())).strip())
            if words and caption not in self.dropped:
                self._add(None, words, markdown.inline(words), element=caption)
        read = [[_cell(cell, self.dropped, self.url) for cell in row] for row in rows]
        cells = [row for row in read if any(cell.plain for cell in row)]
        if cells:
            self._add(
                BlockType.TABLE,
                table_text([[cell.plain for cell in row] for row in cells]),
                markdown.table([[cell.markdown for cell in row] for row in cells]),
                linked=link_characters(element),
                links=tuple(link for row in cells for cell in row for link in cell.links),
                element=element,
            )
        return True

    # -- text

    def _text(self, text: str | None) -> None:
        if not text:
            return
        if not text.isprintable():  # noise is not printable, nor is any white space but the space
            text = SPACE.sub(" ", NOISE.sub("", text))
        elif "  " in text:
            text = SPACE.sub(" ", text)
        self.parts.append(text)

    def _flush(self) -> None:
        """End the open block."""
        if self.parts:
            text, self.parts = "".join(self.parts), []
            for paragraph in _BLANK_LINES.split(text):
                self._paragraph(paragraph)
        if self.images:
            self._images()

    def _paragraph(self, text: str) -> None:
        toggles = TOGGLES.findall(text)
        if toggles or self.carried:
            text = self._balanced(text, toggles)
        lines = [SPACE.sub(" ", line).strip(" ") for line in text.split(BREAK)]
        text = "\n".join(filter(None, lines))
        bare = TOGGLES.sub("", text) if toggles or self.carried else text
        bare = _SPACES.sub(" ", bare).strip() if "  " in bare else bare.strip()
        if not bare:
            return
        links = self._links(text) if LINK in text else ()
        linked = sum(len(part) - 1 for part in text.split(LINK)[1::2]) if LINK in text else 0
        words = REFERENCES.sub(r"[\1]", bare) if NOTE in bare else bare
        if "\n" in words:
            words = "\n".join(filter(None, map(str.strip, words.split("\n"))))
        words, marked = composed(words), composed(markdown.inline(text, self.targets))
        kind = None
        if self.heading:
            kind, marked = BlockType.HEADING, "#" * self.heading + " " + marked.replace("\n", " ")
        elif (self.captions and not self.own_caption) or boilerplate.wording().figure.match(words):
            kind = BlockType.CAPTION
        self._add(kind, words, marked, linked=linked, links=links, caption=bool(self.captions))

    def _links(self, text: str) -> tuple[Link, ...]:
        """The links in a paragraph that lead somewhere and have words."""
        found = []
        for character, marked in LINKED.findall(text):
            target, words = target_of(character, self.targets), REFERENCES.sub("", marked)
            words = collapsed(TOGGLES.sub("", words.replace(BREAK, " "))).strip()
            if target and words:
                rel = target_of(character, self.rels)
                found.append(Link(target=target, words=composed(words)[:LINK_CHARACTERS], rel=rel))
        return tuple(found)

    def _balanced(self, text: str, toggles: list[str]) -> str:
        """A paragraph in which every open mark is closed; the next paragraph opens them again."""
        opened = "".join(self.carried)
        for mark in toggles:
            closed = next((one for one in self.carried if one == mark or (mark == LINK and one[0] == LINK)), None)
            if closed is not None:
                self.carried.remove(closed)
            else:
                self.carried.append(mark)
        return opened + text + "".join(mark[0] for mark in reversed(self.carried))

    def _add(
        self,
        kind: BlockType | None,
        words: str,
        marked: str,
        *,
        linked: int = 0,
        links: tuple[Link, ...] = (),
        caption: bool = False,
        image: Image | None = None,
        element: HtmlElement | None = None,
    ) -> None:
        boxes = self.boxes[-_MAX_NESTING:]
        first = "".join(box.indent if box.used else box.marker for box in boxes)
        rest = "".join(box.indent for box in boxes)
        is_item = any(box.marker != "> " for box in boxes)
        starts = next((box for box in boxes if not box.used and box.marker != "> "), None)
        if starts is not None and kind in (None, BlockType.HEADING):
            words = "- " + words if not starts.marker.startswith("[^") else words
        if kind is None:
            kind = BlockType.ITEM if is_item else BlockType.QUOTE if boxes else BlockType.PARAGRAPH
        continues = bool(boxes) and boxes[0].used and boxes[0].marker == "> "
        joint = "\n\n"
        if continues:
            joint = "\n>\n"
        elif starts is not None and self.blocks and self.blocks[-1].item and not self.fresh:
            joint = "\n"
        self.fresh = False
        for box in self.boxes:
            box.used = True
        lines = marked.split("\n")
        text = "\n".join(
            [first + lines[0], *((rest + line).rstrip() if not line else rest + line for line in lines[1:])]
        )
        self.blocks.append(
            Block(
                type=kind,
                plain=words,
                markdown=text,
                joint=joint,
                linked=linked,
                item=is_item,
                outward=sum(len(link.words) for link in links if leads_away(link.target, self.url)),
                links=links,
                caption=caption,
                image=image,
                element=self.open[-1] if element is None else element,
            )
        )

    _specials: ClassVar[dict[str, Callable[[_Walk, HtmlElement], bool]]] = {
        "br": _line_break,
        "hr": _rule,
        "a": _link,
        "sup": _superscript,
        "sub": _subscript,
        "img": _image,
        "amp-img": _image,
        "script": _script,
        "math": _mathematics,
        "span": _span,
        "pre": _preformatted,
        "table": _table,
        **dict.fromkeys(("iframe", "embed", "video", "audio", *_PLAYERS), _embed),
        **dict.fromkeys(
            "style template input textarea canvas option head link meta map area applet noembed noframes frame frameset"  # noqa: SIM905
            " progress meter title rt rp".split(),
            _skip,
        ),
    }


def _embedded(element: HtmlElement) -> Iterator[str]:
    """Addresses of what an element plays, the best first; consent dialogs keep them in `data-` attributes."""
    yield from (value for name in ("src", "data-src", "data") if (value := element.get(name)))
    if element.tag in _PLAYERS and (video := element.get("videoid") or element.get("data-videoid")):
        yield _PLAYERS[element.tag] + quote(video, safe="")
    yield from (value for part in element.iter("source", "embed", "param") if (value := part.get("src")))
    yield from (value for name, value in element.attrib.items() if name.startswith("data-") and "//" in value[:8])


def _parsed(markup: str) -> HtmlElement | None:
    try:
        return fragment_fromstring(markup, create_parent="math")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _number(text: str | None, default: int) -> int:
    is_number = text and text.isascii() and text.isdigit() and len(text) <= _MAX_NUMBER_DIGITS
    return int(text) if text and is_number else default


def _is_own_caption(element: HtmlElement) -> bool:
    if is_of_words(element):
        return True
    if not _OWN_CAPTION.search(element.get("class") or ""):
        return False
    figure = element.getparent()
    box = figure.getparent() if figure is not None else None
    return box is None or "featured" not in (box.get("class") or "")


def _is_footnotes(element: HtmlElement) -> bool:
    above = element.getparent()
    return any(
        found is not None and _FOOTNOTES.search(f"{found.get('class') or ''} {found.get('id') or ''}")
        for found in (element, above)
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a table."""

    plain: str
    markdown: str
    links: tuple[Link, ...]


def _cell(cell: HtmlElement, dropped: Collection[HtmlElement], url: str) -> _Cell:
    walk = _Walk(dropped, url)
    walk.through(cell)
    plain = " ".join(block.plain for block in walk.blocks if block.type not in (BlockType.EMBED, BlockType.IMAGE))
    marked = " ".join(block.markdown.replace("\n", " ") for block in walk.blocks)
    return _Cell(
        plain=SPACE.sub(" ", plain).strip(),
        markdown=SPACE.sub(" ", marked).strip(),
        links=links_in(walk.blocks),
    )
