"""A crawled blog as it was between two crawls."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from conftest import Home
from lxml import html
from sample.blogs import BLOGS, EDIT
from sample.server import Site


def test_between_two_crawls_the_blog_has_the_words_of_the_first(home: Home, site: Site, tmp_path: Path) -> None:
    blog = BLOGS[0]
    site.pages.update(blog.pages(site.url))
    assert home.pressmark("crawl", f"{site.url}/").code == 0
    between = datetime.now(UTC).isoformat()
    site.pages.update(blog.edited(*EDIT).pages(site.url))
    assert home.pressmark("crawl", "--force").code == 0
    slug, before, after = EDIT
    edited = next(post for post in blog.posts if post.slug == slug)
    for time, words, other in ((between, before, after), ("2999", after, before)):
        out = tmp_path / time[:4] / "site"
        ran = home.pressmark("at", time, f"{site.url}/", "--out", str(out))
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.startswith(f"{out}: {len(blog.posts)} posts of ")
        index = html.fromstring((out / "index.html").read_text())
        titles = index.xpath("//h2[text()='Posts']/following-sibling::ul[1]//a/text()")
        assert titles == [one.title for one in sorted(blog.posts, key=lambda one: one.published, reverse=True)]
        page = next(link.get("href") for link in index.iterfind(".//a") if link.text == edited.title)
        said = html.fromstring((out / page).read_text()).xpath("string(//article)")
        assert words in said
        assert other not in said
