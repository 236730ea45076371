"""Formulas in Presentation MathML (MathML Core) as one line of text, such as `a/b`, `v^2` or `√(x+1)`. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from lxml.html import HtmlElement

from archive.extract.characters import collapsed

_HIDDEN = frozenset({"annotation", "annotation-xml", "mphantom"})
_MAX_DEPTH = 60
"""Elements within each other; what is nested deeper is read as text."""
_INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064")
"""Operators that are not written: function application, times, separator, plus."""


def linear(element: HtmlElement, depth: int = 0) -> str:
    """A MathML element as one line of text."""
    if depth > _MAX_DEPTH:
        return collapsed("".join(element.itertext())).strip()
    tag = str(element.tag).rpartition(":")[2].lower()
    parts = [child for child in element if isinstance(child.tag, str)]
    shown = [linear(child, depth + 1) for child in parts if child.tag not in _HIDDEN]
    if not parts:
        return _token(tag, element.text)
    if tag in _SCHEMES and len(shown) == len(_SCHEMES[tag]):
        signs = _SCHEMES[tag]
        return "".join(sign + _grouped(part) for sign, part in zip(signs, shown, strict=True))
    if tag == "mroot" and len(shown) > 1:
        return f"{_grouped(shown[1])}√{_grouped(shown[0])}"
    return _row(tag, shown)


_SPACED = "=<>≤≥≠≈±+-·→⇒∈\N{MINUS SIGN}\N{MULTIPLICATION SIGN}"
"""Operators with a space on each side."""
_SCHEMES = {
    "mfrac": ("", "/"),
    "msup": ("", "^"),
    "mover": ("", "^"),
    "msub": ("", "_"),
    "munder": ("", "_"),
    "msubsup": ("", "_", "^"),
    "munderover": ("", "_", "^"),
}
"""What is written before each part of an element with parts."""


def _row(tag: str, parts: Sequence[str]) -> str:
    if tag == "msqrt":
        return f"√({''.join(parts)})"
    if tag == "mfenced":
        return f"({', '.join(parts)})"
    if tag == "mtable":
        return f"[{'; '.join(parts)}]"
    if tag == "mtr":
        return ", ".join(parts)
    return "".join(parts)


def _token(tag: str, text: str | None) -> str:
    said = collapsed(text or "").strip().translate(_INVISIBLE)
    if tag == "mtext":
        return f" {said} " if said else " "
    if tag == "mo" and said and (said in _SPACED or said.isalpha()):
        return f" {said} "
    return said


def _grouped(part: str) -> str:
    """A part in parentheses, unless it is one name or number or has them already."""
    bare = " ".join(part.split())
    if len(bare) < 2 or bare.isalnum() or bare.replace(".", "", 1).isdecimal():  # noqa: PLR2004  a sign of its own
        return bare
    return bare if bare[0] == "(" and bare.find(")") == len(bare) - 1 else f"({bare})"
