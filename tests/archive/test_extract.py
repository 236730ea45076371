"""Clean text: nothing that stands around a post, nothing lost of it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sample.blogs import BLOGS, RESIDUE, TIDE, Blog, Post

from archive.errors import ExtractError
from archive.extract.boilerplate import keep_line, rules
from archive.extract.pipeline import extract
from archive.extract.text import Entry, Text

ROOT = "http://blog.example"
POSTS = [pytest.param(blog, post, id=post.slug) for blog in BLOGS for post in blog.posts]


def flat(text: str) -> str:
    return " ".join(text.split())


def extracted(blog: Blog, post: Post, **more: object) -> Text:
    return extract(blog.theme(blog, post, ROOT).encode(), url=ROOT + blog.url_of(post), **more)


@pytest.mark.parametrize(("blog", "post"), POSTS)
def test_all_of_the_post_and_nothing_else(blog: Blog, post: Post) -> None:
    text = extracted(blog, post)
    missing = [words for words in post.words if words not in flat(text.text)]
    assert missing == []
    lines = [line.strip() for form in (text.text, text.markdown) for line in form.splitlines()]
    assert [line for line in lines if line.strip("#*- ") in RESIDUE] == []
    assert [said for _, said in post.comments if said in flat(text.text)] == []
    for other in blog.posts:
        assert other is post or other.title not in text.text


@pytest.mark.parametrize(("blog", "post"), [case for case in POSTS if case.values[0] is not BLOGS[2]])
def test_metadata_of_the_page(blog: Blog, post: Post) -> None:
    text = extracted(blog, post)
    assert (text.title, text.author, text.published) == (post.title, post.author, post.published)
    assert {post.category, *post.tags} <= set(text.tags)
    assert (text.site, text.language) == (blog.name, "en")


@pytest.mark.parametrize(("blog", "post"), POSTS)
def test_metadata_of_the_feed_wins(blog: Blog, post: Post) -> None:
    said = Entry(title=post.title, author=post.author, published=post.published, tags=(post.category, *post.tags))
    text = extracted(blog, post, entry=said)
    assert (text.title, text.author, text.published) == (post.title, post.author, post.published)
    assert text.tags[: len(said.tags)] == said.tags


def test_a_post_that_quotes_two_articles_keeps_both() -> None:
    post = TIDE.posts[0]
    text = extracted(TIDE, post)
    assert "Council survey finds wall sound" in text.text
    assert "The toe of the wall intact" not in text.text, "words are not changed"
    assert "found the toe of the wall intact" in flat(text.text)
    assert "Trust warns of undermining" in text.text
    assert "filled with concrete" in flat(text.text)


def test_structure_is_in_markdown() -> None:
    paper = next(post for post in BLOGS[1].posts if post.slug == "paper-from-the-north")
    assert "| Demy | 118 |" in extracted(BLOGS[1], paper).markdown
    bell = TIDE.posts[1]
    assert "- The lamp can be seen for five miles" in extracted(TIDE, bell).markdown


def test_comments_are_separate() -> None:
    text = extracted(TIDE, TIDE.posts[0])
    assert "My father filled that very hole" in text.comments


def test_a_date_after_the_capture_is_ignored() -> None:
    captured = datetime(2026, 1, 1, tzinfo=UTC)
    assert extracted(TIDE, TIDE.posts[0], date=captured).published is None


def test_a_page_with_a_day_only_gives_a_day() -> None:
    page = b"<html><head><meta name='date' content='2020-02-03'></head><body><article><p>" + b"words and words " * 40
    assert extract(page, url=ROOT).published == date(2020, 2, 3)


def test_the_charset_of_the_response_counts() -> None:
    page = "<html><body><article><p>" + "Çà et là, près du café. " * 20 + "</p></article></body></html>"
    text = extract(page.encode("latin-1"), url=ROOT, content_type="text/html; charset=iso-8859-1")
    assert "Çà et là, près du café." in text.text


@pytest.mark.parametrize(
    "payload", [b"", b"\x00\x01\x02", b"%PDF-1.7 binary", b"<html></html>", b"<!-- -->", b"{}", b"plain"]
)
def test_a_page_without_text_is_an_error(payload: bytes) -> None:
    with pytest.raises(ExtractError, match="http://blog.example"):
        extract(payload, url=ROOT)


def test_the_result_is_the_same_in_every_order() -> None:
    first = [extracted(blog, post) for blog in BLOGS for post in blog.posts]
    again = [extracted(blog, post) for blog in reversed(BLOGS) for post in reversed(blog.posts)]
    assert first == again[::-1]


def test_the_extractor_is_named_with_its_options() -> None:
    made = extracted(TIDE, TIDE.posts[0]).extractor
    assert made["name"] == "judged"
    assert {"version", "trafilatura", "comments"} <= set(made)


def test_a_page_that_lists_whole_posts_gives_all_of_them() -> None:
    bodies = [f"<div class='post hentry'><h2>Post {n}</h2><div class='entry-content'><p>{'Long words. ' * 30}end {n}</p></div></div>" for n in (1, 2, 3)]  # fmt: skip
    page = f"<html><body class='home blog'><div id='content'>{''.join(bodies)}</div></body></html>"
    text = extract(page.encode(), url=ROOT)
    assert [n for n in (1, 2, 3) if f"end {n}" in text.text] == [1, 2, 3]


@pytest.mark.parametrize(
    "line",
    ["Share this:", "## Related Articles", "**Like this:**", "Like Loading...", "Advertisements", "- Facebook", "3 Comments",
     "Filed under: Harbour", "Related", "Teilen mit:", "Comparte esto:", "Tagged with: a, b"],
)  # fmt: skip
def test_lines_that_are_boilerplate(line: str) -> None:
    assert not keep_line(line)


@pytest.mark.parametrize(
    "line",
    ["", "Related work was done in 1974.", "I like this.", "The advertisements were painted by hand.", "Share this with care, he said.",
     "Categories of rope, he explained, " + "and so on " * 30],
)  # fmt: skip
def test_lines_that_are_not_boilerplate(line: str) -> None:
    assert keep_line(line)


def test_rules_are_in_the_form_they_are_compared_in() -> None:
    for word in (*rules().headings, *rules().lines):
        assert word == word.casefold().strip(" :")
    assert all(start == start.casefold() for start in rules().starts)


def _theme_pages() -> list[dict[str, object]]:
    path = Path(__file__).resolve().parents[3] / "shared" / "extraction" / "corpus" / "wpcom" / "labels.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("label", [pytest.param(label, id=str(label["id"])) for label in _theme_pages()])
def test_theme_pages_leak_nothing(label: dict, shared: Path) -> None:
    page = gzip.decompress((shared / "extraction" / "corpus" / "wpcom" / f"{label['id']}.html.gz").read_bytes())
    text = extract(page, url=label["url"])
    said = flat(text.text)
    assert [words for words in label["without"] if flat(words) in said] == []
    paragraphs = [words for words in label["with"] if len(words) > 60]
    assert [words for words in paragraphs if flat(words) not in said] == []
    if label["title"]:
        assert text.title == label["title"]
        assert str(text.published)[:10] == label["date"]
