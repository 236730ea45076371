"""The charset of a page: what it declares if its bytes agree, else what they are evidence of. No I/O.

The order is that of browsers (HTML §13.2.3.2): byte order mark, HTTP header, `<meta>`; then UTF-8 where the bytes are
UTF-8; then a detector. Unlike in browsers, a detector decides where header and `<meta>` contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import eq

from archive.limits import DETECTED_BYTES

DEFAULT = "cp1252"
"""If nothing is known: browsers read such pages as windows-1252."""

_SINGLE_BYTE = frozenset(
    {f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
    | {f"cp{page}" for page in (866, 874, *range(1250, 1259))}
    | {"koi8-r", "koi8-u", "mac-roman", "mac-cyrillic"}
)
_LATIN = frozenset(
    {"mac-roman", *(f"cp{page}" for page in (1250, 1252, 1254, 1257, 1258))}
    | {f"iso8859-{part}" for part in (2, 3, 4, 10, 13, 14, 15, 16)}
)
"""Charsets of the Latin script, in which any bytes are text."""
_MULTI_BYTE = frozenset({"gb18030", "big5hkscs", "euc_jp", "iso2022_jp", "cp932", "cp949"})
_KNOWN = _SINGLE_BYTE | _MULTI_BYTE | {"utf-8", "utf-16", "utf-16-le", "utf-16-be"}
"""The charsets of the Encoding Standard, by the names of Python's codecs."""
_RARE = frozenset({"cp1258", "mac-roman", "mac-cyrillic", *(f"iso8859-{part}" for part in (3, 10, 13, 14, 15, 16))})
"""Charsets that are confused with common ones more often than pages have them without declaring them."""
_AS_DETECTED = {
    **{name: name for name in (_SINGLE_BYTE | {"gb18030", "big5hkscs", "cp932", "cp949"}) - _RARE},
    "euc_jis_2004": "euc_jp",
    "euc_kr": "cp949",
    "iso2022_jp_2": "iso2022_jp",
    "shift_jis_2004": "cp932",
}
"""By the detector's names, the charsets that are recognized."""
_SURE = 8
"""Characters outside ASCII that are valid UTF-8: so many are not there by chance in any two-byte charset."""

