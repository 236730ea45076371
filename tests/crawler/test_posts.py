"""A post is a post: by its feed's id or its page, with its page's words or the feed's, under all its addresses."""

from __future__ import annotations

import json
from html import escape

import pytest
from conftest import Home
from sample.server import Answer, Site

XML = "application/rss+xml"
LONG = "".join(
    f"<p>Paragraph {n} of the log: the keeper of the light wrote of storms, of bread and of {n} ships that passed.</p>"
    for n in range(1, 8)
)
SHELL = (
    "<!doctype html><html><head><title>App</title><script src='/app.js'></script></head>"
    "<body><div id='root'></div><noscript>You need to enable JavaScript to run this app.</noscript></body></html>"
)


def item(title: str, link: str, guid: str, html: str = "", more: str = "") -> str:
    linked = f"<link>{escape(link)}</link>" if link else ""
    return (
        f"<item><title>{title}</title>{linked}<guid isPermaLink='false'>{guid}</guid>"
        f"<description>{escape(html)}</description>{more}</item>"
    )


def rss(site: Site, *items: str) -> Answer:
    body = f"<rss version='2.0'><channel><title>Log</title><link>{site.url}/</link>{''.join(items)}</channel></rss>"
    return Answer(body.encode(), XML, validators=False)


def page(title: str, body: str) -> Answer:
    html = f"<!doctype html><html lang='en'><head><title>{title}</title></head><body><article><h1>{title}</h1>{body}"
    return Answer(f"{html}</article></body></html>".encode(), validators=False)


@pytest.fixture
def quick(home: Home) -> Home:
    home.settings |= {"PRESSMARK_FEED_INTERVAL": "0", "PRESSMARK_EXTRACT_WORKERS": "1"}
    return home


def crawl(home: Home, site: Site) -> str:
    """Visit the feed; gives the summary and forgets what was asked before."""
    site.log.clear()
    done = home.crawl(f"url={site.url}/feed")
    assert done.code == 0, done.err
    return done.out.splitlines()[0]


def text_of(home: Home, url: str) -> dict[str, object]:
    done = home.pressmark("get", url, "--as", "json")
    assert done.code == 0, done.err
    found: dict[str, object] = json.loads(done.out)
    return found


# -- the feed's words


def test_the_feeds_words_are_the_text_where_the_page_is_refused_or_is_none(quick: Home, site: Site) -> None:
    site.pages = {
        "/feed": rss(
            site,
            item("Refused", f"{site.url}/refused", "1", LONG),
            item("A shell", f"{site.url}/shell", "2", LONG),
            item("", "", "urn:note:3", "<p>A note without any page: <b>herring</b> at noon.</p><script>x()</script>"),
            item("An episode", f"{site.url}/episode.mp3", "4", "<p>We talk about the tides of the northern bay.</p>"),
        ),
        "/refused": Answer(b"<title>Just a moment...</title>", status=403),
        "/shell": Answer(SHELL.encode()),
    }
    said = crawl(quick, site)
    assert said.startswith("kept 4 new posts (4 in the feed's words)"), said
    assert "/episode.mp3" not in site.asked
    for path, verdict in (("/refused", None), ("/shell", "script")):
        text = text_of(quick, f"{site.url}{path}")
        assert text["source"] == "feed"
        assert "keeper of the light" in str(text["text"])
        assert verdict is None or text["verdict"] == verdict
        assert text["capture"]["url"] == f"{site.url}/feed", "the feed's capture is its proof"  # type: ignore[index]
    note = text_of(quick, f"{site.url}/feed#urn:note:3")
    assert note["text"] == "A note without any page: herring at noon."
    assert "herring" in quick.pressmark("search", "herring").out
    assert "tides of the northern bay" in quick.pressmark("get", f"{site.url}/feed#4").out
    assert json.loads(quick.pressmark("feeds", "--json").out)["posts_kept"] == 4


