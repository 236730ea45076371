"""A damaged byte costs its own letter; a feed that is in another charset than it says is read as what it is. No I/O."""

from __future__ import annotations

import pytest

from crawler.feeds import parse
from crawler.feeds.charset import in_utf8

URL = "http://blog.example/feed"
LETTERS = "Sch\u00f6ne Gr\u00fc\u00dfe \u2013 \u00e0 bient\u00f4t"
JAPANESE = "\u5ddd\u306e\u307b\u3068\u308a\u3067\u66f8\u3044\u305f\u65e5\u8a18"
RUSSIAN = "\u0417\u0430\u043f\u0438\u0441\u043a\u0438 \u0443 \u0440\u0435\u043a\u0438"


def feed(title: str, charset: str, declared: str | None, damage: bytes = b"") -> bytes:
    declaration = f"<?xml version='1.0' encoding='{declared}'?>" if declared else "<?xml version='1.0'?>"
    items = f"<item><guid>1</guid><title>{title}</title></item><item><guid>2</guid><description>cut here DAMAGE</description></item>"
    body = f"{declaration}<rss version='2.0'><channel><title>T</title>{items}</channel></rss>"
    return body.encode(charset).replace(b"DAMAGE", damage)


@pytest.mark.parametrize(
    "damage", [b"\xc3", b"\xe2\x80", b"\xff", b"\xfe\xff", b"\x80", b"\xf0\x9f\x98", b"\xe9", b"\xc0\xaf"]
)
@pytest.mark.parametrize("content_type", [None, "application/rss+xml; charset=UTF-8", "text/xml", "application/xml"])
def test_a_damaged_byte_in_utf8_costs_its_own_letter(damage: bytes, content_type: str | None) -> None:
    first, second = parse(feed(LETTERS, "utf-8", "utf-8", damage), url=URL, content_type=content_type).entries
    assert first.title == LETTERS
    assert second.summary is not None
    assert second.summary.startswith("cut here \N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("title", "charset", "damage"),
    [
        (JAPANESE, "shift_jis", b"\x81"),
        (JAPANESE, "euc_jp", b"\xff"),
        (JAPANESE, "gb18030", b"\xff"),
        (RUSSIAN, "koi8-r", b""),
        (RUSSIAN, "windows-1251", b"\x98"),
        ("caf\u00e9", "windows-1252", b"\x81"),
        (LETTERS, "utf-16", b"\x00\xdc"),
    ],
)
def test_a_damaged_byte_changes_no_declared_charset(title: str, charset: str, damage: bytes) -> None:
    first, second = parse(feed(title, charset, charset, damage), url=URL, content_type=None).entries
    assert first.title == title
    assert second.id == "2"


@pytest.mark.parametrize(
    ("charset", "declared", "content_type"),
    [
        ("utf-8", "iso-8859-1", None),
        ("utf-8", None, "text/xml; charset=iso-8859-1"),
        ("utf-8", "windows-1251", None),
        ("utf-8", "shift_jis", "application/xml; charset='us-ascii'"),
        ("windows-1252", "utf-8", None),
        ("windows-1252", "utf-8", "application/atom+xml; charset=utf-8"),
        ("windows-1252", None, None),
    ],
)
def test_a_charset_that_is_plainly_wrong_is_not_believed(
    charset: str, declared: str | None, content_type: str | None
) -> None:
    assert parse(feed(LETTERS, charset, declared), url=URL, content_type=content_type).entries[0].title == LETTERS


@pytest.mark.parametrize("content_type", ["text/xml; charset=windows-1251", "text/xml; charset=cp1251"])
def test_the_header_says_what_the_document_does_not(content_type: str) -> None:
    assert parse(feed(RUSSIAN, "cp1251", "utf-8"), url=URL, content_type=content_type).entries[0].title == RUSSIAN


@pytest.mark.parametrize(
    "name", ["rot13", "hex", "idna", "none-such", "utf-7", "unicode-escape", "undefined", "utf-16"]
)
def test_names_that_are_not_charsets_are_ignored(name: str) -> None:
    body = feed(LETTERS, "utf-8", name)
    assert parse(body, url=URL, content_type=f"text/xml; charset={name}").entries[0].title == LETTERS


def test_a_letter_that_is_cut_off_speaks_for_no_charset() -> None:
    """In a feed without other letters the cut one is a cut one; a whole one of Latin-1 is a letter."""
    assert in_utf8(b"<rss>half a \xc3</rss>", None).decode() == "<rss>half a \N{REPLACEMENT CHARACTER}</rss>"
    assert in_utf8(b"<rss>caf\xe9</rss>", None).decode() == "<rss>caf\u00e9</rss>"


def test_large_documents_are_judged_as_a_whole() -> None:
    body = b"<rss>" + "\u00e9".encode() * 3_000_000 + b"\xff</rss>"
    found = in_utf8(body, None)
    assert found.count("\u00e9".encode()) == 3_000_000
    assert found.endswith("\N{REPLACEMENT CHARACTER}</rss>".encode())
