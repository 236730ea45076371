"""Where on a page the post is, what goes with it, and what does not; and how an entry of its feed helps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archive.errors import ExtractError
from archive.extract.pipeline import extract
from archive.extract.text import Entry, Text

URL = "http://boats.example/a-post/"
ONE = "The first paragraph tells at some length how the boat came by its name, and who gave it that name."
TWO = "The second paragraph tells of the winter in which it was laid up, and of the mice that moved into it."
THREE = "The third paragraph has an end, as it must, since everybody who was there is long since dead or at sea."
POST = (ONE, TWO, THREE)
BODY = "".join(f"<p>{said}</p>" for said in POST)
OTHER = "Another post is told of here in a few words that are long enough to be taken for a paragraph of this one."


def made(page: str, **more: object) -> Text:
    return extract(f"<html><head><title>A name</title></head><body>{page}</body></html>".encode(), url=URL, **more)


def lines(page: str, **more: object) -> list[str]:
    return made(page, **more).text.split("\n")


# -- what is the post's stays


@pytest.mark.parametrize(
    "last",
    [
        "Next week I shall tell the rest of it.",
        "Follow the river as far as it goes.",
        "Share what you have, he said.",
        "Please do not feed the swans.",
        "By the shore of the lake it is quiet.",
        "Print is dead, and so is the printer.",
        "Source of all this: my grandmother, who was there.",
        "In 1984 there were two of them.",
        "She sent a telegram to the captain, who never answered it.",
        "The author was a friend of ours until then.",
    ],
)
def test_a_last_sentence_that_begins_like_boilerplate_stays(last: str) -> None:
    assert lines(f"<article>{BODY}<p>{last}</p></article>") == [*POST, last]


def test_a_poem_of_short_lines_is_kept_whole() -> None:
    verses = ["By the shore", "a boat,", "in 1984", "nobody in it", "next to nothing", "on the water.", "", "Anna"]
    page = "".join(f"<p>{verse}</p>" for verse in verses if verse)
    assert lines(f"<div class='entry-content'>{page}</div>") == [verse for verse in verses if verse]
    broken = "<br>".join(verses)
    assert lines(f"<div class='entry-content'><p>{broken}</p></div>") == [verse for verse in verses if verse]


def test_a_post_of_links_keeps_its_links() -> None:
    items = "".join(
        f"<li><a href='http://{n}.example/'>A long title of something worth reading, number {n}</a> via Ann</li>"
        for n in range(8)
    )
    found = lines(f"<h1>Links</h1><div class='entry-content'><p>Seen this week:</p><ul>{items}</ul></div>")
    assert len([line for line in found if "worth reading" in line]) == 8


@pytest.mark.parametrize("tag", ["article", "main"])
def test_a_note_of_a_few_words_is_a_post(tag: str) -> None:
    assert lines(f"<header><a href='/'>Boats</a></header><{tag}><p>Fog.</p><pre>x = 1</pre></{tag}>") == [
        "Fog.",
        "x = 1",
    ]


def test_a_list_in_the_midst_of_a_post_stays() -> None:
    items = "<ul><li><a href='/a'>rope</a></li><li><a href='/b'>tar</a></li></ul>"
    long = "".join(f"<p>{said} {said}</p>" for said in POST)
    assert "- tar" in lines(f"<article>{long}{items}{long.replace('The', 'A')}</article>")


@pytest.mark.parametrize("name", ["sidebar", "share-container", "widget", "header", "ad-wrapper", "comments-off"])
def test_names_that_mislead_do_not_cost_the_post(name: str) -> None:
    assert lines(f"<div class='{name}'><h1>A name for this post</h1><article>{BODY}</article></div>") == [*POST]


def test_an_anchor_of_a_heading_does_not_make_it_boilerplate() -> None:
    found = lines(f"<article>{BODY}<h2 id='related-share-nav'>What they share</h2><p>{ONE} Again.</p></article>")
    assert "What they share" in found


def test_quoted_articles_are_the_posts() -> None:
    quote = f"<blockquote><article><p>{OTHER}</p></article></blockquote>"
    assert lines(f"<article>{BODY[: len(ONE) + 7]}{quote}{BODY[len(ONE) + 7 :]}</article>") == [ONE, OTHER, TWO, THREE]


# -- what is not goes


def test_three_copies_are_one() -> None:
    page = "".join(
        f"<div class='for-{screen}'><h2>On boats</h2>{BODY}</div>" for screen in ("phones", "desks", "walls")
    )
    assert lines(f"<main>{page}</main>") == ["On boats", *POST]


def test_a_short_post_with_many_comments() -> None:
    comments = "".join(f"<li class='comment'><p>{OTHER} And number {n} of them.</p></li>" for n in range(50))
    text = made(
        f"<article><h1>A name for it</h1><div class='entry-content'><p>{ONE}</p></div></article><ol class='comments'>{comments}</ol>"
    )
    assert text.text == ONE
    assert text.comments.count(OTHER) == 50


def test_comments_under_a_heading_alone() -> None:
    comments = "".join(f"<p><b>Ann</b> wrote:<br>{OTHER} {n}</p>" for n in range(9))
    text = made(f"<table><tr><td>{BODY}<h3>Comments (9)</h3>{comments}</td></tr></table>")
    assert text.text.split("\n") == [*POST]
    assert OTHER in text.comments


def test_a_consent_dialog_longer_than_the_post() -> None:
    dialog = "".join(f"<p>{OTHER} We and our {n} partners value your privacy.</p>" for n in range(30))
    assert lines(
        f"<div id='cookie-consent-dialog' class='cc-window'>{dialog}</div><article><p>{ONE}</p><p>{TWO}</p></article>"
    ) == [ONE, TWO]


@pytest.mark.parametrize(
    "last",
    [
        "<p>Ann Bell is a freelance writer and the author of three books on rope.</p>",
        "<p>Sign up for our newsletter to get posts like this one every week.</p>",
        "<p>© 2024 Slow Boats. All rights reserved.</p>",
        "<h3>Related posts</h3><ul><li><a href='/a'>One of them</a></li></ul>",
        f"<div class='more'><h3>You may also like</h3><div><a href='/a'>{OTHER}</a></div></div>",
        "<p>Filed under: <a href='/t'>boats</a></p>",
        "<p>Read more: <a href='/a'>How to tar a rope</a></p>",
        "<p><a href='/x'>Back to top</a></p>",
        "<p>Photo: Ann Bell / Getty Images</p>",
        "<p>This post contains affiliate links, which cost you nothing.</p>",
    ],
)
def test_what_trails_behind_a_post_goes(last: str) -> None:
    longer = BODY + "".join(f"<p>{said} More of it.</p>" for said in POST)
    assert lines(f"<article>{longer}{last}</article>")[-1] == f"{THREE} More of it."


def test_bylines_and_the_title_again_go_and_leads_stay() -> None:
    lead = "What nobody told us about the boat before we had bought it"
    head = f"<h1>A name</h1><p class='subtitle'>{lead}</p><p>By Ann Bell</p><p>4 March 2014</p>"
    found = lines(f"<article><header>{head}</header><div class='entry-content'><h2>A name</h2>{BODY}</div></article>")
    assert found == [lead, *POST]


def test_what_is_not_shown_is_not_read() -> None:
    hidden = "<div style='display: none'><a href='/a'>Up next</a></div><p>Tar<span class='screen-reader-text'>opens</span></p>"
    assert lines(f"<article>{BODY}{hidden}<p>{ONE} Again.</p></article>") == [*POST, "Tar", f"{ONE} Again."]


@pytest.mark.parametrize(
    "page", ["<div id='app'></div><script>start()</script>", "<nav><a href='/a'>Home</a></nav>", ""]
)
def test_a_page_without_words_is_an_error(page: str) -> None:
    with pytest.raises(ExtractError, match="contains no text"):
        made(page)


# -- what an entry tells


def test_an_entry_tells_where_the_post_is() -> None:
    """Nothing on this page does; its longest part is another's."""
    others = "".join(f"<p>{OTHER} {OTHER} {n}</p>" for n in range(12))
    page = f"<div><div>{BODY * 1}</div><div>{others}</div></div>"
    entry = Entry(html=BODY + f"<p>{ONE} {TWO} {THREE}</p>")
    page = page.replace(BODY, BODY + f"<p>{ONE} {TWO} {THREE}</p>")
    assert OTHER in made(page).text
    assert OTHER not in made(page, entry=entry).text
    assert set(POST) <= set(lines(page, entry=entry))