def test_the_pages_words_lead_once_it_can_be_had(quick: Home, site: Site) -> None:
    url = f"{site.url}/post"
    site.pages = {"/feed": rss(site, item("Storm", url, "1", LONG)), "/post": Answer(SHELL.encode())}
    crawl(quick, site)
    assert text_of(quick, url)["source"] == "feed"
    site.pages["/post"] = page("Storm", LONG + "<p>And a last word that the feed lacks.</p>")
    site.pages["/feed"] = rss(site, item("Storm", url, "1", LONG + "<p>More.</p>"))
    said = crawl(quick, site)
    assert said.startswith("kept 0 new posts, 1 changed;"), said
    text = text_of(quick, url)
    assert text["source"] == "page"
    assert "a last word that the feed lacks" in str(text["text"])
    (version,) = quick.pressmark("versions", url, "--json").out.splitlines()
    assert json.loads(version)["captures"] == 2, "that the source changed is no edit of the post"


def test_after_a_reindex_the_feeds_words_are_still_the_text(quick: Home, site: Site) -> None:
    shown = [item(path, f"{site.url}/{path}", path, LONG) for path in ("refused", "shell")]
    site.pages = {
        "/feed": rss(site, *shown, item("", "", "urn:note:3", "<p>A note without any page: herring.</p>")),
        "/refused": Answer(b"<title>Just a moment...</title>", status=403),
        "/shell": Answer(SHELL.encode()),
    }
    assert crawl(quick, site).startswith("kept 3 new posts (3 in the feed's words)")
    before = [text_of(quick, f"{site.url}/{path}") for path in ("refused", "shell")]
    for left in quick.path.glob("pressmark.db*"):
        left.unlink()
    assert quick.pressmark("reindex").code == 0
    texts = quick.objects("text")
    said = crawl(quick, site)
    assert said.startswith("kept 0 new posts"), said
    assert quick.objects("text") == texts
    assert [text_of(quick, f"{site.url}/{path}") for path in ("refused", "shell")] == before
    site.pages["/refused"] = page("refused", LONG)
    assert quick.crawl("force=1").code == 0
    site.log.clear()
    assert quick.pressmark("recheck", f"{site.url}/refused").code == 0
    assert text_of(quick, f"{site.url}/refused")["source"] == "page"


def test_a_wall_is_never_new_nor_gone(quick: Home, site: Site) -> None:
    """A page that was never seen to be the post cannot vanish."""
    url = f"{site.url}/post"
    site.pages = {"/feed": rss(site, item("Storm", url, "1")), "/post": Answer(SHELL.encode())}
    said = crawl(quick, site)
    assert said.startswith("kept 0 new posts, 1 page without the post"), said
    site.pages["/post"] = Answer(b"gone", status=410)
    site.pages["/feed"] = rss(site, item("Storm", url, "1", "now with words"))
    assert "no longer there" not in crawl(quick, site)
    assert quick.pressmark("deletions", "--json").out.strip() == ""
    assert quick.pressmark("get", url).out != SHELL


def test_a_page_that_shows_nothing_is_no_post(quick: Home, site: Site) -> None:
    """Neither words nor a picture: a form alone, in any language, or nothing at all."""
    form = "<title>Anmelden</title><main><form><label>Passwort</label><input type=password></form></main>"
    bare = {"/form": form, "/blank": " \n", "/frame": "<html><head><title>Log</title></head><body></body></html>"}
    site.pages = {path: Answer(body.encode()) for path, body in bare.items()}
    site.pages["/feed"] = rss(site, *(item(f"Log {path[1:]}", f"{site.url}{path}", path) for path in bare))
    said = crawl(quick, site)
    assert said.startswith("kept 0 new posts, 3 pages without the post;"), said
    for path in bare:
        site.pages[path] = Answer(b"gone", status=410)
    site.pages["/feed"] = rss(site, *(item(f"Log {path[1:]}", f"{site.url}{path}", path, "now") for path in bare))
    assert "no longer there" not in crawl(quick, site)
    assert quick.pressmark("deletions", "--json").out.strip() == ""


# -- one page, several posts


