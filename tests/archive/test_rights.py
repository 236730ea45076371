"""What a publisher states of what others may do with a page, from the response to the search."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml.html import document_fromstring

from archive.extract import rights
from archive.extract.page_reading import read_page
from archive.extract.pipeline import extract
from archive.extract.right_words import marks
from archive.extract.text import Entry
from crawler.feeds import parse

URL = "https://blog.example/post"
PROSE = (
    "<p>The tide was out, and we walked over the flats to the old lighthouse, where nobody had lived for years.</p>" * 3
)
POST = "<html><head>{head}</head><body><article><h1>Tides</h1>" + PROSE + "</article></body></html>"


@pytest.mark.parametrize(
    ("head", "headers", "wanted"),
    [
        ("", {}, {}),
        ("<meta name='robots' content='index, follow'>", {}, {"robots": ["follow", "index"]}),
        ("<meta name='ROBOTS' content='NoArchive,noai'>", {}, {"robots": ["noai", "noarchive"]}),
        ("<meta name='ccbot' content='nofollow, noai'>", {}, {"robots": ["ccbot: noai", "ccbot: nofollow"]}),
        ("<meta name='description' content='noai, says the post'>", {}, {}),
        ("<meta name='keywords' content='follow'>", {}, {}),
        ("", {"X-Robots-Tag": "noarchive"}, {"robots": ["noarchive"]}),
        ("", {"x-robots-tag": "otherbot: noindex, nofollow"}, {"robots": ["otherbot: nofollow", "otherbot: noindex"]}),
        ("", {"x-robots-tag": "unavailable_after: 25 Jun 2030 15:00:00 PST, max-snippet: 3"}, {}),
        ("", {"x-robots-tag": "<script>, \x00, " + "a" * 90}, {}),
        ("", {"tdm-reservation": "1", "tdm-policy": "/tdm.json"}, {"tdm_reserved": True, "tdm_policy": "https://blog.example/tdm.json"}),
        ("<meta name='tdm-reservation' content='0'>", {}, {"tdm_reserved": False}),
        ("<meta name='tdm-reservation' content='0'>", {"TDM-Reservation": "1"}, {"tdm_reserved": True}),
        ("<meta name='tdm-reservation' content='perhaps'>", {}, {}),
        ("<meta name='tdm-policy' content='http://[oops'>", {}, {}),
    ],
)  # fmt: skip
def test_what_a_response_states(head: str, headers: dict[str, str], wanted: dict[str, object]) -> None:
    tree = document_fromstring(POST.format(head=head))
    assert rights.stated(tree, headers, URL) == wanted


def test_directives_are_limited() -> None:
    many = ",".join(f"no{'x' * (n % 30)}{n}" for n in range(5_000))
    assert len(rights.stated(document_fromstring("<p>x"), {"x-robots-tag": many}, URL)["robots"]) == 40  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "license_url", "wanted"),
    [
        ({}, None, ()),
        (None, "", ()),
        ({"robots": ["noai", "bot: noindex"], "tdm_reserved": True}, None, ("noai", "tdm-reserved")),
        ({"robots": "noai", "tdm_reserved": False}, "https://blog.example/terms", ("licensed",)),
        ({}, "https://creativecommons.org/licenses/by-sa/4.0/deed.de", ("licensed", "cc-by-sa-4.0")),
        ({}, "http://creativecommons.org/publicdomain/zero/1.0/", ("licensed", "cc0-1.0")),
        ({}, "https://creativecommons.example/licenses/by/4.0/", ("licensed",)),
        ({}, "http://[oops", ("licensed",)),
    ],
)
def test_words_to_search_by(said: object, license_url: object, wanted: tuple[str, ...]) -> None:
    assert marks(said, license_url) == wanted


def test_a_text_keeps_them_whichever_way_it_was_made() -> None:
    page = POST.format(head="<meta name='robots' content='noai'>").encode()
    sent = {"X-Robots-Tag": "noarchive"}
    wanted = {"robots": ["noai", "noarchive"]}
    read = read_page(page, url=URL, headers=sent)
    assert read.text is not None
    assert read.text.fields()["rights"] == extract(page, url=URL, headers=sent).fields()["rights"] == wanted
    assert "rights" not in extract(POST.format(head="").encode(), url=URL).fields()


@pytest.mark.parametrize(
    ("channel", "item", "wanted"),
    [
        ("", "", None),
        ("<cc:license>https://a.example/all</cc:license>", "", "https://a.example/all"),
        (
            "<cc:license>https://a.example/all</cc:license>",
            "<cc:license>https://a.example/one</cc:license>",
            "https://a.example/one",
        ),
    ],
)
def test_a_feed_states_the_licence(channel: str, item: str, wanted: str | None) -> None:
    space = "xmlns:cc='http://backend.userland.com/creativeCommonsRssModule'"
    feed = f"<rss version='2.0' {space}><channel><title>B</title>{channel}<item><link>{URL}</link>{item}</item></channel></rss>"
    parsed = parse(feed.encode(), url="https://blog.example/feed", content_type=None)
    assert parsed.entries[0].license == wanted


def test_an_atom_entry_states_it_as_a_link() -> None:
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>B</title><entry><title>P</title><link href='{URL}'/><link rel='license' href='/by'/></entry></feed>"
    parsed = parse(feed.encode(), url="https://blog.example/feed", content_type=None)
    assert parsed.entries[0].license == "https://blog.example/by"


def test_the_page_states_it_before_the_feed() -> None:
    entry = Entry(title="Tides", license="https://a.example/feed", published=datetime(2026, 1, 1, tzinfo=UTC))
    own = POST.format(head="<link rel='license' href='/page'>").encode()
    assert extract(own, url=URL, entry=entry).license == "https://blog.example/page"
    of_feed = extract(POST.format(head="").encode(), url=URL, entry=entry)
    assert (of_feed.license, of_feed.sources["license"]) == ("https://a.example/feed", "feed")
