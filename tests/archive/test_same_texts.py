"""What is extracted stays the same, byte for byte, as long as the rules do: a faster way must find the same.

`python tests/archive/test_same_texts.py` writes `same_texts.json` anew, which a change of the rules needs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sample.blogs import BLOGS
from sample.honest_posts import honest_posts

from archive.extract.page_reading import read_page
from archive.extract.pipeline import RULES
from archive.extract.text import Entry, Text

SAVED = Path(__file__).parent / "same_texts.json"
WIDGETS = Path(__file__).parent / "widgets"
ROOT = "https://blog.example"
PAGE = f"{ROOT}/2025/05/a-post/"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pages() -> Iterator[tuple[str, str, str, Entry | None]]:
    """Name, URL, markup and entry of pages that are generated, or saved for other tests."""
    for post in islice(honest_posts(), 0, None, 3):
        for number, entry in enumerate(post.entries):
            yield f"{post.name} {number}", PAGE, post.markup, entry
    for blog in BLOGS:
        for one in blog.posts:
            url, page = f"{ROOT}{blog.url_of(one)}", blog.theme(blog, one, ROOT)
            for name, entry in (("alone", None), ("guided", Entry(title=one.title, html=one.body))):
                yield f"{blog.name} {one.slug} {name}", url, page, entry
    for path in sorted(WIDGETS.glob("*.html")):
        yield path.stem, PAGE, path.read_text(), None


def digests() -> dict[str, str]:
    """The digest of everything that is read from each page."""
    return {name: digest(url, page, entry) for name, url, page, entry in pages()}


def digest(url: str, page: str, entry: Entry | None) -> str:
    read = read_page(page.encode(), url=url, content_type="text/html; charset=utf-8", date=NOW, entry=entry)
    verdict = [read.verdict.kind, read.verdict.reason, read.verdict.certain] if read.verdict else None
    links = [read.next_page, read.amp, read.canonical]
    found = json.dumps([fields(read.text), verdict, read.words, links], sort_keys=True)
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def fields(text: Text | None) -> dict[str, object] | None:
    """All of a text but who made it and from which entry."""
    made = {**text.fields(), "text": text.text} if text else None
    return {name: value for name, value in made.items() if name not in ("extractor", "entry")} if made else None


def test_texts_are_as_before() -> None:
    saved = json.loads(SAVED.read_text())
    assert saved["rules"] == RULES
    found = digests()
    assert len(found) > 200
    assert [name for name in {**found, **saved["texts"]} if found.get(name) != saved["texts"].get(name)] == []


if __name__ == "__main__":
    SAVED.write_text(json.dumps({"rules": RULES, "texts": digests()}, indent=0, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{SAVED} is written\n")