def test_entries_that_share_a_page_are_posts_of_their_own(quick: Home, site: Site) -> None:
    def changes(count: int) -> Answer:
        parts = (
            f"<h2 id='v{n}'>Release {n}</h2><p>It has a better gauge {n} for all who asked.</p>"
            for n in range(count, 0, -1)
        )
        return page("Changes", "".join(parts))

    def feed(count: int) -> Answer:
        return rss(
            site,
            *(item(f"Release {n}", f"{site.url}/changes#v{n}", f"v{n}", f"Pump {n}.") for n in range(count, 0, -1)),
        )

    site.pages = {"/feed": feed(1), "/changes": changes(1)}
    crawl(quick, site)
    assert "gauge 1" in quick.pressmark("get", f"{site.url}/changes").out
    site.pages |= {"/feed": feed(3), "/changes": changes(3)}
    crawl(quick, site)
    assert site.asked.count("/changes") == 1
    for number in (2, 3):
        text = text_of(quick, f"{site.url}/changes#v{number}")
        assert f"gauge {number}" in str(text["text"])
        assert "gauge 1" not in str(text["text"]), "its own section alone"
        assert text["source"] == "page"


def test_a_page_is_not_asked_for_more_than_a_few_times_an_hour(quick: Home, site: Site) -> None:
    site.pages = {"/latest": page("Latest", LONG)}
    asked = 0
    for number in range(1, 9):
        site.pages["/feed"] = rss(
            site,
            *(item(f"Strip {n}", f"{site.url}/latest", f"s{n}", f"Strip {n} drawn.") for n in range(number, 0, -1)),
        )
        crawl(quick, site)
        asked += site.asked.count("/latest")
    assert 3 <= asked <= 5
    assert "Strip 7 drawn" in quick.pressmark("get", f"{site.url}/feed#s7").out


# -- addresses


@pytest.mark.parametrize("guid", ["{link}", "tag:1"], ids=["named by its link", "named by an id"])
def test_another_spelling_is_neither_new_nor_asked_for_again(quick: Home, site: Site, guid: str) -> None:
    site.pages = {"/a-post/": page("A post", LONG)}
    for link in ("/a-post/", "/a%2Dpost/", "/a-post/?utm_source=feed", "/a-post/#more", "/a-post"):
        site.pages["/feed"] = rss(site, item("A post", f"{site.url}{link}", guid.format(link=f"{site.url}{link}")))
        said = crawl(quick, site)
        assert said.startswith("kept 1 new post;" if link == "/a-post/" else "kept 0 new posts;"), (link, said)
        assert len(site.asked) <= (3 if link == "/a-post/" else 1), site.asked
    for link in ("/a-post", "/a-post/?fbclid=1", "/%61-post/"):
        assert quick.pressmark("get", f"{site.url}{link}").code == 0


def test_a_post_whose_link_changes_under_its_id_keeps_its_history(quick: Home, site: Site) -> None:
    old, new = f"{site.url}/2026/a.html", f"{site.url}/a/"
    site.pages = {"/feed": rss(site, item("A post", old, "tag:1")), "/2026/a.html": page("A post", LONG)}
    crawl(quick, site)
    site.pages = {
        "/feed": rss(site, item("A post", new, "tag:1")),
        "/a/": page("A post", LONG + "<p>Edited since.</p>"),
        "/2026/a.html": Answer(b"", status=301, headers={"Location": new}),
    }
    said = crawl(quick, site)
    assert said.startswith("kept 0 new posts, 1 changed"), said
    assert len(quick.pressmark("history", new, "--json").out.splitlines()) == 2
    assert len(quick.pressmark("versions", old, "--json").out.splitlines()) == 2
    (quick.path / "pressmark.db").unlink()
    for left in quick.path.glob("pressmark.db-*"):
        left.unlink()
    assert quick.pressmark("reindex").code == 0
    assert len(quick.pressmark("history", new, "--json").out.splitlines()) == 2


