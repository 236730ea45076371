"""Which `<` of a title begin markup, in every way that feeds escape titles. No I/O."""

from __future__ import annotations

from html import escape

import pytest

from crawler.feeds import parse
from crawler.feeds.fields import plain
from crawler.feeds.titles import as_markup

URL = "http://blog.example/feed"
TEXTS = (
    "Vec<T> and Option<Box<T>>", "a < b", "a<b", "I <3 this", "x > y < z", "<3", "the <title> element", "<script> tags",
    "List<I> or Vec<A>", "std::map<int, char>", "Foo<'a>", "when 1 << 2", "<<EOF", "</div> too many", "<html> & <body>",
    "C++ #include <vector>", "R&D < Q&A", "<unknown>x</unknown>", "the <img> element",
)  # fmt: skip
MARKUP = (
    ("<b>Bold</b> move", "Bold move"), ("On <em>Vec<T></em>", "On Vec<T>"), ("one<br>two", "one two"),
    ("one<br/>two", "one two"), ("H<sub>2</sub>O", "H2O"), ("<a href='/x'>link</a> <3", "link <3"),
    ("<I>Upper</I> case", "Upper case"), ("<code>a < b</code>", "a < b"), ("Fish &amp; <b>chips</b>", "Fish & chips"),
)  # fmt: skip


def rss_title(inside: str) -> tuple[str | None, str | None]:
    body = f"<rss version='2.0'><channel><title>T</title><item><title>{inside}</title></item><item><guid>2</guid></item></channel></rss>"
    first, second = parse(body.encode(), url=URL, content_type=None).entries
    assert second.id == "2"
    return first.title, first.words


def atom_title(inside: str, kind: str) -> tuple[str | None, str | None]:
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title><entry><id>1</id><title{kind}>{inside}</title></entry></feed>"
    (entry,) = parse(body.encode(), url=URL, content_type=None).entries
    return entry.title, entry.words


@pytest.mark.parametrize("text", TEXTS)
def test_text_of_a_title_is_kept_however_it_is_escaped(text: str) -> None:
    once = escape(text, quote=False)
    twice = escape(once, quote=False)
    for found in (
        rss_title(once),
        rss_title(twice),
        rss_title(f"<![CDATA[{text}]]>"),
        rss_title(f"<![CDATA[{once}]]>"),
    ):
        assert found[1] == text
        assert plain(found[0]) == text
    assert atom_title(once, "")[1] == text
    assert atom_title(once, " type='text'")[1] == text
    assert atom_title(once, " type='html'")[1] == text
    assert atom_title(twice, " type='html'")[1] == text
    assert atom_title(f"<div xmlns='http://www.w3.org/1999/xhtml'>{once}</div>", " type='xhtml'")[1] == text


@pytest.mark.parametrize("text", ["Vec<T> of a", "a < b", "I <3 this", "a & b", "the <canvas> element"])
def test_text_of_a_title_is_kept_if_nobody_escaped_it(text: str) -> None:
    assert rss_title(text)[1] == text


@pytest.mark.parametrize(("markup", "words"), MARKUP)
def test_markup_of_a_title_stays_markup(markup: str, words: str) -> None:
    assert rss_title(escape(markup, quote=False))[1] == words
    assert rss_title(f"<![CDATA[{markup}]]>")[1] == words
    assert atom_title(escape(markup, quote=False), " type='html'")[1] == words


def test_a_title_that_is_html_may_begin_with_a_tag_without_a_partner() -> None:
    assert plain(as_markup("<p>Said", is_html=True)) == "Said"
    assert plain(as_markup("<p>Said")) == "<p>Said"


def test_what_is_markup_already_does_not_change() -> None:
    for markup, _ in MARKUP:
        once = as_markup(markup)
        assert as_markup(once) == once
    for text in TEXTS:
        assert "<" not in as_markup(text)


def test_the_feeds_own_title_is_read_alike() -> None:
    body = b"<rss version='2.0'><channel><title>On Vec&lt;T&gt;</title><item><guid>1</guid></item></channel></rss>"
    feed = parse(body, url=URL, content_type=None).feed
    assert (feed.title, feed.words) == ("On Vec&lt;T&gt;", "On Vec<T>")


@pytest.mark.parametrize("part", ["<b>", "<b", "</b>", "<b><i></b>", "<!--", "< "])
def test_long_titles_take_one_pass(part: str) -> None:
    as_markup(part * (1_000_000 // len(part)))
