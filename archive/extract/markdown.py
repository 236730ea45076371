"""Markdown for the parts of a block: CommonMark, with GitHub's tables, struck text and footnotes. No I/O.

While a page is read, inline markup is carried along as control characters, which no text of a page contains: bold text
stands between two `BOLD`. So plain text and Markdown come from one pass; `inline` writes the Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from archive.extract.characters import collapsed
from archive.extract.links import joined

BOLD, ITALIC, CODE, STRUCK, NOTE, LINK, BREAK = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06", "\x0b"
TOGGLES = re.compile("[\x01-\x04\x06]")
"""Marks that stand at the beginning and the end of a run."""
REFERENCES = re.compile("\x05([^\x05]*)\x05")
"""Footnote references: their number between two `NOTE`."""
_SIGNS = {BOLD: "**", ITALIC: "*", CODE: "`", STRUCK: "~~"}
_SIGN = re.compile("[\x01-\x04]")
_EMPTY_PAIR = re.compile("([\x01-\x04])([ \x06]*)\\1")
_PAIR = re.compile("|".join(f"{mark}[^{mark}]*{mark}" for mark in _SIGNS))
_SPACES = re.compile(" {2,}")
_STRUCTURE = re.compile(r"^(?=#{1,6}\s|[-+*>]\s|=+$|-+$)|^(\d{1,9})(?=[.)]\s)", re.MULTILINE)
"""What Markdown would read as structure at the beginning of a line."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = re.compile(r"`{3,}")
_MIN_FENCE = 3
_NO_BRACKETS = str.maketrans("[]\\<>", "()/  ")
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
_MAX_URL = 2_000


def inline(text: str) -> str:
    """A paragraph with marks as Markdown; what would be read as markup is escaped."""
    text = text.replace(LINK, "")
    if "<" in text:
        text = _TAG.sub("\\<", text)
    if _SIGN.search(text):
        text = _with_signs(text)
    if not text[:1].isalpha() or "\n" in text:
        text = _STRUCTURE.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", text)
    if NOTE in text:
        text = REFERENCES.sub(r"[^\1]", text)
    return "  \n".join(filter(None, map(str.strip, text.split("\n")))) if "\n" in text else text.strip()


def _with_signs(text: str) -> str:
    before = None
    while before != text:
        before, text = text, _EMPTY_PAIR.sub(r"\2", text)
    for _ in _SIGNS:  # pairs nest
        text = _PAIR.sub(lambda found: _between_signs(found[0][0], found[0][1:-1]), text)
    return _SPACES.sub(" ", _SIGN.sub("", text))


def _between_signs(mark: str, text: str) -> str:
    bare = text.strip(" ")
    if not bare.strip():
        return text
    before, _, after = text.partition(bare)
    return f"{before}{_SIGNS[mark]}{bare}{_SIGNS[mark]}{after}"


def link(label: str, target: str) -> str:
    """A link; `target` as `link_target` gives it."""
    return f"[{collapsed(label).translate(_NO_BRACKETS)}](<{target}>)"


def image(description: str, target: str) -> str:
    """A picture; `target` as `link_target` gives it."""
    return "!" + link(description, target)


def link_target(base: str, source: str) -> str:
    """The absolute web address in an attribute, quoted for Markdown; empty if it is not one."""
    target = joined(base, source)
    try:
        parts = urlsplit(target or "")
        if target is None or parts.scheme not in ("http", "https") or not parts.hostname or len(target) > _MAX_URL:
            return ""
    except ValueError:
        return ""
    return quote(target, safe=_URL_SAFE)


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
