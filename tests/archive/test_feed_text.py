"""Texts from the feed, joined pages, and how both are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sample.posts import POSTS

from archive.extract.feed_text import feed_text
from archive.extract.join_pages import join_pages
from archive.extract.text import Entry, Text
from archive.index.from_records import HeldText
from archive.index.schema import TextRow

URL = "https://blog.example/post"
NOW = datetime(2025, 5, 3, tzinfo=UTC)


def test_the_feeds_content_is_the_text_of_a_post() -> None:
    html = (
        '<p>The <b>lamp</b> burns &lt;low&gt;.</p><script>alert(1)</script><img src="/x.jpg" alt="a lamp in a window">'
        '<ul><li>oil</li><li>wick</li></ul><p>The post <a href="/post">Lamp</a> appeared first on <a href="/">Blog</a>.</p>'
    )
    entry = Entry(
        title=" The  lamp ", author="Ann", published=datetime(2025, 5, 2, tzinfo=UTC), tags=("Light", "light"),
        modified=datetime(2031, 1, 1, tzinfo=UTC), html=html, language="en-GB",
    )  # fmt: skip
    text = feed_text(entry, url=URL, base=URL, date=NOW, verdict="login")
    assert text is not None
    assert text.text == "The lamp burns <low>.\n- oil\n- wick"
    assert "![a lamp in a window](<https://blog.example/x.jpg>)" in text.markdown
    assert "alert" not in text.markdown
    assert "\\<low>" in text.markdown
    assert (text.title, text.author, text.published, text.modified) == ("The lamp", "Ann", entry.published, None)
    assert (text.source, text.verdict, text.tags, text.language) == ("feed", "login", ("Light",), "en")
    assert {text.sources[name] for name in ("title", "author", "published", "tags")} == {"feed"}
    assert text.entry == entry


def test_an_entry_without_words_has_no_text() -> None:
    assert feed_text(Entry(html="<p> </p><img src='x.png'>"), url=URL, base=URL) is None
    assert feed_text(Entry(title="Photo"), url=URL, base=URL) is None
    only = feed_text(Entry(title="Back from Lisbon, finally"), url=URL, base=URL)
    assert only is not None
    assert only.text == "Back from Lisbon, finally"
    assert feed_text(Entry(title="古い時計屋の午後"), url=URL, base=URL) is not None


def test_the_new_fields_of_a_text_are_stored_only_where_they_say_something() -> None:
    plain = Text(url=URL, text="Words", markdown="Words")
    assert {"source", "verdict", "feed_only", "pages"}.isdisjoint(plain.fields())
    full = replace(plain, source="feed", verdict="paywall", feed_only="More.", pages=("<urn:uuid:1>",))
    for one in (plain, full):
        row = TextRow(
            record="r", capture="c", url=URL, date=NOW, digest=one.digest, title=None, made_by="x", object="o", offset=0,
            length=1,
        )  # fmt: skip
        held = HeldText(row=row, text=one.text, fields=one.fields())
        assert held.as_text() == one
        assert held.as_json(None)["source"] == one.source


def test_pages_are_joined_without_what_each_repeats() -> None:
    def part(*paragraphs: str) -> Text:
        return Text(url=URL, title="Long walk", text="\n".join(paragraphs), markdown="\n\n".join(paragraphs))

    one, two, three, four = POSTS[0].paragraphs
    first = part("By Ann, a walker", one, two, "Page 1 of 3")
    second = part("## Long walk", "By Ann, a walker", three, "Page 2 of 3")
    third = part("By Ann, a walker", four, "Page 3 of 3")
    joined = join_pages(first, [second, third])
    assert joined.text == f"By Ann, a walker\n{one}\n{two}\nPage 1 of 3\n{three}\n{four}"
    assert joined.markdown == f"By Ann, a walker\n\n{one}\n\n{two}\n\nPage 1 of 3\n\n{three}\n\n{four}"
    assert joined.title == "Long walk"
    assert join_pages(first, []) == first
    assert join_pages(first, [first]).text == first.text
