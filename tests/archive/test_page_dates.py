"""Which of the days on a page is the post's."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from lxml import html

from archive.extract.page_metadata import read

DAY = date(2020, 3, 3)
WORDS = "<p>" + "The rope was spliced again before the tide came in. " * 12 + "</p>"


def published(body: str, *, head: str = "", lang: str = "en", latest: datetime | None = None) -> object:
    page = f"<html lang='{lang}'><head><title>Splicing rope</title>{head}</head><body>{body}</body></html>"
    return read(html.fromstring(page), url="http://blog.example/rope", latest=latest).published


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Splicing rope</h1><p>March 3, 2020</p>{}",
        "<div><span>March 3, 2020</span><h1>Splicing rope</h1></div>{}",
        "<h1>Splicing rope</h1><div><i></i> 3 March 2020 | Ropes</div>{}",
        "<h1>Splicing rope</h1>{}<p>Published on March 3, 2020</p>",
        "<h1>Splicing rope</h1><div>Published <!-- --> <!-- -->March 3, 2020</div>{}",
        "<p>1 May 2019</p><p>Another rope</p><p>We went.</p><h1>Splicing rope</h1><p>March 3, 2020</p>{}",
        "<h1>Splicing rope</h1><p>Updated May 1, 2021</p><p>Published March 3, 2020</p>{}",
        "<h1>Splicing rope</h1><aside>March 3, 2020</aside>{}<div class='related'>1 May 2019</div>",
        '<h1>Splicing rope</h1>{}<script>post = {{"publishedAt": "2020-03-03T09:00:00Z"}}</script>',
        "<h1>Splicing rope</h1><abbr title='2020-03-03'>long ago</abbr>{}",
    ],
)
def test_the_date_near_the_heading_is_the_posts(body: str) -> None:
    assert published(body.format(WORDS)) == DAY


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<p>Copyright 2020 Tarred Hands</p>",
        f"<p>{'We had waited a long time. ' * 4} On March 3, 2020 we went out at last. {'It rained. ' * 12}</p>",
        "<script>var built = '2020-03-03';</script>",
        "<select><option>March 3, 2020</option></select>",
    ],
)
def test_dates_of_other_things_are_ignored(body: str) -> None:
    assert published(f"<h1>Splicing rope</h1>{WORDS}{body}") is None


def test_a_date_among_comments_far_from_the_heading_is_ignored() -> None:
    comments = "<div class='comments'>May 1, 2021</div>"
    assert published(f"<h1>Splicing rope</h1>{WORDS * 40}{comments}") is None


def test_dates_with_slashes_follow_the_language_of_the_page() -> None:
    body = f"<h1>Splicing rope</h1><p>3/4/2020</p>{WORDS}"
    assert published(body, lang="en-US") == date(2020, 3, 4)
    assert published(body, lang="en-GB") == date(2020, 4, 3)
    assert published(body, lang="fr") == date(2020, 4, 3)


@pytest.mark.parametrize(
    "said", ["June 25, 2025", "06/25/2025 12:43:42", "Wed, 25 Jun 2025 09:45:16 GMT", "2025-06-25"]
)
def test_meta_elements_may_have_dates_in_any_format(said: str) -> None:
    found = published(WORDS, head=f"<meta property='article:published_time' content='{said}'>", lang="de")
    assert str(found)[:10] == "2025-06-25"


@pytest.mark.parametrize(
    "body",
    [
        '<p><time class="modified" datetime="2020-05-20">May 20</time> <time datetime="2020-03-03">March 3</time></p>',
        '<p>Updated: <time datetime="2020-05-20">May 20</time> Posted: <time datetime="2020-03-03">March 3</time></p>',
        '<p><b>Updated</b> <time datetime="2020-05-20">x</time></p><p><time datetime="2020-03-03">x</time></p>',
        '<p><time itemprop="dateModified" datetime="2020-05-20">x</time></p><p class="date">3 March 2020</p>',
        '<p class="date">Updated May 20, 2020 | Published March 3, 2020</p>',
        "<p>Updated May 20, 2020 | Published March 3, 2020</p>",
        "<p class='date'>Päivitetty 20. toukokuuta 2020, julkaistu 3. maaliskuuta 2020</p>",
    ],
)
def test_a_date_of_modification_is_not_the_one_of_publication(body: str) -> None:
    assert published(f"<h1>Splicing rope</h1>{body}{WORDS}") == DAY


def test_a_date_of_both_is_the_one_of_publication() -> None:
    body = '<time class="entry-date published updated" datetime="2020-03-03">March 3</time>'
    assert published(f"<h1>Splicing rope</h1>{body}{WORDS}") == DAY


def test_a_date_that_is_marked_as_modified_is_the_date_of_modification() -> None:
    body = '<time class="updated" datetime="2020-05-20">May 20</time><time datetime="2020-03-03">March 3</time>'
    tree = html.fromstring(f"<html lang='en'><body><h1>Splicing rope</h1>{body}{WORDS}</body></html>")
    found = read(tree, url="http://blog.example/rope", latest=None)
    assert (found.published, found.modified, found.sources["modified"]) == (DAY, date(2020, 5, 20), "page")


@pytest.mark.parametrize(
    "said",
    ['["2020-03-03"]', '{"@value": "2020-03-03"}', '[["2020-03-03", "2021-01-01"]]', '"March 3, 2020"', "1583229600"],
)
def test_linked_data_may_state_a_date_in_any_form(said: str) -> None:
    head = f'<script type="application/ld+json">{{"@type": "BlogPosting", "datePublished": {said}}}</script>'
    assert str(published(WORDS, head=head))[:10] == "2020-03-03"


def test_the_date_of_modification_stands_in_for_publication() -> None:
    assert published(WORDS, head="<meta property='article:modified_time' content='2020-03-03'>") == DAY


def test_a_day_after_the_capture_is_ignored() -> None:
    body = f"<h1>Splicing rope</h1><p>March 3, 2020</p>{WORDS}"
    assert published(body, latest=datetime(2020, 3, 2, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "part",
    [
        "<p>3 March 2020</p>",
        "<div class='comments'><p>by Nora Whitfield</p>",
        "<span class='author date'>x</span>",
        "<p>Splicing rope</p>",
        "<a rel='tag author' href='/author/x'>x</a>",
    ],
)
def test_parsing_time_is_linear_in_the_length_of_a_page(part: str) -> None:
    def seconds(count: int) -> float:
        tree = html.fromstring(f"<html><head><title>Splicing rope</title></head><body>{part * count}")
        start = time.process_time()
        read(tree, url="http://blog.example/rope", latest=None)
        return time.process_time() - start

    assert min(seconds(20_000) for _ in range(2)) < 20 * (min(seconds(2_000) for _ in range(3)) + 0.01)
