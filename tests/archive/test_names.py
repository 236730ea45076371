"""The names of people in bylines, and in JSON-LD as sites write it."""

from __future__ import annotations

import pytest
from lxml import html

from archive.extract.json_ld import items
from archive.extract.names import people
from archive.extract.page_metadata import read

ANN = ["Ann Weir"]
BOTH = ["Ann Weir", "Tom Hale"]


@pytest.mark.parametrize(
    ("byline", "language"),
    [
        ("Ann Weir 2 hours ago", "en"),
        ("Ann Weir an hour ago", "en"),
        ("Ann Weir vor 12 Stunden", "de"),
        ("Ann Weir Vor 3 Tagen", "de"),
        ("Ann Weir před 2 hodinami", "cs"),
        ("Ann Weir il y a 3 jours", "fr"),
        ("2 hours ago by Ann Weir", "en"),
        ("Posted by Ann Weir at 9:14 PM", "en"),
        ("Ann Weir Yesterday at 9:14 PM", "en"),
        ("Publicado por Ann Weir às 9:14", "pt"),
        ("Ann Weir 28 février 2024", "fr"),
        ("May 4, 2024 by Ann Weir", "en"),
        ("Ann Weir Saturday, 4 May 2024", "en"),
        ("Ann Weir 5 minute Read", "en"),
        ("Ann Weir in Valve", "en"),
        ("Ann Weir (@annweir)", "en"),
        ("Kirjoittaja: Ann Weir", "fi"),
    ],
)
def test_what_stands_around_a_name_is_not_part_of_it(byline: str, language: str) -> None:
    assert people(byline, language=language, is_byline=True) == ANN


@pytest.mark.parametrize(
    ("byline", "language"),
    [
        ("By Ann Weir and Tom Hale", "en"),
        ("Ann Weir & Tom Hale", ""),
        ("Von Ann Weir und Tom Hale", "de"),
        ("Ann Weir e Tom Hale", "pt"),
        ("Ann Weir; Tom Hale", ""),
        ("Ann Weir,Tom Hale", ""),
        ("By Ann Weir, Tom Hale", "en"),
    ],
)
def test_two_names_are_two_people(byline: str, language: str) -> None:
    assert people(byline, language=language, is_byline=True) == BOTH


def test_a_list_of_three_is_three_people() -> None:
    for byline in (
        "By Ann Weir, Tom Hale, and Jo Lane",
        "Ann Weir and Tom Hale and Jo Lane",
        "Ann Weir, Tom Hale, Jo Lane",
    ):
        assert people(byline, is_byline=True) == [*BOTH, "Jo Lane"]
    assert people("José Ortega y Gasset y Ann Weir", language="es") == ["José Ortega y Gasset", "Ann Weir"]


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("Bread and Butter", "en"),
        ("Santiago Ramón y Cajal", "es"),
        ("Ludwig van Beethoven", "nl"),
        ("Department of Health and Human Services", "en"),
        ("Human in the Loop", "en"),
        ("Robert May", "en"),
        ("bell hooks", "en"),
        ("Ann Weir, London", "en"),
    ],
)
def test_a_name_is_kept_whole(name: str, language: str) -> None:
    assert people(name, language=language, is_byline=True) == [name]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("28 février 2024", "fr"),
        ("mardi 28 février", "fr"),
        ("2 hours ago", "en"),
        ("yesterday", "en"),
        ("Updated 5 May 2024", "en"),
        ("4. toukokuuta 2024", "fi"),
        ("Artikel von:", "de"),
    ],
)
def test_a_date_is_nobody(text: str, language: str) -> None:
    assert people(text, language=language, is_byline=True) == []


def author(head: str = "", body: str = "") -> str | None:
    words = "<p>" + "The rope was spliced again before the tide came in. " * 12 + "</p>"
    page = f"<html lang='en'><head>{head}</head><body>{body}{words}</body></html>"
    return read(html.fromstring(page), url="http://blog.example/rope", latest=None).author


def test_links_to_authors_in_one_byline_are_their_names() -> None:
    links = "<a href='/author/ann'>Ann Weir</a> <a href='/author/tom'>Tom Hale</a>"
    assert author(body=f"<div class='byline'>{links}, with much help</div>") == "Ann Weir; Tom Hale"


@pytest.mark.parametrize(
    "linked_data",
    [
        '{"@type": "BlogPosting", "author": ["Ann Weir", "Tom Hale"]}',
        '{"@type": "BlogPosting", "author": "Ann Weir and Tom Hale"}',
        '{"@type": "BlogPosting", "author": {"@list": [{"name": "Ann Weir"}, {"name": {"@value": "Tom Hale"}}]}}',
        '{"@type": "BlogPosting", "author": [{"givenName": "Ann", "familyName": "Weir"}, {"name": ["Tom Hale"]}]}',
        '[[{"@type": ["Thing", "BlogPosting"], "author": [{"name": "Ann Weir"}, "Tom Hale"]}]]',
        '{"@graph": {"@type": "schema:BlogPosting", "schema:author": ["Ann Weir", "Tom Hale"]}}',
        '{"@type": "WebPage", "mainEntity": {"@type": "http://schema.org/Article", "author": ["Ann Weir", "Tom Hale"]}}',
        '[{"@type": "Article", "author": ["#a", "#t"]}, {"@id": "#a", "name": "Ann Weir"}, {"@id": "#t", "name": "Tom Hale"}]',
        '{"@type": "BlogPosting", "author": ["Ann Weir", "Tom Hale",],}',
        '{"@type": "BlogPosting", /* two */ "author": ["Ann Weir", // she, and\n "Tom Hale"]}',
        '//<![CDATA[\n{"@type": "BlogPosting", "author": ["Ann Weir", "Tom Hale"]}\n//]]>',
        '{"@type": "WebSite", "name": "x"} {"@type": "BlogPosting", "author": ["Ann Weir", "Tom Hale"]};',
        "{&quot;@type&quot;: &quot;BlogPosting&quot;, &quot;author&quot;: [&quot;Ann Weir&quot;, &quot;Tom Hale&quot;]}",
    ],
)
def test_linked_data_is_read_in_any_clothes(linked_data: str) -> None:
    assert author(f"<script type='application/ld+json; charset=utf-8'>{linked_data}</script>") == "Ann Weir; Tom Hale"


def test_a_mark_in_a_string_is_no_comment_in_linked_data() -> None:
    linked_data = '{"@type": "BlogPosting", "url": "http://blog.example/a,}", "author": "Ann Weir",}'
    assert author(f"<script type='application/ld+json'>{linked_data}</script>") == "Ann Weir"


@pytest.mark.parametrize("part", ['"', "/*", "//x\n", "/* */ ", ",", ", ", '"\\"', "[", "{", '{"@graph":['])
def test_broken_linked_data_of_any_length_is_none(part: str) -> None:
    assert list(items(["[1,] " + part * 20_000])) == []
