"""Pages of a blog that link to its posts: front page, archives, numbered pages. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import LxmlError

from archive.extract.padding import without_padding
from archive.warc.codings import unicode_html
from archive.warc.page_identity import page_key
from crawler.backfill.model import PAGES, Found
from crawler.backfill.url_shapes import posts, same_site
from crawler.errors import FeedError
from crawler.limits import SITEMAP_URLS
from crawler.model.url_identity import joined
from crawler.net.credentials import bare

_FRONT_PAGES = ("", "archive", "archives", "blog")
_YEAR = re.compile(r"/(?:19|20)\d\d(?:/\d\d?)?/?$")
_NUMBERED = re.compile(r"(?:/page/?\d+/?$|[?&](?:page|paged|p|start|offset)=\d+$|/page\d+)", re.IGNORECASE)
_ARCHIVE_WORDS = re.compile(
    r"^\W*(?:older|previous|next|earlier|more posts|archives?|all posts|»|→|\u203a)", re.IGNORECASE
)


def front_pages(site: str) -> list[tuple[str, str]]:
    """Pages of a blog that usually link to its posts."""
    front = site if site.endswith("/") else f"{site}/"
    return [(url, PAGES) for url in dict.fromkeys(urljoin(front, path) for path in _FRONT_PAGES)]


def read(body: bytes, url: str, content_type: str | None, shapes: frozenset[str]) -> Found:
    """Read a page that links to posts and perhaps to more such pages.

    Raises:
        FeedError: It is not an HTML page.
    """
    text = without_padding(unicode_html(body, content_type))
    try:
        tree = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (LxmlError, ValueError) as e:
        raise FeedError("is not an HTML page", url=url) from e
    links = list(_links(tree, url))
    entries = posts((target for target, _ in links), url, shapes).entries
    known = {page_key(post.link or "") for post in entries}
    more = [target for target, goes_on in links if goes_on and page_key(target) not in known and same_site(target, url)]
    return Found(entries=entries, more=tuple((target, PAGES) for target in dict.fromkeys(more)))


def _links(tree: Any, url: str) -> Iterator[tuple[str, bool]]:  # noqa: ANN401  lxml's element
    """Targets of links, and whether each leads to another list of posts."""
    for number, link in enumerate(tree.iter("a", "link")):
        if number >= SITEMAP_URLS:
            return
        resolved = joined(url, (link.get("href") or "").strip())
        if resolved is None:
            continue
        target = bare(resolved.partition("#")[0])
        rel = (link.get("rel") or "").lower().split()
        if link.tag == "link" and not {"next", "prev"} & set(rel):
            continue
        words = " ".join(link.text_content().split())[:100] if link.tag == "a" else ""
        parts = urlsplit(target)
        listed = _YEAR.search(parts.path) or _NUMBERED.search(parts.path + (f"?{parts.query}" if parts.query else ""))
        yield target, bool({"next", "prev"} & set(rel) or listed or _ARCHIVE_WORDS.match(words))
