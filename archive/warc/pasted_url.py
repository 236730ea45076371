"""What people paste where a URL is asked for, as URLs. No I/O."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

from archive.limits import URL_CHARACTERS

_SAFE = "!#$%&'()*+,/:;=?@[]~"
_PLAIN = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?(?:[/?][A-Za-z0-9/_~?=+%.-]*[A-Za-z0-9/=_~-])?")
"""A URL as programs write it, which has one reading."""
_LINE_END = re.compile(r"[\t\n\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LOOSE_SPACE = re.compile(r"(?<=[/:?&=#]) | (?=[/?&=#])")
_MARKDOWN = re.compile(r"\[[^\]]*\]\( ?<?([^ <>]+?)>?(?: [\"'].*)? ?\)")
_QUOTES = "\"'`“”„«»‘’‚‹›"  # noqa: RUF001  as people write
_CLOSING = {"<": ">", "(": ")", "[": "]", "{": "}"}
_VIEWER = re.compile(r"(?:view-source|feeds?|rss|pcast|itpc|webcals?|reader|url) ?: ?(?=[^ ])", re.IGNORECASE)
_READER_VIEW = re.compile(r"(?:about:reader|[a-z-]+://(?:reader|read-?view)[^?]*)\?", re.IGNORECASE)
_ENCODED = re.compile(r"(?:https?|view-source|feed)%(?:25)*3a", re.IGNORECASE)
_ENCODED_SPACE = r"(?:%(?:20|09|0[ad]|22|3[ce]|c2%a0))+"
_ENCODED_BEGIN, _ENCODED_END = (
    re.compile(_ENCODED_SPACE, re.IGNORECASE),
    re.compile(f"{_ENCODED_SPACE}$", re.IGNORECASE),
)
_SOLE = re.compile(r"https?:/+[^ <>\"]+", re.IGNORECASE)
_WEB = re.compile(r"(https?)[:;]?[/\\]+", re.IGNORECASE)
"""Scheme and slashes: browsers and proxies collapse two into one, and people forget the colon."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d{1,5}(?:[/?#]|$))", re.IGNORECASE)
_BARE = re.compile(r"(?://)?[^ /:\"]+\.[^ /:\".]{2,}(?::\d+)?/.*")
"""A host with a path, without a scheme."""
_AUTHORITY = re.compile(r"([^/?#\\]*)(.*)", re.DOTALL)
_HOST = re.compile(r"(?P<user>[^@]*@)?(?P<host>\[[0-9a-f:.]+\]|[^:@\[\]]+)(?P<port>:\d{0,5})?", re.IGNORECASE)
_LABELS = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_IN_AN_ARCHIVE = re.compile(
    # A time and a whole URL in a path: replay tools of all archives write addresses like this.
    r"(?:https?://[^/?#]*)?/(?:[^?#]*?/)?(?:(?P<stamp>\d{4,14})\*?(?:[a-z]{2}_)?|\*)/+(?P<url>https?(?::|%3a)/*.+)"
    r"|(?:https?://[^/?#]*)?/(?:web|post|text|replay|exchange|diff|download/[a-z]+)/+"
    r"(?:(?P<short>\d{1,14})(?:[a-z]{2}_)?/+)?(?P<own>https?(?::|%3a)/*.+)"
    r"|https?://web\.archive\.org/web/(?:(?P<wayback>\d{1,14})\*?(?:[a-z]{2}_)?|\*)/+(?P<bare>[^/].*)",
    re.IGNORECASE | re.DOTALL,
)
_PUNCTUATION = ".,;:!?'\"*_…’”»›。、，"  # noqa: RUF001  as people write
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}
_SHOWN = 80
_LAYERS = 5
"""Wrappings around a URL that are removed, one within the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A URL that a text may mean."""

    url: str
    """Absolute, http or https."""
    stamp: str = ""
    """Digits of the time in an archive's address."""


def readings(text: str) -> tuple[Reading, ...]:
    """The URLs that a text may mean, the most literal first and the likeliest last.

    They differ where punctuation at the end may belong to the sentence around it, and where the address is one of an
    archive, so that the archived URL is meant.

    Raises:
        ValueError: It is not the address of a web page; the message is one line.
    """
    if len(text) > 2 * URL_CHARACTERS:
        raise ValueError(f"the URL is longer than {URL_CHARACTERS} characters")
    if len(text) <= URL_CHARACTERS and _PLAIN.fullmatch(text) and not _IN_AN_ARCHIVE.fullmatch(text):
        return (Reading(url=text),)
    bare = _unwrapped(text)
    if " " in bare and not _WEB.match(bare) and len(said := set(_SOLE.findall(bare))) == 1:
        bare = said.pop()  # a title or a sentence with the URL
    if not bare:
        raise ValueError("the URL is missing")
    found = {one.url: one for written in _endings(bare) for one in _nested(written, text)}
    if any(len(url) > URL_CHARACTERS for url in found):
        raise ValueError(f"the URL is longer than {URL_CHARACTERS} characters")
    return tuple(found.values())


