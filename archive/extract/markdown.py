"""Markdown for the parts of a block: CommonMark, with GitHub's tables, struck text and footnotes. No I/O.

While a page is read, inline markup is carried along as control characters, which no text of a page contains: bold text
stands between two `BOLD`. So plain text and Markdown come from one pass; `inline` writes the Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from archive.extract.characters import collapsed

BOLD, ITALIC, CODE, STRUCK, NOTE, LINK, BREAK = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x0b"
FIRST_TARGET, LAST_TARGET = 0xE000, 0xF8FF
"""Characters for private use, which stand for the target of a link: the first of them if it has none."""
TOGGLES = re.compile("[\x01-\x04]|\x06[\ue000-\uf8ff]?")
"""Marks that stand at the beginning and the end of a run. A link begins with `LINK` and the character of its target."""
LINKED = re.compile("\x06([\ue000-\uf8ff])([^\x06]*)\x06")
"""A link: the character of its target, and its words."""
REFERENCES = re.compile("\x05([^\x05]*)\x05")
"""Footnote references: their number between two `NOTE`."""
_SIGNS = {BOLD: "**", ITALIC: "*", CODE: "`", STRUCK: "~~"}
_SIGN = re.compile("[\x01-\x04]")
_NO_WORDS = re.compile("(?:[ \x01-\x04]|\x06[\ue000-\uf8ff]?)*")
_LINK_BEGIN, _LINK_END = re.compile("(\x06[\ue000-\uf8ff])( +)"), re.compile("(?<! )( ++)(\x06)(?![\ue000-\uf8ff])")
_PAIR = re.compile("|".join(f"{mark}[^{mark}]*{mark}" for mark in _SIGNS))
_SPACES = re.compile(" {2,}")
_STRUCTURE = re.compile(r"^(?=#{1,6}\s|[-+*>]\s|=+$|-+$)|^(\d{1,9})(?=[.)]\s)", re.MULTILINE)
"""What Markdown would read as structure at the beginning of a line."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = re.compile(r"`{3,}")
_MIN_FENCE = 3
_NO_BRACKETS = str.maketrans("[]\\<>", "()/  ")


def inline(text: str, address: Callable[[int], str] = lambda _: "") -> str:
    """A paragraph with marks as Markdown; what would be read as markup is escaped.

    Args:
        text: The paragraph.
        address: Gives where a link leads, by the number of its character; empty if it is to be left out.
    """
    if "<" in text:
        text = _TAG.sub("\\<", text)
    if text.isprintable():  # marks and line breaks are not
        return (text if text[:1].isalpha() else _escaped(text)).strip()
    if LINK in text:  # spaces go before a link and after it
        text = _LINK_END.sub(r"\2\1", _LINK_BEGIN.sub(r"\2\1", text))
    if _SIGN.search(text):
        text = _with_signs(text)
    if LINK in text:
        text = LINKED.sub(lambda found: _linked(found[2], address(number_of(found[1]))), text).replace(LINK, "")
        text = _SPACES.sub(" ", text)
    if not text[:1].isalpha() or "\n" in text:
        text = _escaped(text)
    if NOTE in text:
        text = REFERENCES.sub(r"[^\1]", text)
    return "  \n".join(filter(None, map(str.strip, text.split("\n")))) if "\n" in text else text.strip()


def _escaped(text: str) -> str:
    """Text in which no beginning of a line is structure."""
    return _STRUCTURE.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", text)


def _with_signs(text: str) -> str:
    for mark in _SIGNS:
        text = _without_empty_pairs(text, mark)
    for _ in _SIGNS:  # pairs nest
        text = _PAIR.sub(lambda found: _between_signs(found[0][0], found[0][1:-1]), text)
    return _SPACES.sub(" ", _SIGN.sub("", text))


def _without_empty_pairs(text: str, mark: str) -> str:
    """Text without pairs of a mark - the first and the second of them, the third and the fourth - around no words."""
    parts = text.split(mark)
    for at in range(1, len(parts) - 1, 2):
        if not _NO_WORDS.fullmatch(parts[at]):
            parts[at] = f"{mark}{parts[at]}{mark}"
    return "".join(parts)


def _between_signs(mark: str, text: str) -> str:
    bare = text.strip(" ")
    if not bare.strip():
        return text
    before, _, after = text.partition(bare)
    return f"{before}{_SIGNS[mark]}{bare}{_SIGNS[mark]}{after}"


def number_of(character: str) -> int:
    """The number of a link by its character."""
    return ord(character) - FIRST_TARGET


def _linked(words: str, target: str) -> str:
    if not target or not words.strip():
        return words
    return f"[{words if _is_balanced(words) else words.translate(_NO_BRACKETS)}](<{target}>)"


def _is_balanced(words: str) -> bool:
    """Whether each bracket that opens is closed, so that none ends the words of a link."""
    depth = 0
    for sign in words if "[" in words or "]" in words else "":
        depth += (sign == "[") - (sign == "]")
        if depth < 0:
            return False
    return depth == 0 and not words.endswith("\\")


def link(label: str, target: str) -> str:
    """A link; `target` is a quoted address."""
    return f"[{collapsed(label).translate(_NO_BRACKETS)}](<{target}>)"


def image(description: str, target: str) -> str:
    """A picture; `target` is a quoted address."""
    return "!" + link(description, target)


def fenced(code: str, language: str) -> str:
    """A fenced code block; the fence is longer than any run of backticks in the code."""
    fence = "`" * max(_MIN_FENCE, 1 + max((len(run) for run in _FENCE.findall(code)), default=0))
    return f"{fence}{language}\n{code}\n{fence}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is the header; short rows are filled up."""
    width = max(map(len, rows))
    lines = [_row(row, width) for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _row(cells: Sequence[str], width: int) -> str:
    padded = [cell.replace("|", "\\|") for cell in cells] + [""] * (width - len(cells))
    return "| " + " | ".join(padded) + " |"
