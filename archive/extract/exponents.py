"""Superscripts and subscripts as plain text, so that ten to the sixth does not become one hundred and six. No I/O."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

_SIGN = "[+\N{MINUS SIGN}\N{EN DASH}-]"
_TERM = rf"(?:{_SIGN}?(?:\d+(?:[.,/]\d+)?[a-z]?|[nxkijmpqyzTN]))"
_EXPONENT = re.compile(rf"{_TERM}(?:\s*(?:{_SIGN}|[\N{{MIDDLE DOT}}*/^])\s*(?:\d+|[a-zA-Z]))*")
"""A part of a number or formula, and not of a word: not `1st`, `Mme` or `TM`."""
_INDEX = re.compile(rf"{_EXPONENT.pattern}|[a-zA-Z](?:,\s?[a-zA-Z\d])+|max|min|ref|eff|tot|out|in|[a-z]")
_SIMPLE = re.compile(rf"{_SIGN}?\w+")
_SLASHES = ("/", "\N{FRACTION SLASH}")


def superscript(element: HtmlElement, before: str) -> str | None:
    """A `sup` as plain text, after the character `before`; None if it is read as any other text."""
    said = "".join(element.itertext()).strip()
    following = element.getnext()
    if following is not None and following.tag == "sub" and (element.tail or "").strip() in _SLASHES:
        return f" {said}" if before.isalnum() else said  # a fraction: 3 1/2
    if not before or before.isspace() or not _EXPONENT.fullmatch(said):
        return None
    return f"^{_grouped(said)}"


def subscript(element: HtmlElement, before: str) -> str | None:
    """A `sub` as plain text; None if it is read as any other text: `H2O` is usual, and `log28` is wrong."""
    said, after = "".join(element.itertext()).strip(), (element.tail or "")[:1]
    if (said.isdecimal() and not after.isdigit()) or not before.isalnum() or not _INDEX.fullmatch(said):
        return None
    return f"_{_grouped(said)}{' ' if after.isalnum() else ''}"


def _grouped(said: str) -> str:
    return said if _SIMPLE.fullmatch(said) else f"({said})"