def is_address(text: str) -> bool:
    """Whether a text, such as a search query, is the address of a page and nothing else."""
    if len(text) > URL_CHARACTERS:
        return False
    bare = _unwrapped(text)
    if " " in bare or not (_WEB.match(bare) or _IN_AN_ARCHIVE.fullmatch(bare) or _BARE.fullmatch(bare)):
        return False
    try:
        return bool(readings(text))
    except ValueError:
        return False


def _unwrapped(text: str) -> str:
    """A text without what is around a URL: space, brackets, quotation marks, names of viewers, escapes."""
    lines = _LINE_END.split(_INVISIBLE.sub("", text))
    text = " ".join("".join(line.strip() for line in lines).split())
    for _ in range(_LAYERS):
        before = text
        text = _without_pair(_without_escaped_space(text))
        if found := _MARKDOWN.fullmatch(text):
            text = found[1]
        if _READER_VIEW.match(text) and (inner := parse_qs(text.partition("?")[2]).get("url")):
            text = inner[0]
        if found := _VIEWER.match(text):
            text = text[found.end() :]
        if _ENCODED.match(text):
            text = unquote(text)
        if text == before:
            break
    return _LOOSE_SPACE.sub("", text)


def _without_escaped_space(text: str) -> str:
    """A text without spaces, quotation marks and angle brackets at its ends that a browser escaped."""
    if found := _ENCODED_BEGIN.match(text[:_SHOWN]):
        text = text[found.end() :]
    if found := _ENCODED_END.search(text[-_SHOWN:]):
        text = text[: len(text) - len(found[0])]
    return text.strip()


def _without_pair(text: str) -> str:
    """A text without the quotation marks or brackets that it is in."""
    end = text.rstrip(f" {_PUNCTUATION}")
    if text[:1] and text[0] in _QUOTES:
        return text.strip(f"{_QUOTES} ").rstrip(f"{_QUOTES}{_PUNCTUATION} ")
    closing = _CLOSING.get(text[:1])
    if closing and end.endswith(closing) and not (closing == "]" and _HOST.match(text)):
        return end[1:-1].strip()
    return text


def _endings(text: str) -> Iterator[str]:
    """The text, and without punctuation or unmatched brackets at its end."""
    yield text
    short = text
    while short and (short[-1] in _PUNCTUATION or _unmatched(short)):
        short = short[:-1]
    if short and short != text:
        yield short
    if "&amp;" in short:
        yield html.unescape(short)


def _unmatched(text: str) -> bool:
    opening = _OPENING.get(text[-1])
    return opening is not None and text.count(opening) < text.count(text[-1])


def _nested(written: str, text: str) -> Iterator[Reading]:
    """The URL itself, then the one within it if it is an archive's address."""
    inner = _IN_AN_ARCHIVE.fullmatch(written) or _IN_AN_ARCHIVE.fullmatch(f"https://{written}")
    if not written.startswith("/"):
        yield Reading(url=_absolute(written, text))
    elif inner is None:
        yield Reading(url=_absolute(written.lstrip("/"), text))
    if inner:
        url = inner["url"] or inner["own"] or inner["bare"]
        stamp = inner["stamp"] or inner["short"] or inner["wayback"] or ""
        if _ENCODED.match(url):
            url = unquote(url)
        yield Reading(url=_absolute(url, text), stamp=stamp)


def _absolute(written: str, text: str) -> str:
    """A URL with scheme, host in its ASCII form, and escapes.

    Raises:
        ValueError: It is not the address of a web page.
    """
    if found := _WEB.match(written):
        scheme, rest = found[1].lower(), written[found.end() :]
    elif _SCHEME.match(written):
        raise ValueError(f"{_shown(text)}: not the address of a web page, which begins with http:// or https://")
    else:
        scheme, rest = "http", written.lstrip("/\\")
    parts = _AUTHORITY.match(rest)
    assert parts  # it matches any text
    authority = _HOST.fullmatch(unquote(parts[1]))
    if authority is None:
        raise ValueError(f"{_shown(text)}: not the address of a web page")
    host = _ascii(authority["host"])
    if host is None or ("." not in host and not authority["port"] and not _is_named(written, host)):
        raise ValueError(f"{_shown(text)}: not the address of a web page")
    port = authority["port"] or ""
    where = f"{quote(authority['user'] or '', safe=_SAFE)}{host}{port if port != ':' else ''}"
    return f"{scheme}://{where}{quote(parts[2].replace(chr(92), '/'), safe=_SAFE)}"


def _is_named(written: str, host: str) -> bool:
    """Whether a host without a dot was meant as one."""
    return _WEB.match(written) is not None or host.startswith("[") or host.lower() == "localhost"


def _ascii(host: str) -> str | None:
    """A host in the form that is sent to servers; None if it is not a host."""
    if host.startswith("["):
        return host.lower()
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return None
    return host.lower() if _LABELS.fullmatch(host) else None


def _shown(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
