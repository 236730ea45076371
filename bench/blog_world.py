"""A deterministic web of blogs on loopback for measurements: pages of some 60 kB with what real themes put around a post.

    python bench/blog_world.py FOLDER [--blogs 20] [--posts 2000] [--port 8080]

FOLDER has then `www/ADDRESS/…`, each file with a `.gz` sibling, `hosts.txt` and `urls.txt`: the layout that
`web_server.py` serves. The prose is made of the sentences of Python's own language reference, which every Python has.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from html import escape
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from sample.themes import app, blogger, ghost, handmade, wordpress

THEMES = (wordpress, blogger, ghost, app, handmade)
FEED_POSTS = 20
"""Posts that `feed.xml` shows, with all their words; `feed-all.xml` has all posts with summaries."""
_FIRST = IPv4Address("127.0.16.1")
_NEWEST = datetime(2026, 11, 1, 9, tzinfo=UTC)
_WORD = re.compile(r"[A-Za-z][a-z'-]*[,.;:]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A folder with the files of a web of blogs."""

    folder: Path
    feed: str = "feed-all.xml"
    """Path of each blog's feed that has all posts."""

    @property
    def hosts(self) -> list[str]:
        """The blogs: `http://127.0.16.1:8080`."""
        return [line.rstrip("/") for line in (self.folder / "hosts.txt").read_text().split()]

    @property
    def feeds(self) -> list[str]:
        """URL of each blog's feed."""
        return [f"{host}/{self.feed}" for host in self.hosts]

    @property
    def posts(self) -> list[str]:
        """URL of each post."""
        return (self.folder / "urls.txt").read_text().split()


class Prose:
    """Sentences that follow one another as words do in English: a chain of pairs of words."""

    def __init__(self) -> None:
        words = [word for said in topics.values() for word in said.split() if _WORD.fullmatch(word)]
        self._after: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for first, (second, third) in zip(words, pairwise(words[1:]), strict=False):
            self._after[first, second].append(third)
        self._starts = [pair for pair in self._after if pair[0][0].isupper() and pair[0][-1].isalpha()]

    def sentence(self, chance: random.Random, least: int = 7, most: int = 26) -> str:
        """One sentence."""
        pair = chance.choice(self._starts)
        said = [*pair]
        wanted = chance.randint(least, most)
        while len(said) < wanted:
            following = self._after.get(pair)
            pair = (pair[1], chance.choice(following)) if following else chance.choice(self._starts)
            said.append(pair[1])
        return " ".join(said).rstrip(",.;:").capitalize() + "."

    def paragraph(self, chance: random.Random) -> str:
        """Several sentences."""
        return " ".join(self.sentence(chance) for _ in range(chance.randint(2, 6)))

    def title(self, chance: random.Random) -> str:
        """A few words."""
        return re.sub(r"[^\w ]", "", self.sentence(chance, 4, 8))


@dataclass(frozen=True)
class Post:
    """A post, made of its number alone."""

    blog: int
    number: int
    prose: Prose

    @cached_property
    def title(self) -> str:
        return self.prose.title(random.Random(f"title {self.blog}/{self.number}"))

    @property
    def path(self) -> str:
        slug = "-".join(self.title.lower().split()[:6])
        return f"{self.date:%Y/%m}/{slug}-{self.number}.html"

    @property
    def date(self) -> datetime:
        return _NEWEST - timedelta(days=3 * self.number, hours=self.blog)

    @cached_property
    def body(self) -> str:
        """The post's own words as HTML."""
        chance = random.Random(f"body {self.blog}/{self.number}")
        return "\n".join(
            _block(self.prose, chance) for _ in range(max(4, min(50, int(chance.lognormvariate(2.8, 0.5)))))
        )

    @cached_property
    def summary(self) -> str:
        return self.prose.paragraph(random.Random(f"body {self.blog}/{self.number}"))


def _block(prose: Prose, chance: random.Random) -> str:
    kind = chance.choices(("p", "h2", "ul", "quote", "figure", "code"), (66, 10, 8, 5, 7, 4))[0]
    if kind == "h2":
        return f"<h2>{prose.title(chance)}</h2>"
    if kind == "ul":
        return "<ul>" + "".join(f"<li>{prose.sentence(chance)}</li>" for _ in range(chance.randint(3, 7))) + "</ul>"
    if kind == "quote":
        return f"<blockquote><p>{prose.paragraph(chance)}</p></blockquote>"
    if kind == "figure":
        name = chance.randrange(9_999)
        sizes = ", ".join(f"/images/{name}-{width}.jpg {width}w" for width in (320, 640, 1024, 1536))
        said = prose.title(chance)
        return f'<figure><img src="/images/{name}.jpg" srcset="{sizes}" alt="{said}" loading="lazy"><figcaption>{said}</figcaption></figure>'
    if kind == "code":
        lines = "\n".join(f"{chance.choice('abcxyz')} = call({chance.randrange(99)})" for _ in range(8))
        return f"<pre><code>{lines}</code></pre>"
    said = prose.paragraph(chance).split(" ")
    for _ in range(chance.randint(0, 3)):
        place = chance.randrange(len(said))
        said[place] = (
            f'<a href="https://example-{chance.randrange(400)}.example/{chance.randrange(99)}">{said[place]}</a>'
        )
    return f"<p>{' '.join(said)}</p>"