def test_what_the_entry_says_is_restored() -> None:
    odd = "<div class='share'><p>Share the tar with your neighbours.</p></div>"
    long = "".join(f"<p>{said} {said} {n}</p>" for n, said in enumerate(POST * 2))
    page = f"<article>{long}{odd}<p>{ONE}</p></article>"
    assert "Share the tar with your neighbours." not in lines(page)
    assert "Share the tar with your neighbours." in lines(page, entry=Entry(html=f"{long}{odd}<p>{ONE}</p>"))


def test_captions_and_descriptions_that_the_entry_has_are_words() -> None:
    figure = "<figure><img src='/a.jpg' alt='The boat before it sank'><figcaption>The mice moved in first</figcaption></figure>"
    page = f"<article>{BODY}{figure}<p>{ONE} So it was.</p></article>"
    assert "The mice moved in first" not in lines(page)
    text = made(page, entry=Entry(html=BODY + figure + f"<p>{ONE} So it was.</p><p>{TWO} {THREE} {ONE}</p>"))
    assert "The mice moved in first" in text.text.split("\n")


def test_words_come_from_the_page_and_never_from_the_feed() -> None:
    """A paragraph that the page has lost is lost, and one that it has gained is there."""
    entry = Entry(html=BODY + f"<p>{ONE} {TWO}</p><p>This was taken back later on, for reasons of its own.</p>")
    found = lines(
        f"<article>{BODY}<p>{ONE} {TWO}</p><p>Update: this was added when it had been read by the mice.</p></article>",
        entry=entry,
    )
    assert "This was taken back later on, for reasons of its own." not in found
    assert "Update: this was added when it had been read by the mice." in found