_FEW = 4
_CONTEXT_BYTES = 200
"""Where there are so few bytes above 127, ASCII text that shows the language: beside English, a sole `»` or `©` is
Western. More of it would hide what the others are evidence of."""
_WIDE_HEAD = 512
"""Bytes in which UTF-16 is recognized by its zeros: a page begins with markup."""
_ESCAPE = b"\x1b$"
"""Begins two-byte characters in ISO-2022-JP, which has no byte above 127."""
_META = re.compile(rb"<meta\s[^<>]{0,500}>", re.IGNORECASE)
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_LETTER = re.compile(rb"[\xc0-\xff]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
_SKIPPED = re.compile(rb"!--|script(?=[\s/>])|style(?=[\s/>])|[a-z/!?]", re.IGNORECASE)
_ENDS = {b"!--": b"-->", b"script": b"</script", b"style": b"</style"}


def page_charset(body: bytes, content_type: str | None) -> tuple[str, int]:
    """The codec that reads a page, and the length of its byte order mark.

    Args:
        body: The page, without content coding.
        content_type: Its Content-Type header.
    """
    from w3lib.encoding import http_content_type_encoding, read_bom

    marked, mark = read_bom(body)
    if marked and mark:
        return marked, len(mark)
    if wide := _wide(body[:_WIDE_HEAD]):
        return wide, 0
    if body.isascii() and _ESCAPE not in body:
        return "utf-8", 0
    valid = _valid_utf8(body)
    fitting: list[str] = []
    for declared in (http_content_type_encoding(content_type), _in_markup(body)):
        if declared not in _KNOWN or declared.startswith("utf-16"):
            continue  # the page could not be read up to its declaration if that were UTF-16
        # Any bytes are text in a one-byte charset, but only UTF-8 looks like UTF-8.
        if valid >= (1 if declared in _SINGLE_BYTE else _SURE):
            return "utf-8", 0
        if declared not in fitting and fits(body, declared):
            fitting.append(declared)
    if fitting:
        return _closest(fitting, body) if len(fitting) > 1 else fitting[0], 0
    return ("utf-8" if not body.isascii() and fits(body, "utf-8") else detected(body)), 0


def _closest(charsets: list[str], body: bytes) -> str:
    """Of charsets that a page declares, the one in which it reads as in the detected one; the first if they are equal.

    A header is often the server's default, not what the page was written in.
    """
    sample = _sample(body)
    likely = sample.decode(detected(body), "replace")
    return max(charsets, key=lambda charset: sum(map(eq, sample.decode(charset, "replace"), likely)))


def _in_markup(body: bytes) -> str | None:
    """The codec of the charset that the page declares at its beginning, or else in the first `<meta>` that has one."""
    from w3lib.encoding import html_body_declared_encoding  # it reads the first 4,096 characters

    found = html_body_declared_encoding(body)
    if found is None:
        late = (element[0] for element in _META.finditer(body, 0, DETECTED_BYTES) if b"charset" in element[0].lower())
        found = next((codec for one in late if (codec := html_body_declared_encoding(one))), None)
    return found


def fits(body: bytes, codec: str) -> bool:
    """Whether bytes are text in a charset, apart from a few that are damaged."""
    text = body.decode(codec, "replace")
    bad = text.count("\ufffd")
    # Foreign bytes are often valid in other charsets, hardly ever in UTF-8.
    if codec == "utf-8":
        return 2 * bad <= _beyond_ascii(text)
    return (bad <= 1 or 20 * bad <= _beyond_ascii(text)) and not (codec in _LATIN and _is_other_script(body))


def _is_other_script(body: bytes) -> bool:
    """Whether most letters would be accented ones if the text were in a Latin script: in no language they are."""
    sample = _sample(body)
    high = len(_HIGH_LETTER.findall(sample))
    return high >= _SURE and high > len(_ASCII_LETTER.findall(sample))


def detected(body: bytes) -> str:
    """The likeliest charset of a page that does not declare one and is not UTF-8."""
    import chardet

    found = chardet.detect(
        _sample(body),
        max_bytes=DETECTED_BYTES + _CONTEXT_BYTES,
        compat_names=False,
        include_encodings=_AS_DETECTED,
        no_match_encoding=DEFAULT,
    )
    return _AS_DETECTED.get(found["encoding"] or DEFAULT, DEFAULT)


def _valid_utf8(body: bytes) -> int:
    """How many characters outside ASCII a page has as UTF-8; 0 if it is not UTF-8 throughout."""
    try:
        return _beyond_ascii(body.decode())
    except UnicodeDecodeError:
        return 0


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark, by the zeros beside the letters of its markup."""
    pairs = len(head) // 2
    for codec, high in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros = head[high::2].count(0)
        if pairs and zeros > pairs // 4 and head[1 - high :: 2].count(0) < zeros // 4:
            return codec
    return None


def _sample(body: bytes) -> bytes:
    """A page's text that is not ASCII; all of the page where escapes mark other characters."""
    if _ESCAPE in body:
        return body[:DETECTED_BYTES]
    high, low = bytearray(), bytearray()
    for part in _text(body):
        if _HIGH.search(part):
            high += part + b" "
            if len(high) > DETECTED_BYTES:
                break
        elif len(low) < _CONTEXT_BYTES:
            low += part.strip() + b" "
    sole = len(_HIGH.findall(high[:DETECTED_BYTES])) < _FEW
    return bytes(high[:DETECTED_BYTES] + (low[:_CONTEXT_BYTES] if sole else b"")) or body[:DETECTED_BYTES]


def _text(body: bytes) -> Iterator[bytes]:
    """What is between the tags of a page, without scripts and styles."""
    lower, begin, at = body.lower(), 0, 0
    while (tag := body.find(b"<", at)) >= 0:
        opened = _SKIPPED.match(body, tag + 1)
        if opened is None:
            at = tag + 1
            continue
        yield body[begin:tag]
        closing = _ENDS.get(opened[0].lower())
        end = lower.find(closing, opened.end()) if closing else tag
        end = body.find(b">", end) if end >= 0 else -1
        if end < 0:
            return
        begin = at = end + 1
    yield body[begin:]
