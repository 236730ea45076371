"""Repair of broken feed documents, on their bytes, before a parser reads them. Pure, no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from html.entities import html5, name2codepoint

_HEAD_BYTES = 8_192
"""Entities are defined within this distance from a document's start."""
_PREFIXES = 50
"""Prefixes of namespaces that are declared for a document."""
NAMESPACES = {
    b"atom": b"http://www.w3.org/2005/Atom",
    b"content": b"http://purl.org/rss/1.0/modules/content/",
    b"dc": b"http://purl.org/dc/elements/1.1/",
    b"dcterms": b"http://purl.org/dc/terms/",
    b"feedburner": b"http://rssnamespace.org/feedburner/ext/1.0",
    b"itunes": b"http://www.itunes.com/dtds/podcast-1.0.dtd",
    b"media": b"http://search.yahoo.com/mrss/",
    b"rdf": b"http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    b"slash": b"http://purl.org/rss/1.0/modules/slash/",
    b"sy": b"http://purl.org/rss/1.0/modules/syndication/",
    b"thr": b"http://purl.org/syndication/thread/1.0",
    b"wfw": b"http://wellformedweb.org/CommentAPI/",
    b"xhtml": b"http://www.w3.org/1999/xhtml",
}
"""Namespaces of prefixes that feeds use without declaring them."""
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_REFERENCES = re.compile(rb"(?:&#(?:[xX][0-9a-fA-F]+|[0-9]+);?)+")
"""Consecutive character references: two of them may be the halves of a surrogate pair."""
_NO_CHARACTER = 0xFFFD
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_REFERENCE_DIGITS = 16
_LEAF_NAMES = ("title", "link", "guid", "pubDate", "id", "updated", "published")
_WHOLES = (b"item", b"entry", b"description", b"summary", b"content")
_LEAVES = tuple(
    (
        re.compile(rb"<%b(?:\s[^<>]*)?(?<!/)>" % name.encode(), re.IGNORECASE),
        re.compile(rb"</%b\s*>" % name.encode(), re.IGNORECASE),
    )
    for name in _LEAF_NAMES
)
_LEAF_MARKS = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<(?P<end>/?)(?P<name>%b)(?:\s[^<>]*)?(?<!/)>"
    % b"|".join([*(name.encode() for name in _LEAF_NAMES), *_WHOLES]),
    re.IGNORECASE | re.DOTALL,
)
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"
_UNBOUND = re.compile(rb"<(/?)rss:(?=[a-zA-Z])")
"""RSS elements under a prefix that some feeds use without declaring it."""
_CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""U+FFFE and U+FFFF in UTF-8, which XML forbids."""
_CONTROL_REFERENCE = re.compile(rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));")
_AMPERSAND = re.compile(rb"&(?!#[0-9]+;|#x[0-9a-fA-F]+;)([A-Za-z][A-Za-z0-9]{0,40};)?")
_PREDEFINED = frozenset({b"lt;", b"gt;", b"amp;", b"quot;", b"apos;"})
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.-]+)")
_PREFIX = re.compile(rb"</?([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
_DECLARED_PREFIX = re.compile(rb"\sxmlns:([A-Za-z_][\w.-]*)\s*=")
_ROOT = re.compile(rb"<(?![!?])(?:[\w.-]+:)?[A-Za-z_][\w.-]*")
_TITLE = re.compile(rb"(<((?:[\w.-]+:)?title)(?:\s[^<>]*)?(?<!/)>)(.{0,2000}?)(</\2\s*>)", re.IGNORECASE | re.DOTALL)
_XHTML = re.compile(rb"""\stype\s*=\s*["']?(?:xhtml|application/xhtml)""", re.IGNORECASE)


def valid_references(body: bytes) -> bytes:
    """A document whose character references are all of characters."""
    return _REFERENCES.sub(_mended, body) if b"&#" in body else body


