"""The charset of a feed document: the declared one, unless the document as a whole is plainly in another. No I/O.

A damaged byte costs the letter it stands for and does not change the charset of all others.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from w3lib.encoding import http_content_type_encoding, resolve_encoding

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""First bytes of documents in wide charsets, UTF-16 and UTF-32 (XML 1.0 appendix F); longer ones first."""
_WIDE = re.compile(r"utf-?_?(?:16|32)|(?:iso-10646-)?ucs-?[24]|csucs4|csunicode|u16|u32", re.IGNORECASE)
_DECLARED = re.compile(rb"""^\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']\s*([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"^\s*<\?xml\b[^>]{0,400}>", re.IGNORECASE)
_NOT_CHARSETS = frozenset({"base64", "bz2", "hex", "idna", "mbcs", "oem", "palmos", "punycode", "quopri",
                           "raw-unicode-escape", "rot13", "undefined", "unicode-escape", "uu", "zlib"})  # fmt: skip
"""Codecs of Python that no document is written in."""
_UTF8 = "utf-8"
_FALLBACK = "cp1252"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_PIECE = 1 << 20
_LETTERS = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""A letter in UTF-8 that is not ASCII (RFC 3629 §4)."""
_CUT = re.compile(
    rb"[\xe0-\xef][\x80-\xbf](?![\x80-\xff])|[\xf0-\xf4][\x80-\xbf]{1,2}(?![\x80-\xff])"
    rb"|(?<=[a-z\s])[\xc2-\xde](?![\x80-\xffA-Za-z])"
)
"""The beginning of a letter in UTF-8 without its end, as left by cutting a text to a number of bytes."""
_HIGH = re.compile(rb"[\x80-\xff]")
_DAMAGE = 0.1
"""Damaged places for each letter that is not ASCII, up to which a charset is believed: a wrong one fails at most."""


def in_utf8(body: bytes, content_type: str | None) -> bytes:
    """A document in valid UTF-8, without byte order mark and without its XML declaration.

    Candidates are, in this order: byte order mark, HTTP header, XML declaration (RFC 7303 §3), UTF-8; the first one
    that fits is taken, unless the letters are UTF-8's.
    """
    wide = next((name for start, name in _BOMS if body.startswith(start)), None)
    if wide is not None:
        return _bare(body.decode(wide, "replace").encode("utf-8", "replace"))
    if body.startswith(codecs.BOM_UTF8):
        charset = _UTF8
        body = body[len(codecs.BOM_UTF8) :]
    else:
        charset = _chosen(body, list(_declared(body, content_type)))
    if charset == _UTF8 and _is_utf8(body):
        return _bare(body)
    return _bare(b"".join(part.encode("utf-8", "replace") for part in _decoded(body, charset)))


def _bare(body: bytes) -> bytes:
    return _DECLARATION.sub(b"", body.removeprefix(codecs.BOM_UTF8), count=1)


def _chosen(body: bytes, declared: list[str]) -> str:
    """The charset that fits a document."""
    if body.isascii():  # escape sequences make letters of ASCII bytes
        return next((name for name in declared if name.startswith("iso2022")), _UTF8)
    damaged, letters = (0, 1) if _is_utf8(body) else _damage_of_utf8(body)
    if 2 * damaged <= letters > 0:
        return _UTF8  # whatever is declared: letters of other charsets are not letters in UTF-8
    for name in dict.fromkeys((*declared, _UTF8)):
        if name == _UTF8:
            fits = damaged <= letters
        else:
            errors, others = _damage(body, name)
            fits = errors <= max(1, others * _DAMAGE)
        if fits:
            return name
    return _FALLBACK


def _declared(body: bytes, content_type: str | None) -> Iterator[str]:
    """The charsets that the header and the document name, if they exist."""
    stated = http_content_type_encoding(content_type.replace("'", '"')) if content_type else None
    if stated:
        yield stated
    if (found := _DECLARED.match(body)) and (name := _charset(found[1].decode("ascii"))):
        yield name


def _charset(label: str) -> str | None:
    """Python's name of a charset that extends ASCII; None if there is none with this label."""
    if _WIDE.fullmatch(label):
        return None  # the document would begin with other bytes
    name = resolve_encoding(label)
    return None if name is None or name.replace("_", "-") in _NOT_CHARSETS else name


def _is_utf8(body: bytes) -> bool:
    try:
        for _ in _decoded(body, _UTF8, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _decoded(body: bytes, charset: str, errors: str = "replace") -> Iterator[str]:
    """The document's characters, in parts: as a whole they may take four times the memory of its bytes."""
    decoder = codecs.getincrementaldecoder(charset)(errors)
    for at in range(0, len(body), _PIECE):
        yield decoder.decode(body[at : at + _PIECE])
    yield decoder.decode(b"", final=True)


def _damage(body: bytes, charset: str) -> tuple[int, int]:
    """The number of places that cannot be decoded, and of characters that are not ASCII."""
    damaged = letters = 0
    for part in _decoded(body, charset):
        damaged += part.count(_REPLACEMENT)
        letters += len(_NOT_ASCII.findall(part))
    return damaged, letters


def _damage_of_utf8(body: bytes) -> tuple[int, int]:
    """As `_damage`, for UTF-8: cut letters do not count as damage, as nothing else looks like them."""
    damaged = letters = 0
    for at in range(0, len(body), _PIECE):
        rest, found = _LETTERS.subn(b"", body[at : at + _PIECE])
        damaged += len(_HIGH.findall(_CUT.sub(b"", rest)))
        letters += found
    return damaged, letters
