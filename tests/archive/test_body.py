"""The three phases of boilerplate removal on a prepared page."""

from __future__ import annotations

import pytest
from lxml.html import document_fromstring

from archive.extract import body
from archive.extract.boilerplate import Kind
from archive.extract.candidates import Page
from archive.extract.choose import choose
from archive.extract.drop import drop
from archive.extract.exclude import exclude

SENTENCE = (
    "The harbour was empty when we came down, and the tide had left its weed along the whole length of the wall. "
)
POST = f"<p>{SENTENCE * 2}</p>" * 4


def page_of(html: str) -> Page:
    return Page.of(document_fromstring(f"<html><body>{html}</body></html>"), None)


def number_of(page: Page, name: str) -> int:
    return next(i for i, element in enumerate(page.measure.elements) if element.get("id") == name)


@pytest.mark.parametrize("named", ["class='related'", "class='share-buttons'", "role='dialog'"])
def test_a_box_named_as_boilerplate_does_not_count(named: str) -> None:
    page = page_of(f"<div>{POST}</div><div id='x' {named}><p>{SENTENCE}</p></div>")
    assert exclude(page).out[number_of(page, "x")]


@pytest.mark.parametrize("inside", ["<h1>A title of a post</h1>", "<div class='entry-content'>"])
def test_a_box_with_the_post_in_it_counts_whatever_its_name(inside: str) -> None:
    page = page_of(f"<p>{SENTENCE}</p><div id='x' class='share'>{inside}{POST}</div>")
    assert not exclude(page).out[number_of(page, "x")]


def test_names_are_ignored_if_nothing_would_be_left() -> None:
    page = page_of(f"<div id='x' class='comments'><p>{SENTENCE}</p></div>")
    exclusion = exclude(page)
    assert not any(exclusion.out)
    assert set(exclusion.kinds) == {Kind.NONE}


def test_teasers_do_not_count() -> None:
    card = "<li class='entry'><h3><a href='/x'>Another post of this blog</a></h3><p>A few words about it.</p></li>"
    page = page_of(f"<div>{POST}</div><ul id='x'>{card * 3}</ul>")
    exclusion = exclude(page)
    first = number_of(page, "x") + 1
    assert (exclusion.kinds[first], exclusion.out[first]) == (Kind.CARD, True)


def test_the_smallest_element_with_most_of_the_text_is_the_body() -> None:
    page = page_of(f"<div><div id='x'>{POST}</div><div><p>{SENTENCE}</p></div></div>")
    assert choose(page, exclude(page)) == number_of(page, "x")


def test_an_element_named_as_body_wins() -> None:
    page = page_of(f"<div>{POST}<div id='x' class='entry-content'>{POST}</div>{POST}</div>")
    assert choose(page, exclude(page)) == number_of(page, "x")


def test_a_list_of_links_at_the_end_of_the_body_is_dropped() -> None:
    links = "<ul id='x'>" + "<li><a href='/x'>Another post of this blog</a></li>" * 3 + "</ul>"
    page = page_of(f"<div id='body'>{POST}{links}</div>")
    dropped = drop(page, exclude(page), number_of(page, "body"))
    assert page.measure.elements[number_of(page, "x")] in dropped


def test_a_list_of_links_within_the_text_stays() -> None:
    links = "<ul id='x'>" + "<li><a href='/x'>Another post of this blog</a></li>" * 3 + "</ul>"
    page = page_of(f"<div id='body'>{POST}{links}{POST}</div>")
    dropped = drop(page, exclude(page), number_of(page, "body"))
    assert page.measure.elements[number_of(page, "x")] not in dropped


def test_a_page_without_text_has_no_body() -> None:
    assert body.find(body.Outline(document_fromstring("<html><body><script>x()</script></body></html>"))) is None
