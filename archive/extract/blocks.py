"""A part of a page as blocks of text: plain, and in markdown with its structure. No I/O.

Inline markup is carried through as control characters, which no text of a page keeps, so that plain text and markdown
come from one pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar
from urllib.parse import quote, urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from archive.extract import boilerplate
from archive.extract.measure import BLOCKS, HEADINGS
from archive.limits import TABLE_COLUMNS

_NOISE = re.compile("[\x00-\x08\x0b\x0e-\x1f\u00ad\u200b\u2060\ufeff\ue000-\uf8ff]")
"""Control characters, soft hyphens, zero-width spaces, and the private characters by which fonts draw icons."""
_SPACE = re.compile(r"[\t\n\f\r ]+")
_SPACES = re.compile(" {2,}")
_BLANK_LINES = re.compile("\x0b[ \x0b]*\x0b")
_BOLD, _ITALIC, _CODE, _STRUCK, _NOTE, _LINK, _BREAK = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x0b"
_MARK = re.compile("[\x01-\x04]")
_TOGGLE = re.compile("[\x01-\x04\x06]")
_EMPTY_PAIR = re.compile("([\x01-\x04])([ \x06]*)\\1")
_PAIR = re.compile("([\x01-\x04])( *)(.*?)( *)\\1", re.DOTALL)
_REFERENCE = re.compile("\x05([^\x05]*)\x05")
_MARKDOWN = {_BOLD: "**", _ITALIC: "*", _CODE: "`", _STRUCK: "~~"}
_INLINE = {
    "strong": _BOLD, "b": _BOLD, "em": _ITALIC, "i": _ITALIC, "cite": _ITALIC, "dfn": _ITALIC, "code": _CODE,
    "kbd": _CODE, "samp": _CODE, "tt": _CODE, "del": _STRUCK, "s": _STRUCK, "strike": _STRUCK,
}  # fmt: skip
_SPECIAL = re.compile(r"^(?=#{1,6}\s|[-+*>]\s|=+$|-+$)|^(\d{1,9})(?=[.)]\s)", re.MULTILINE)
"""What markdown would take for structure at the beginning of a line."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_CODE_LANGUAGE = re.compile(r"(?:^|[\s:])(?:language-|lang-|brush:\s*|highlight-source-|sourceCode\s+)([\w+#.-]+)")
_FENCE = re.compile(r"`{3,}")
_CELL_LENGTH = 500
_ROWS = 2_000
_FEW_ROWS = 4
_FOOTNOTE = re.compile(r"^\[?(\d{1,3}|[*†‡§a-z])\]?$")
_BACK = re.compile(r"^[\s\[(]*(?:[↩↑⤴⏎^]\ufe0e?\d*\s*)+[\])]*$")
_NOTES = re.compile(r"(?:^|[\s_-])(?:footnotes?|endnotes?|fussnoten)(?:$|[\s_-])", re.IGNORECASE)
_OWN_CAPTION = re.compile(r"(?:^|\s)(?:wp-caption-text|wp-element-caption|tr-caption)(?:$|\s)")
"""Captions of software for blogs: words of the author, where those of newspapers are the agency's."""
_FIGURE = re.compile(r"(?:Abb(?:ildung|\.)|Fig(?:ure|\.)|Figura|Figuur|Рис(?:унок|\.))\s*\d{1,3}\s*[:.–—-]")  # noqa: RUF001
"""How a caption begins that is in no element for captions."""
_EMBED = re.compile(
    r"/embed|player|video|youtu|vimeo|dailymotion|ted\.com|twitch|peertube|soundcloud|bandcamp", re.IGNORECASE
)
_URL_LENGTH = 2_000
_EMOJI = 8
_DESCRIPTION = 12
"""Characters of a picture's description, from which on it is one and no name."""
_NESTING = 12
"""Depth of lists and quotations that markdown shows."""


class Shape(Enum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"
    CAPTION = "caption"
    EMBED = "embed"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, heading, list item, table or the like."""

    shape: Shape
    plain: str
    """Its words; one line but for verse, code and tables. Of a video its URL, of a picture its description."""
    markdown: str
    joint: str = "\n\n"
    """What markdown puts between it and the block before it."""
    linked: int = 0
    """Characters of its words that are links."""
    item: bool = False
    """It stands in a list."""
    element: HtmlElement | None = field(default=None, compare=False)
    """The element of the page that it is in."""


def blocks(element: HtmlElement, *, dropped: Collection[HtmlElement], url: str = "") -> list[Block]:
    """The blocks of an element in document order, without the elements that are dropped.

    `url` is what addresses of embedded videos are relative to.
    """
    walk = _Walk(dropped, url)
    walk.through(element)
    return walk.blocks


def plain(found: Iterable[Block], *, captions: bool = False) -> str:
    """Plain text: a paragraph a line; captions of pictures only if they are asked for."""
    left_out = {Shape.EMBED, Shape.IMAGE} if captions else {Shape.EMBED, Shape.IMAGE, Shape.CAPTION}
    return "\n".join(block.plain for block in found if block.shape not in left_out)


def markdown(found: Iterable[Block]) -> str:
    """Markdown text; with captions, pictures that are described, and links to embedded videos."""
    return "".join(part for block in found for part in (block.joint, block.markdown)).strip("\n")


@dataclass(slots=True)
class _Box:
    """A list item or a quotation that is open."""

    marker: str
    """Before its first line."""
    indent: str
    """Before its other lines."""
    used: bool = False


@dataclass(slots=True)
class _Walk:
    """One pass through an element."""

    dropped: Collection[HtmlElement]
    url: str
    blocks: list[Block] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    images: list[HtmlElement] = field(default_factory=list)
    """Described pictures of the block that is open."""
    marks: Counter[str] = field(default_factory=Counter)
    """Depth of inline elements that are open, by their mark."""
    carried: list[str] = field(default_factory=list)
    """Marks that are open where a block ends."""
    open: list[HtmlElement] = field(default_factory=list)
    """Block elements that are open, the walk's root first."""
    heading: int = 0
    captions: int = 0
    own_caption: bool = False
    boxes: list[_Box] = field(default_factory=list)
    fresh: bool = False
    """A list that stands in no other has begun and has no block yet."""
    numbers: list[int | None] = field(default_factory=list)
    """Of each open list the number of its next item; None for bullets, negative for footnotes."""

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
        """Take an element's beginning; False if what is in it is not walked through."""
        tag = element.tag
        if not isinstance(tag, str) or element in self.dropped:
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
        if tag not in BLOCKS and element.attrib and boilerplate.named(element).is_caption:
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
            number = _int(element.get("start"), 1) if tag == "ol" else None
            self.numbers.append(-1 if tag == "ol" and _is_notes(element) else number)
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
        if tag not in BLOCKS and element.attrib and boilerplate.named(element).is_caption:
            self._flush()
            self.captions -= 1
        mark = _INLINE.get(tag)
        if mark:
            self.marks[mark] -= 1
            if not self.marks[mark] and not self.heading:
                self.parts.append(mark)
        elif tag == "a":
            self.parts.append(_LINK)
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

    # -- elements that are no text

    def _line_break(self, _: HtmlElement) -> bool:
        self.parts.append(_BREAK)
        return True

    def _rule(self, _: HtmlElement) -> bool:
        self._flush()
        return True

    def _skip(self, _: HtmlElement) -> bool:
        return True

    def _link(self, element: HtmlElement) -> bool:
        target = element.get("href") or ""
        if target.startswith("#") and _BACK.match("".join(element.itertext())[:20] or "x"):
            return True
        self.parts.append(_LINK)
        return False

    def _superscript(self, element: HtmlElement) -> bool:
        link = next(element.iter("a"), None)
        said = "".join(element.itertext()).strip()
        found = _FOOTNOTE.match(said)
        if found is None or link is None or "#" not in (link.get("href") or ""):
            return False
        self.parts += [_NOTE, found[1], _NOTE]
        return True

    def _image(self, element: HtmlElement) -> bool:
        classes = (element.get("class") or "").split()
        said = element.get("alt") or ""
        if "latex" in classes or "tex" in classes or "mwe-math-fallback-image-inline" in classes:
            self._formula(said)
        elif 0 < len(said) <= _EMOJI and not any(map(str.isalnum, said)) and not said.isascii():
            self._text(said)
        elif len(said) >= _DESCRIPTION and " " in said.strip():
            self.images.append(element)
        return True

    def _images(self) -> None:
        """The pictures that the block before had, where they are described."""
        images, self.images = self.images, []
        for element in images:
            target = _target(self.url, element.get("src") or element.get("data-src") or "")
            said = _SPACE.sub(" ", _NOISE.sub("", element.get("alt") or "")).strip()
            if target and said:
                marked = f"![{said.translate(_NO_BRACKETS)}](<{target}>)"
                self._add(Shape.IMAGE, unicodedata.normalize("NFC", said), marked, element=element)

    def _script(self, element: HtmlElement) -> bool:
        if (element.get("type") or "").startswith("math/tex"):
            self._formula(element.text or "", display="display" in (element.get("type") or ""))
        return True

    def _mathematics(self, element: HtmlElement) -> bool:
        notes = (note for note in element.iter("annotation") if note.get("encoding") == "application/x-tex")
        source = next((note.text for note in notes if note.text), None) or element.get("alttext")
        if source:
            self._formula(source, display=element.get("display") == "block")
        return bool(source)

    def _span(self, element: HtmlElement) -> bool:
        # KaTeX and MathJax draw a formula in HTML beside its source.
        return bool(element.attrib) and "katex-html" in (element.get("class") or "").split()

    def _formula(self, source: str, *, display: bool = False) -> None:
        sign = "$$" if display else "$"
        bare = _SPACE.sub(" ", _NOISE.sub("", source)).strip().strip("$").strip()
        if bare:
            self.parts += [sign, bare, sign]

    def _embed(self, element: HtmlElement) -> bool:
        source = element.get("src") or element.get("data-src") or element.get("data") or ""
        if not source:
            source = next((part.get("src") or "" for part in element.iter("source")), "")
        target = _target(self.url, source)
        if target and (element.tag in ("video", "audio") or _EMBED.search(target)):
            self._flush()
            said = (element.get("title") or "").strip() or f"{urlsplit(target).hostname}"
            label = _SPACE.sub(" ", _NOISE.sub("", said)).translate(_NO_BRACKETS)
            self._add(Shape.EMBED, target, f"[{label}](<{target}>)", element=element)
        return True

    def _preformatted(self, element: HtmlElement) -> bool:
        self._flush()
        lines = list(_code_lines(element, self.dropped))
        while lines and not lines[0].strip():
            del lines[0]
        while lines and not lines[-1].strip():
            del lines[-1]
        if lines:
            code = "\n".join(lines)
            fence = "`" * max(3, 1 + max((len(run) for run in _FENCE.findall(code)), default=0))
            self._add(Shape.CODE, code, f"{fence}{_code_language(element)}\n{code}\n{fence}", element=element)
        return True

    def _table(self, element: HtmlElement) -> bool:
        rows = _data_rows(element, self.dropped)
        if rows is None:
            return False
        self._flush()
        cells = [[_cell(cell, self.dropped) for cell in row] for row in rows]
        cells = [row for row in cells if any(row)]
        if cells:
            width = max(map(len, cells))
            lines = [_row(row, width) for row in cells]
            words = "\n".join(" | ".join(cell for cell in row if cell) for row in cells)
            marked = "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
            self._add(Shape.TABLE, words, marked, linked=_linked(element), element=element)
        return True

    # -- text

    def _text(self, text: str | None) -> None:
        if not text:
            return
        if not text.isprintable():  # white space but for the blank, and all noise, is not printable
            text = _SPACE.sub(" ", _NOISE.sub("", text))
        elif "  " in text:
            text = _SPACE.sub(" ", text)
        self.parts.append(text)

    def _flush(self) -> None:
        """End the block that is open."""
        if self.parts:
            said, self.parts = "".join(self.parts), []
            for paragraph in _BLANK_LINES.split(said):
                self._paragraph(paragraph)
        if self.images:
            self._images()

    def _paragraph(self, said: str) -> None:
        toggles = _TOGGLE.findall(said)
        if toggles or self.carried:
            said = self._balanced(said, toggles)
        lines = [_SPACE.sub(" ", line).strip(" ") for line in said.split(_BREAK)]
        said = "\n".join(filter(None, lines))
        bare = _TOGGLE.sub("", said) if toggles or self.carried else said
        bare = _SPACES.sub(" ", bare).strip() if "  " in bare else bare.strip()
        if not bare:
            return
        linked = sum(map(len, said.split(_LINK)[1::2])) if _LINK in said else 0
        words = _REFERENCE.sub(r"[\1]", bare) if _NOTE in bare else bare
        if "\n" in words:
            words = "\n".join(filter(None, map(str.strip, words.split("\n"))))
        words, marked = _composed(words), _composed(_marked(said))
        if self.heading:
            self._add(Shape.HEADING, words, "#" * self.heading + " " + marked.replace("\n", " "), linked=linked)
        elif self.captions or _FIGURE.match(words):
            is_own = self.captions and self.own_caption
            self._add(None if is_own else Shape.CAPTION, words, marked, linked=linked)
        else:
            self._add(None, words, marked, linked=linked)

    def _balanced(self, said: str, toggles: list[str]) -> str:
        """A paragraph in which every mark that is open is closed; those that go on begin the next one."""
        opened = "".join(self.carried)
        for mark in toggles:
            if mark in self.carried:
                self.carried.remove(mark)
            else:
                self.carried.append(mark)
        return opened + said + "".join(reversed(self.carried))

    def _add(
        self, shape: Shape | None, words: str, marked: str, *, linked: int = 0, element: HtmlElement | None = None
    ) -> None:
        boxes = self.boxes[-_NESTING:]
        first = "".join(box.indent if box.used else box.marker for box in boxes)
        rest = "".join(box.indent for box in boxes)
        is_item = any(box.marker != "> " for box in boxes)
        starts = next((box for box in boxes if not box.used and box.marker != "> "), None)
        if starts is not None and shape in (None, Shape.HEADING):
            words = "- " + words if not starts.marker.startswith("[^") else words
        if shape is None:
            shape = Shape.ITEM if is_item else Shape.QUOTE if boxes else Shape.PARAGRAPH
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
                shape=shape,
                plain=words,
                markdown=text,
                joint=joint,
                linked=linked,
                item=is_item,
                element=self.open[-1] if element is None else element,
            )
        )

    _specials: ClassVar[dict[str, Callable[[_Walk, HtmlElement], bool]]] = {
        "br": _line_break,
        "hr": _rule,
        "a": _link,
        "sup": _superscript,
        "img": _image,
        "script": _script,
        "math": _mathematics,
        "span": _span,
        "pre": _preformatted,
        "table": _table,
        **dict.fromkeys(("iframe", "embed", "video", "audio"), _embed),
        **dict.fromkeys(
            "style template input textarea canvas head link meta map area applet noembed noframes frame frameset"  # noqa: SIM905
            " progress meter source track title rt rp".split(),
            _skip,
        ),
    }


_NO_BRACKETS = str.maketrans("[]\\<>", "()/  ")
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def _target(base: str, source: str) -> str:
    """The absolute web address that an attribute gives, in a form that markdown takes; empty if it gives none."""
    try:
        target = urljoin(base, source.strip())
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname or len(target) > _URL_LENGTH:
            return ""
    except ValueError:
        return ""
    return quote(target, safe=_URL_SAFE)


def _composed(said: str) -> str:
    return said if said.isascii() else unicodedata.normalize("NFC", said)


def _marked(said: str) -> str:
    """Text with marks as markdown."""
    text = said.replace(_LINK, "")
    if "<" in text:
        text = _TAG.sub("\\<", text)
    if _MARK.search(text):
        text = _with_signs(text)
    if not text[:1].isalpha() or "\n" in text:
        text = _SPECIAL.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", text)
    if _NOTE in text:
        text = _REFERENCE.sub(r"[^\1]", text)
    return "  \n".join(filter(None, map(str.strip, text.split("\n")))) if "\n" in text else text.strip()


def _with_signs(text: str) -> str:
    before = None
    while before != text:
        before, text = text, _EMPTY_PAIR.sub(r"\2", text)
    for _ in _MARKDOWN:  # pairs nest
        text = _PAIR.sub(lambda found: f"{found[2]}{_sign(found[1], found[3])}{found[4]}", text)
    return _SPACES.sub(" ", _MARK.sub("", text))


def _sign(mark: str, said: str) -> str:
    sign = _MARKDOWN[mark]
    return f"{sign}{said}{sign}" if said.strip() else said


def _int(said: str | None, default: int) -> int:
    return int(said) if said and said.isascii() and said.isdigit() and len(said) < 7 else default  # noqa: PLR2004


def _is_own_caption(element: HtmlElement) -> bool:
    if not _OWN_CAPTION.search(element.get("class") or ""):
        return False
    figure = element.getparent()
    box = figure.getparent() if figure is not None else None
    return box is None or "featured" not in (box.get("class") or "")


def _is_notes(element: HtmlElement) -> bool:
    above = element.getparent()
    return any(
        found is not None and _NOTES.search(f"{found.get('class') or ''} {found.get('id') or ''}")
        for found in (element, above)
    )


def _code_lines(element: HtmlElement, dropped: Collection[HtmlElement]) -> Iterator[str]:
    """The lines of preformatted text; some highlighters put each line in a block of its own."""
    parts: list[str] = []
    for event, part in etree.iterwalk(element, events=("start", "end")):
        tag = part.tag
        if event == "start":
            if tag == "br" or (
                part is not element and tag in ("div", "p", "li") and parts and not parts[-1].endswith("\n")
            ):
                parts.append("\n")
            if part not in dropped and part.text and not _is_dropped_above(part, element, dropped):
                parts.append(part.text)
        elif part is not element and part.tail and not _is_dropped_above(part.getparent(), element, dropped):
            parts.append(part.tail)
    code = _NOISE.sub("", "".join(parts)).replace("\r\n", "\n").expandtabs(4)
    return (line.rstrip() for line in code.split("\n"))


def _is_dropped_above(part: HtmlElement, top: HtmlElement, dropped: Collection[HtmlElement]) -> bool:
    at: HtmlElement | None = part
    while at is not None and at is not top:
        if at in dropped:
            return True
        at = at.getparent()
    return False


def _code_language(element: HtmlElement) -> str:
    above = element.getparent()
    inner = next(element.iter("code"), None)
    for part in (inner, element, above):
        found = _CODE_LANGUAGE.search(part.get("class") or "") if part is not None else None
        if found:
            return found[1].lower()
    return ""


def _data_rows(table: HtmlElement, dropped: Collection[HtmlElement]) -> list[list[HtmlElement]] | None:
    """The cells of a table, row by row; None for one that only lays out a page."""
    if table.get("role") == "presentation":
        return None
    rows: list[list[HtmlElement]] = []
    for row in table.iter("tr"):
        if row in dropped:
            continue
        cells = [cell for cell in row if cell.tag in ("td", "th") and cell not in dropped]
        if cells:
            rows.append(cells)
        if len(rows) > _ROWS:
            return None
    if max(map(len, rows), default=0) > TABLE_COLUMNS:
        return None
    if sum(len(row) > 1 for row in rows) < max(1, 0.5 * len(rows)):
        return None
    few = len(rows) < _FEW_ROWS
    return None if any(_lays_out(cell, few=few) for row in rows for cell in row) else rows


def _lays_out(cell: HtmlElement, *, few: bool) -> bool:
    """Whether a cell holds a part of a page rather than a datum."""
    if next(cell.iter("table", "pre", "h1", "h2", "h3", "blockquote", "iframe"), None) is not None:
        return True
    return few and sum(map(len, cell.itertext())) > _CELL_LENGTH


def _cell(cell: HtmlElement, dropped: Collection[HtmlElement]) -> str:
    walk = _Walk(dropped, "")
    walk.through(cell)
    return _SPACE.sub(" ", " ".join(block.plain for block in walk.blocks if block.shape is not Shape.EMBED))


def _row(cells: Sequence[str], width: int) -> str:
    padded = [cell.replace("|", "\\|") for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(padded) + " |"


def _linked(element: HtmlElement) -> int:
    return sum(len("".join(link.itertext()).strip()) for link in element.iter("a"))
