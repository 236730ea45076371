"""An element of a page as a list of blocks, as plain text and Markdown.

One walk over the DOM gives both: inline markup is carried along as control characters (`archive.extract.markdown`).
No I/O.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

from lxml import etree
from lxml.html import HtmlElement, fragment_fromstring

from archive.extract import boilerplate, captions, markdown
from archive.extract.blocks import Block, BlockType, links_in
from archive.extract.characters import SPACE, collapsed, composed, single_spaced
from archive.extract.code import code_language, is_gutter, listing, source_code
from archive.extract.embeds import PLAYERS, embed_target
from archive.extract.exponents import subscript, superscript
from archive.extract.formula import linear
from archive.extract.images import image_target
from archive.extract.markdown import BREAK, LINK, NOTE, REFERENCES, TOGGLES
from archive.extract.nesting import Nesting
from archive.extract.tables import data_rows, link_characters, table_text
from archive.extract.tags import BLOCKS, HEADINGS
from archive.extract.text import Image
from archive.extract.written import Markup, Targets, Written, paragraph
from archive.limits import FIELD_CHARACTERS

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
_MAX_EMOJI = 8
"""Characters up to which the `alt` of a picture can be the emoji that the picture shows."""


def blocks_of(element: HtmlElement, *, dropped: Collection[HtmlElement], url: str = "") -> list[Block]:
    """The blocks of an element in document order, without the elements in `dropped`.

    `url` is the base of the relative URLs of videos and pictures.
    """
    walk = _Walk(dropped, url)
    walk.through(element)
    return walk.blocks


@dataclass(slots=True)
class _Walk:
    """One walk through an element, depth first."""

    dropped: Collection[HtmlElement]
    url: str
    blocks: list[Block] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    images: list[tuple[HtmlElement, str]] = field(default_factory=list)
    """Pictures in the open block, and their addresses."""
    targets: Targets = field(init=False)
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
    captioned: set[HtmlElement] = field(default_factory=set)
    """Open elements that are captions."""
    nesting: Nesting = field(default_factory=Nesting)

    def __post_init__(self) -> None:
        self.targets = Targets(self.url)

    def through(self, root: HtmlElement) -> None:
        self.open.append(root)
        at, entered = root, self._enter(root)
        while True:
            if entered and len(at):
                at = at[0]
                entered = self._enter(at)
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
        if tag not in BLOCKS and boilerplate.names_caption(element):
            self._flush()
            self._caption(element, is_own=False)
        self._text(element.text)
        return True

    def _open(self, element: HtmlElement) -> None:
        tag = element.tag
        self.open.append(element)
        if tag in HEADINGS:
            self.heading = int(tag[1])
        else:
            self.nesting.open(element)
        if boilerplate.names_caption(element):
            self._caption(element, is_own=captions.is_own(element))

    def _caption(self, element: HtmlElement, *, is_own: bool) -> None:
        self.captioned.add(element)
        self.captions += 1
        self.own_caption = is_own

    def _leave(self, element: HtmlElement) -> None:
        tag = element.tag
        is_block = tag in BLOCKS
        is_caption = bool(self.captioned) and element in self.captioned
        if is_caption and not is_block:
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
        elif is_block:
            self._flush()
            self.open.pop()
            if tag in HEADINGS:
                self.heading = 0
            else:
                self.nesting.close(tag)
            if is_caption:
                self.captions -= 1

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
            is_own_anchor = target.startswith("#") and self.heading  # of the heading itself
            self._mark_link(LINK + self.targets.add(element, "" if is_own_anchor else target))
        return False

    def _mark_link(self, mark: str) -> None:
        """Begin or end a link; code is a link rather than that a link is code, which Markdown does not know."""
        is_code = self.marks[markdown.CODE] and not self.heading
        self.parts += [markdown.CODE, mark, markdown.CODE] if is_code else [mark]

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
            shown = Image(url=target, alt=alt)
            self._add(BlockType.IMAGE, alt, partial(_shown, shown), element=element, image=shown)

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
        if target := embed_target(element, self.url):
            self._flush()
            label = (element.get("title") or "").strip() or f"{urlsplit(target).hostname}"
            self._add(BlockType.EMBED, target, partial(_played, label, target), element=element)
        return str(element.tag) != "embed"  # it is empty, but the parser does not know that

    def _preformatted(self, element: HtmlElement) -> bool:
        self._flush()
        code = "" if is_gutter(element) else source_code(element, self.dropped)
        if code:
            self._add(BlockType.CODE, code, partial(_fenced, code, element), element=element)
        return True

    def _table(self, element: HtmlElement) -> bool:
        if (code := listing(element)) is not None:
            self._flush()
            self._add(BlockType.CODE, code, partial(_fenced, code, element), element=element)
            return True
        rows = data_rows(element, self.dropped)
        if rows is None:
            return False
        self._flush()
        for caption in element.iterchildren("caption"):
            words = composed(collapsed("".join(caption.itertext())).strip())
            if words and caption not in self.dropped:
                self._add(None, words, partial(paragraph, words, self.targets, 0), element=caption)
        read = [[_cell(cell, self.dropped, self.url) for cell in row] for row in rows]
        cells = [row for row in read if any(cell.plain for cell in row)]
        if cells:
            self._add(
                BlockType.TABLE,
                table_text([[cell.plain for cell in row] for row in cells]),
                partial(_tabled, cells),
                linked=link_characters(element),
                element=element,
            )
        return True

    # -- text

    def _text(self, text: str | None) -> None:
        if text:
            self.parts.append(collapsed(text))

    def _flush(self) -> None:
        """End the open block."""
        if self.parts:
            text, self.parts = "".join(self.parts), []
            if not self.carried and text.isprintable():  # marks and line breaks are not
                self._plain_paragraph(single_spaced(text).strip(" "))
            else:
                for paragraph in _BLANK_LINES.split(text):
                    self._paragraph(paragraph)
        if self.images:
            self._images()

    def _plain_paragraph(self, text: str) -> None:
        """A paragraph of one line without marks."""
        if text:
            self._say(composed(text), text)

    def _paragraph(self, text: str) -> None:
        toggles = TOGGLES.findall(text)
        if toggles or self.carried:
            text = self._balanced(text, toggles)
        text = "\n".join(filter(None, (single_spaced(line).strip(" ") for line in text.split(BREAK))))
        bare = TOGGLES.sub("", text) if toggles or self.carried else text
        bare = single_spaced(bare).strip()
        if not bare:
            return
        linked = sum(len(part) - 1 for part in text.split(LINK)[1::2]) if LINK in text else 0
        words = REFERENCES.sub(r"[\1]", bare) if NOTE in bare else bare
        if "\n" in words:
            words = "\n".join(filter(None, map(str.strip, words.split("\n"))))
        self._say(composed(words), text, linked)

    def _say(self, words: str, text: str, linked: int = 0) -> None:
        """Add a block of words.

        Args:
            words: As plain text.
            text: With marks.
            linked: How many of its characters are links.
        """
        kind = None
        if self.heading:
            kind = BlockType.HEADING
        elif (self.captions and not self.own_caption) or boilerplate.wording().figure.match(words):
            kind = BlockType.CAPTION
        make = partial(paragraph, text, self.targets, self.heading)
        self._add(kind, words, make, linked=linked, caption=bool(self.captions))

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
        make: Callable[[], Markup],
        *,
        linked: int = 0,
        caption: bool = False,
        image: Image | None = None,
        element: HtmlElement | None = None,
    ) -> None:
        block = self.nesting.nested(kind, words, self.blocks[-1] if self.blocks else None)
        self.blocks.append(
            Block(
                type=block.type,
                plain=block.plain,
                written=Written(make, url=self.url, first=block.first, rest=block.rest),
                joint=block.joint,
                linked=linked,
                item=block.item,
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
        **dict.fromkeys(("iframe", "embed", "video", "audio", *PLAYERS), _embed),
        **dict.fromkeys(
            "style template input textarea canvas option head link meta map area applet noembed noframes frame frameset"  # noqa: SIM905
            " progress meter title rt rp".split(),
            _skip,
        ),
    }


def _parsed(markup: str) -> HtmlElement | None:
    try:
        return fragment_fromstring(markup, create_parent="math")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _shown(image: Image) -> Markup:
    return markdown.image(image.alt, image.url), ()


def _played(label: str, target: str) -> Markup:
    return markdown.link(label, target), ()


def _fenced(code: str, element: HtmlElement) -> Markup:
    return markdown.fenced(code, code_language(element)), ()


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a table."""

    plain: str
    blocks: Sequence[Block]

    @property
    def markdown(self) -> str:
        marked = " ".join(block.markdown.replace("\n", " ") for block in self.blocks)
        return SPACE.sub(" ", marked).strip()


def _tabled(rows: Sequence[Sequence[_Cell]]) -> Markup:
    links = tuple(link for row in rows for cell in row for link in links_in(cell.blocks))
    return markdown.table([[cell.markdown for cell in row] for row in rows]), links


def _cell(cell: HtmlElement, dropped: Collection[HtmlElement], url: str) -> _Cell:
    blocks = blocks_of(cell, dropped=dropped, url=url)
    plain = " ".join(block.plain for block in blocks if block.type not in (BlockType.EMBED, BlockType.IMAGE))
    return _Cell(SPACE.sub(" ", plain).strip(), blocks)