class Blog:
    """A blog and the files of its site."""

    def __init__(self, number: int, host: str, count: int, prose: Prose) -> None:
        self.host = host
        self.posts = [Post(number, one, prose) for one in range(count)]
        self._theme = THEMES[number % len(THEMES)]
        self._prose = prose
        chance = random.Random(f"blog {number}")
        self._name = prose.title(chance)
        self._style = "\n".join(
            f".{chance.choice(('post', 'nav', 'widget', 'card'))}-{n}{{margin:{chance.randrange(90)}px;color:#{chance.randrange(1 << 24):06x}}}"
            for n in range(300)
        )

    def files(self) -> Iterator[tuple[str, str]]:
        """Path and content of each."""
        for post in self.posts:
            yield post.path, self._page(post)
        feeds = "".join(
            f'<link rel="alternate" type="application/rss+xml" href="/{name}">' for name in ("feed.xml", "feed-all.xml")
        )
        listed = "".join(
            f'<li><a href="/{post.path}">{escape(post.title)}</a></li>' for post in self.posts[:FEED_POSTS]
        )
        yield (
            "index.html",
            f"<!DOCTYPE html><html lang=en><head><title>{self._name}</title>{feeds}</head><body><ul>{listed}</ul></body></html>",
        )
        yield "feed.xml", self._feed(self.posts[:FEED_POSTS], whole=True)
        yield "feed-all.xml", self._feed(self.posts, whole=False)
        yield "robots.txt", "User-agent: *\nDisallow: /private/\n"

    def _page(self, post: Post) -> str:
        chance = random.Random(f"page {post.blog}/{post.number}")
        url = f"{self.host}/{post.path}"
        head = (
            f'<link rel="canonical" href="{url}"><meta name="author" content="Ann Writer">'
            f'<meta property="article:published_time" content="{post.date.isoformat()}">'
            f'<meta name="description" content="{post.summary[:150]}"><style>{self._style}</style>'
        )
        page = self._theme(post.title, post.body, head=head, host=self.host.partition("//")[2])
        return page.replace("</body>", f"{self._around(post, chance)}</body>")

    def _around(self, post: Post, chance: random.Random) -> str:
        """What stands on the page beside the post."""
        said = [self._prose.paragraph(chance) for _ in range(min(20, int(chance.expovariate(1 / 5))))]
        comments = "".join(
            f'<li class="comment"><cite>Reader {n}</cite><p>{one}</p><a rel="nofollow" href="#reply-{n}">Reply</a></li>'
            for n, one in enumerate(said)
        )
        others = chance.sample(self.posts, min(6, len(self.posts)))
        related = "".join(
            f'<div class="related-post"><a href="/{one.path}">{escape(one.title)}</a><p>{one.summary[:200]}</p></div>'
            for one in others
        )
        months = "".join(
            f'<li class="archive-{n}"><a href="/{2026 - n // 12}/{1 + n % 12:02}/" data-count="{chance.randrange(30)}">'
            f"{1 + n % 12:02}/{2026 - n // 12}</a></li>"
            for n in range(240)
        )
        recent = "".join(f'<li><a href="/{one.path}">{escape(one.title)}</a></li>' for one in self.posts[:25])
        tags = "".join(
            f'<a class="tag-{n}" href="/tag/{n}/" style="font-size:{n % 9 + 8}pt">{self._prose.title(chance)}</a> '
            for n in range(80)
        )
        share = "".join(
            f'<li class="share"><a rel="nofollow noopener" target="_blank" href="https://{name}.example/share?u={self.host}/{post.path}"><span>{name}</span></a></li>'
            for name in ("one", "two", "three", "four", "five")
        )
        return (
            f'<ol class="comment-list" id="comments">{comments}</ol><section class="related">{related}</section>'
            f'<ul class="share-buttons">{share}</ul><aside class="sidebar"><ul class="recent">{recent}</ul>'
            f'<ul class="archives">{months}</ul><div class="tagcloud">{tags}</div></aside>'
            '<div class="cookie-notice"><p>We use cookies to make this site work. <button>Accept</button></p></div>'
        )

    def _feed(self, posts: Sequence[Post], *, whole: bool) -> str:
        items = "".join(
            f"<item><title>{escape(post.title)}</title><link>{self.host}/{post.path}</link>"
            f"<guid>{self.host}/{post.path}</guid><pubDate>{format_datetime(post.date)}</pubDate>"
            f"<description>{escape(post.body if whole else post.summary)}</description></item>"
            for post in posts
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{self._name}</title><link>{self.host}/</link>{items}</channel></rss>'


def make(folder: Path, *, blogs: int, posts: int, port: int) -> World:
    """Write the files of so many blogs that have so many posts together."""
    prose = Prose()
    hosts = [f"http://{_FIRST + number}:{port}" for number in range(blogs)]
    urls = []
    for number, host in enumerate(hosts):
        blog = Blog(number, host, (posts + blogs - 1 - number) // blogs, prose)
        urls += [f"{host}/{post.path}" for post in blog.posts]
        for path, said in blog.files():
            file = folder / "www" / str(_FIRST + number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(said)
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(said.encode(), 6, mtime=0))
    (folder / "hosts.txt").write_text("".join(f"{host}\n" for host in hosts))
    (folder / "urls.txt").write_text("".join(f"{url}\n" for url in urls))
    return World(folder=folder)


def main() -> None:
    """Make a world and say how large its pages are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--blogs", type=int, default=20)
    parser.add_argument("--posts", type=int, default=2_000, help="of all blogs together")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    world = make(given.folder, blogs=given.blogs, posts=given.posts, port=given.port)
    sizes = [path.stat().st_size for path in (given.folder / "www").rglob("20*/*/*.html")]
    print(f"{len(world.posts)} posts of {len(world.hosts)} blogs, {sum(sizes) / len(sizes):,.0f} bytes a page")


if __name__ == "__main__":
    main()