def repaired(body: bytes) -> bytes:
    """A document that is not well-formed, with fewer faults.

    Characters that XML forbids are removed; ampersands, HTML's entities and raw markup in titles are escaped; titles,
    links, ids and dates get their end tags; prefixes of namespaces are declared.
    """
    body = _CONTROL_REFERENCE.sub(b"", body.translate(None, _CONTROLS))
    for code in _NO_CHARACTERS:
        body = body.replace(code, b"")
    if b"xmlns:rss" not in body:
        body = _UNBOUND.sub(rb"<\1", body)
    defined = {*_PREDEFINED, *(name + b";" for name in _ENTITY.findall(body[:_HEAD_BYTES]))}
    body = _outside_cdata(body, lambda text: _AMPERSAND.sub(lambda found: _reference(found, defined), text))
    return _with_prefixes(_TITLE.sub(_escaped_title, _closed(body)))


def _outside_cdata(body: bytes, mend: Callable[[bytes], bytes]) -> bytes:
    """A document with all but its CDATA sections changed."""
    parts, at = [], 0
    while (start := body.find(_CDATA, at)) >= 0:
        end = body.find(_CDATA_END, start)
        end = end + len(_CDATA_END) if end >= 0 else len(body)
        parts += [mend(body[at:start]), body[start:end]]
        at = end
    return b"".join([*parts, mend(body[at:])])


def _reference(found: re.Match[bytes], defined: Collection[bytes]) -> bytes:
    """An ampersand and perhaps the name after it as XML: entities of HTML are characters, others are text."""
    name = found[1]
    if name in defined:
        return found[0]
    label = name.decode("ascii") if name else ""
    code = name2codepoint.get(label.rstrip(";"))  # what HTML 4 defined came to mean another character for a few names
    characters = chr(code) if code else html5.get(label)
    return b"".join(b"&#%d;" % ord(one) for one in characters) if characters else b"&amp;" + (name or b"")


def _escaped_title(found: re.Match[bytes]) -> bytes:
    """A title whose markup is raw, with it escaped."""
    start, _, inside, end = found.groups()
    if b"<" not in inside or _CDATA in inside or _XHTML.search(start):
        return found[0]
    return start + inside.replace(b"<", b"&lt;") + end


def _with_prefixes(body: bytes) -> bytes:
    """The document with all prefixes declared at its root, where names without a namespace are looked up too."""
    root = _ROOT.search(body)
    used = {prefix for pair in _PREFIX.findall(body) for prefix in pair if prefix} - {b"xml", b"xmlns"}
    missing = sorted(used.difference(_DECLARED_PREFIX.findall(body)))[:_PREFIXES]
    if not root or not missing:
        return body
    names = b"".join(b' xmlns:%b="%b"' % (one, NAMESPACES.get(one.lower(), b"urn:prefix:" + one)) for one in missing)
    return body[: root.end()] + names + body[root.end() :]


def _mended(references: re.Match[bytes]) -> bytes:
    """Consecutive character references made valid: a surrogate pair is its character, other invalid ones are U+FFFD."""
    codes = [_code(found[1], found[2]) for found in _REFERENCE.finditer(references[0])]
    if all(code is not None and code not in _SURROGATES for code in codes):
        return references[0]
    text = "".join(chr(_NO_CHARACTER if code is None else code) for code in codes)
    # UTF-16 joins surrogate pairs and finds unpaired ones.
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return b"".join(b"&#%d;" % ord(character) for character in text)


def _code(hexadecimal: bytes | None, decimal: bytes | None) -> int | None:
    """The code point of a character reference; None if it does not exist."""
    digits = hexadecimal or decimal or b""
    code = int(digits, 16 if hexadecimal else 10) if len(digits) <= _REFERENCE_DIGITS else _LAST_CHARACTER + 1
    return code if code <= _LAST_CHARACTER else None


def _closed(body: bytes) -> bytes:
    """The document with each title, link, id and date closed before the next element begins."""
    if not any(len(begin.findall(body)) > len(end.findall(body)) for begin, end in _LEAVES):
        return body
    parts, done, opened = [], 0, b""
    for mark in _LEAF_MARKS.finditer(body):
        name = mark["name"]
        if not name:  # a CDATA section
            continue
        if opened and not (mark["end"] and name.lower() == opened.lower()):
            parts += [body[done : mark.start()], b"</" + opened + b">"]
            done = mark.start()
        opened = b"" if mark["end"] or name.lower() in _WHOLES else name
    return b"".join([*parts, body[done:]])
