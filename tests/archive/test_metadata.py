"""What a page says of itself, and where it was read."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from lxml import html

from archive.extract.page_metadata import read
from archive.extract.pipeline import extract
from archive.extract.text import Entry, Facts

URL = "http://blog.example/posts/rope"
WORDS = "<p>" + "The rope was spliced again before the tide came in. " * 12 + "</p>"


def facts(head: str = "", body: str = "", *, url: str = URL, latest: datetime | None = None) -> Facts:
    page = f"<html lang='en'><head>{head}</head><body>{body}{WORDS}</body></html>"
    return read(html.fromstring(page), url=url, latest=latest)


def ld(**item: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps({'@context': 'https://schema.org', **item})}</script>"


def test_the_heading_wins_over_the_title_for_search_engines() -> None:
    said = facts(
        "<title>Splicing rope in 2024: the complete guide | Tarred Hands</title>"
        "<meta property='og:title' content='Splicing rope in 2024: the complete guide'>",
        "<h1>Splicing rope</h1>",
    )
    assert (said.title, said.sources["title"]) == ("Splicing rope", "page")


@pytest.mark.parametrize("title", ["Splicing rope | Tarred Hands", "Tarred Hands - Splicing rope"])
def test_the_name_of_the_site_is_cut_off_the_title(title: str) -> None:
    assert (
        facts(f"<title>{title}</title><meta property='og:site_name' content='Tarred Hands'>").title == "Splicing rope"
    )


@pytest.mark.parametrize(
    "head",
    [
        "<title>Tarred Hands | Splicing rope</title>",
        "<title>Splicing rope | Tarred Hands</title>",
        "<title>Splicing rope | Tarred Hands</title><meta property='og:site_name' content='Splicing rope'>",
        "<title>Tarred Hands | Splicing rope</title><meta property='og:title' content='Splicing rope'>",
    ],
)
def test_the_part_of_the_title_that_is_a_heading_is_not_the_site(head: str) -> None:
    for heading in ("<h1>Splicing rope</h1>", "<h1><a href='/'>Tarred Hands</a></h1><h2>Splicing rope</h2>"):
        found = facts(head, heading)
        assert (found.title, found.site) == ("Splicing rope", "Tarred Hands")


def test_the_part_of_the_title_that_the_host_is_named_after_is_the_site() -> None:
    found = facts("<title>Tarred Hands - Splicing rope</title>", url="http://www.tarredhands.example/rope")
    assert (found.title, found.site) == ("Splicing rope", "Tarred Hands")


def test_an_author_is_found_by_reference() -> None:
    graph = [
        {"@type": "BlogPosting", "author": {"@id": "#nora"}},
        {"@type": "Person", "@id": "#nora", "name": "Nora Whitfield"},
    ]
    said = facts(ld(**{"@graph": graph}))
    assert (said.author, said.sources["author"]) == ("Nora Whitfield", "json-ld")


def test_an_organisation_is_the_author_only_if_no_person_is_named() -> None:
    head = ld(**{"@type": "Article", "author": {"@type": "Organization", "name": "Harbour Trust"}})
    assert facts(head).author == "Harbour Trust"
    assert facts(head, "<span class='author'>Nora Whitfield</span>").author == "Nora Whitfield"


def test_a_login_or_the_site_is_the_author_only_if_nobody_else_is_named() -> None:
    head = "<meta name='author' content='webadmin'>"
    assert facts(head).author == "webadmin"
    assert facts(head, "<a rel='author'>Nora Whitfield</a>").author == "Nora Whitfield"


@pytest.mark.parametrize(
    "body",
    [
        "<div class='byline'>By Nora Whitfield on March 3, 2020</div>",
        "<div class='byline'>Von <b>Nora Whitfield</b> | 03.03.2020</div>",
        "<span class='author-name'>Written by Nora Whitfield, Staff Writer</span>",
        "<a rel='author' href='/'>View all posts by Nora Whitfield</a>",
        "<div class='meta'>Posted on March 3, 2020 by <a href='/'>Nora Whitfield</a> | 3 Comments</div>",
        "<p>By Nora Whitfield</p>",
        "<a href='/author/nora'>Nora Whitfield</a>",
    ],
)
def test_a_byline_gives_only_the_name(body: str) -> None:
    assert facts(body=body).author == "Nora Whitfield"


@pytest.mark.parametrize(
    "body", ["<p>By the time we came in it was dark.</p>", "<aside><span class='author'>Nora Whitfield</span></aside>"]
)
def test_other_lines_give_no_name(body: str) -> None:
    assert facts(body=body).author is None


def test_a_date_keeps_the_offset_that_the_page_states() -> None:
    said = facts(ld(**{"@type": "BlogPosting", "datePublished": "2020-03-03T23:30:00-05:00"}))
    assert isinstance(said.published, datetime)
    assert (said.published.isoformat(), said.sources["published"]) == ("2020-03-03T23:30:00-05:00", "json-ld")


def test_an_instant_in_utc_gives_way_to_the_same_one_with_the_authors_offset() -> None:
    head = ld(**{"@type": "BlogPosting", "datePublished": "2020-03-04T04:30:00Z"})
    said = facts(head, "<time datetime='2020-03-03T23:30:00-05:00'></time>")
    assert said.published is not None
    assert said.published.isoformat() == "2020-03-03T23:30:00-05:00"


def test_an_instant_in_utc_gives_way_to_the_next_day_in_the_url() -> None:
    head = ld(**{"@type": "BlogPosting", "datePublished": "2020-03-04T04:30:00Z"})
    assert facts(head, url="http://blog.example/2020/03/03/rope").published == date(2020, 3, 3)
    far = facts(head, url="http://blog.example/2020/02/03/rope").published
    assert far == datetime(2020, 3, 4, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    ["March 3, 2020", "3 March 2020", "3. März 2020", "3 de marzo de 2020", "3 mars 2020", "03.03.2020", "2020-03-03"],
)
def test_a_date_in_words_is_parsed(said: str) -> None:
    assert facts(body=f"<span class='entry-date'>Posted: {said}</span>").published == date(2020, 3, 3)


@pytest.mark.parametrize("said", ["2031-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_an_impossible_date_is_ignored(said: str) -> None:
    head = ld(**{"@type": "BlogPosting", "datePublished": said, "dateModified": said})
    found = facts(head, latest=datetime(2024, 1, 1, tzinfo=UTC))
    assert (found.published, found.modified) == (None, None)
    assert not {"published", "modified"} & set(found.sources)


def test_links_and_image_are_absolute_and_have_a_source() -> None:
    found = facts(
        "<link rel='canonical' href='/rope'><meta property='og:image' content='/rope.jpg'>",
        "<a rel='license' href='https://creativecommons.org/licenses/by/4.0/'>CC BY</a>",
    )
    assert (found.canonical, found.image) == ("http://blog.example/rope", "http://blog.example/rope.jpg")
    assert found.license == "https://creativecommons.org/licenses/by/4.0/"
    assert {name: found.sources[name] for name in ("canonical", "license", "image")} == {
        "canonical": "page",
        "license": "page",
        "image": "meta",
    }
    assert facts("<link rel='canonical' href='javascript:0'>").canonical is None


def test_a_text_records_what_came_from_the_feed() -> None:
    page = f"<html><head><title>Rope</title>{ld(**{'@type': 'BlogPosting', 'datePublished': '2020-03-03'})}</head><body><article>{WORDS * 3}"
    captured = datetime(2024, 1, 1, tzinfo=UTC)
    late = Entry(author="Nora Whitfield", published=captured + timedelta(days=3))
    text = extract(page.encode(), url=URL, date=captured, entry=late)
    assert (text.author, text.published) == ("Nora Whitfield", date(2020, 3, 3))
    assert (text.sources["author"], text.sources["published"]) == ("feed", "json-ld")
    assert text.fields()["sources"] == text.sources
    said = Entry(published=datetime(2020, 3, 4, 1, tzinfo=UTC))
    assert extract(page.encode(), url=URL, date=captured, entry=said).published == said.published