@pytest.mark.parametrize(
    "markup", ["", "  ", "<p></p>", "<!-- -->", "\x00", "<img src='a'>", "no markup", "<p>" * 2_000]
)
def test_an_entry_that_says_nothing_changes_nothing(markup: str) -> None:
    page = f"<article>{BODY}</article>"
    assert lines(page, entry=Entry(html=markup)) == lines(page)


def test_a_summary_tells_the_beginning() -> None:
    page = f"<h1>A name</h1><section><div><p>{ONE}</p></div></section><section class='share'></section><article><p>{TWO}</p><p>{THREE}</p></article>"
    assert lines(page, entry=Entry(html=f"<p>{ONE[:70]}…</p>"))[0] == ONE


def test_a_standfirst_that_the_body_repeats_is_kept_once_though_the_entry_consists_of_it():
    page = f"<h1>A post</h1><div class='post-description'>{ONE}</div><article><p>{ONE}</p><p>{TWO}</p><p>{THREE}</p></article>"
    assert lines(page, entry=Entry(html=ONE)) == lines(page) == [ONE, TWO, THREE]


def test_dates_and_names_of_the_entry_win() -> None:
    said = Entry(title="Another name", author="Ann Bell", published=datetime(2020, 3, 4, tzinfo=UTC), tags=("rope",))
    text = made(f"<article>{BODY}</article>", entry=said)
    assert (text.title, text.author, text.published, text.tags) == (
        "Another name",
        "Ann Bell",
        said.published,
        ("rope",),
    )
    assert text.sources["title"] == "feed"
    assert text.entry == said