def test_another_title_under_an_old_id_is_another_post(quick: Home, site: Site) -> None:
    site.pages = {
        "/feed": rss(site, item("Monday", f"{site.url}/monday", "latest")),
        "/monday": page("Monday", LONG),
        "/tuesday": page("Tuesday", LONG.replace("bread", "butter")),
    }
    crawl(quick, site)
    site.pages["/feed"] = rss(site, item("Tuesday", f"{site.url}/tuesday", "latest"))
    assert crawl(quick, site).startswith("kept 1 new post;")
    assert len(quick.pressmark("history", f"{site.url}/tuesday", "--json").out.splitlines()) == 1


def test_a_canonical_link_joins_a_twin_and_no_stranger(quick: Home, site: Site) -> None:
    def twin(canonical: str, words: str) -> Answer:
        head = f"<title>A post</title><link rel=canonical href='{canonical}'>"
        html = f"<html><head>{head}</head><body><article><h1>A post</h1>{words}</article></body></html>"
        return Answer(html.encode(), validators=False)

    site.pages = {
        "/feed": rss(site, item("A post", f"{site.url}/amp/a", "1"), item("Another", f"{site.url}/b", "2")),
        "/amp/a": twin(f"{site.url}/a", LONG),
        "/b": twin(f"{site.url}/", LONG.replace("light", "lamp")),
    }
    crawl(quick, site)
    assert "keeper of the light" in quick.pressmark("get", f"{site.url}/a").out
    assert quick.pressmark("get", f"{site.url}/").code == 3, "every page names the front page"


# -- link blogs


def test_a_link_blogs_post_is_the_bloggers(quick: Home, site: Site) -> None:
    """Not the article that it links to, on somebody else's site."""
    remark = "<p>My own remark: the finest piece on harbours that I have read this year, its second half above all.</p>"
    with Site(host="127.0.0.2") as other:
        other.pages = {
            "/article": page("A history of harbours", LONG),
            "/second": page("On wrecks", LONG.replace("light", "wreck")),
        }
        site.pages = {
            "/feed": rss(
                site,
                f"<item><title>On harbours</title><link>{other.url}/article</link><guid>{site.url}/linked/1</guid>"
                f"<author>jane@blog.example (Jane)</author><description>{escape(remark)}</description></item>",
                item(
                    "On wrecks",
                    f"{other.url}/second",
                    "urn:2",
                    "<p>Quoted for the photographs: do look at the masts.</p>",
                ),
            ),
            "/linked/1": page("On harbours", remark),
        }
        crawl(quick, site)
        assert "/linked/1" in site.asked
        assert "/article" not in other.asked
        assert "finest piece" in quick.pressmark("get", f"{site.url}/linked/1").out
        mine = text_of(quick, f"{site.url}/feed#urn:2")
        assert (mine["source"], mine["verdict"]) == ("feed", "foreign")
        assert "do look at the masts" in str(mine["text"])
        assert quick.pressmark("get", f"{other.url}/second", "--as", "json").code == 3, "no text of it is ours"


# -- several pages


def test_the_pages_of_one_post_are_joined(quick: Home, site: Site) -> None:
    def part(number: int) -> Answer:
        paths = {1: "/story/", 2: "/story/2/", 3: "/story/3/"}
        links = "".join(f"<a href='{path}'>{n}</a> " for n, path in paths.items() if n != number)
        words = f"<p>This is part {number} of the story, in which the keeper counts {number} gulls on the wall.</p>"
        return page(
            "Story", f"{words}{LONG.replace('log', f'log {number}')}<div class='page-links'>Pages: {links}</div>"
        )

    site.pages = {
        "/feed": rss(site, item("Story", f"{site.url}/story/", "1")),
        "/story/": part(1), "/story/2/": part(2), "/story/3/": part(3),
    }  # fmt: skip
    said = crawl(quick, site)
    assert said.startswith("kept 1 new post;"), said
    text = text_of(quick, f"{site.url}/story/")
    assert [f"part {n} of the story" in str(text["text"]) for n in (1, 2, 3)] == [True, True, True]
    assert len(text["pages"]) == 2  # type: ignore[arg-type]
