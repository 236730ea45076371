"""What a page says: the post's text, or why it is not the post. No I/O.

`page_signs` collects the evidence, `judge` weighs it, `pipeline` extracts the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from http import HTTPStatus

from lxml.html import HtmlElement

from archive.errors import ExtractError, PageTooLargeError
from archive.extract import page_links, page_source, pipeline, rights, words
from archive.extract.block_walk import blocks_of
from archive.extract.blocks import BlockType, images_in, links_in, markdown_text
from archive.extract.feed_hints import entry_blocks
from archive.extract.judge import Case, judge, quoted, quotes, same_page_everywhere, testimony
from archive.extract.method import DEFAULT, Method
from archive.extract.page_signs import Signs, may_be_walled, signs_of
from archive.extract.reading import PageReading
from archive.extract.section import section
from archive.extract.site_profile import Profile
from archive.extract.text import Entry, Text
from archive.extract.verdict import Kind, Verdict
from archive.extract.walls import challenge_in_headers, leads_to_login, marked, walls

__all__ = ["PageReading", "read_page", "same_page_everywhere"]

_SHORT = 60
"""Words up to which an extracted text is compared with what readers see."""
_SECTION = 0.8
"""Share of what a page has of the entry that a section must have to be the post."""
_SENTENCE = 10
"""Words from which on a line is running text."""
_MARKED_BYTES = 100_000
"""Beginning of a refusal that is searched for the names of what refuses."""
_LOGIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})
_MEDIA_TYPES = ("audio/", "video/", "image/", "font/")
_FILE_TYPES = frozenset(
    f"application/{name}" for name in ("pdf", "epub+zip", "zip", "gzip", "octet-stream", "x-bittorrent", "ogg", "json")
)


def read_page(  # noqa: PLR0913  all of it is known of the page
    payload: bytes,
    *,
    url: str,
    asked: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
    date: datetime | None = None,
    entry: Entry | None = None,
    site: Profile | None = None,
    front: str | None = None,
    foreign: bool = False,
    archived: bool = False,
    method: Method = DEFAULT,
) -> PageReading:
    """Read a page: the text of a post and its metadata, as `extract` gives them, or why it is not the post.

    Args:
        payload: The page, without content coding.
        url: The URL that answered. If it has a fragment that names an element, that section is the post.
        asked: The URL that was requested, if another one answered.
        status: The status of the response.
        headers: Its headers.
        content_type: Its media type and charset.
        date: When the page was captured; dates more than a day later are ignored.
        entry: The post's entry in a feed: the witness of what the page should say.
        site: The blocks that recur on the site.
        front: The front page of the blog, as its feed states it.
        foreign: Whether the page is on somebody else's site: then only the entry's words make it the post.
        archived: Whether the post was archived before: its entry may be older than the page, so that the absence of its
            words is only a doubt.
        method: The extractor, and the operator's rules for the site.

    Raises:
        ExtractError: The page is too large.
    """
    stated = headers or {}
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return PageReading(text=None, verdict=_refusal(payload, status, stated), words="")
    try:
        source = page_source.Source.of(payload, url, content_type)
    except PageTooLargeError:
        raise
    except ExtractError as e:
        return PageReading(text=None, verdict=_not_a_page(payload, content_type, e), words="")
    links = page_links.links_of(source.tree, url, front=front)
    part = section(source.tree, url)
    if part is not None and _is_own_section(part, source.tree, entry):
        of_page = rights.stated(source.tree, stated, url)
        read = _read_section(part, url, date=date, entry=entry, site=site, method=method, links=links)
        return replace(read, text=replace(read.text, rights=of_page)) if read.text else read
    signs = cache(partial(signs_of, source.tree, url=url, headers=stated))
    text = pipeline.read(source, date=date, entry=entry, site=site, method=method, signs=signs, headers=stated)
    verdict, found = None, text.text
    if asked is not None or foreign or not quotes(text.text, entry) or may_be_walled(source.elements):
        seen = _with_running(signs(), text)
        verdict = judge(
            Case(
                signs=seen,
                said=testimony(entry, seen, text.text),
                text=text.text,
                asked=asked,
                front=front,
                is_foreign=foreign,
                is_archived=archived,
                has_entry=entry is not None,
            )
        )
        found = text.text or " ".join(seen.main_text.split())
        if not text.text and (verdict is None or not verdict.certain):
            text = _captions(text, source, seen)
            if not text.text:
                verdict = verdict or Verdict(kind="empty", reason="has no words", certain=True)
                verdict = replace(verdict, certain=True)
    return PageReading(
        text=None if verdict and verdict.certain else text,
        verdict=verdict,
        words=found,
        next_page=links.next_page,
        amp=links.amp,
        canonical=links.canonical,
    )


def _refusal(payload: bytes, status: int, headers: Mapping[str, str]) -> Verdict:
    """Why a response with another status than 200 is not the post."""
    kind: Kind = "error"
    reason = f"answered {status}"
    mark = challenge_in_headers(headers)
    if mark is None and status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        known = walls()
        page = payload[:_MARKED_BYTES].decode("utf-8", "replace")
        mark = marked(page, (*known.challenge_pages, *known.challenge_marks))
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    if mark is not None:
        kind, reason = "challenge", f"{reason} with a challenge ({mark})"
    elif status in _LOGIN or (location and leads_to_login(location)):
        kind = "login"
    elif status == HTTPStatus.PAYMENT_REQUIRED:
        kind = "paywall"
    return Verdict(kind=kind, reason=reason, certain=True)


def _not_a_page(payload: bytes, content_type: str | None, error: ExtractError) -> Verdict:
    if not payload.strip():
        return Verdict(kind="empty", reason="has no content", certain=True)
    named = (content_type or "").partition(";")[0].strip().lower()
    if "html" in named and b"<" not in payload[:_MARKED_BYTES]:
        return Verdict(kind="media", reason="is plain text, whatever its media type says", certain=True)
    return Verdict(kind="media", reason=f"is not a web page ({named or error})", certain=True)


def _with_running(signs: Signs, text: Text) -> Signs:
    """The signs of a page, its running text counted in the extracted text where that found it elsewhere."""
    if signs.running >= _SHORT:
        return signs
    notices = words.letters("".join(signs.notices))
    lines = [line for line in text.text.split("\n") if words.letters(line) not in notices]
    found = sum(size for line in lines if (size := words.count(line)) >= _SENTENCE)
    return replace(signs, running=found) if found >= _SHORT else signs


def _captions(text: Text, source: page_source.Source, signs: Signs) -> Text:
    """The text of a post that shows a picture or plays something: its captions, or else its title."""
    if not signs.media:
        return text
    body = source.tree.find("body")
    shown = [
        block
        for block in blocks_of(source.tree if body is None else body, dropped=frozenset(), url=source.url)
        if block.type in (BlockType.CAPTION, BlockType.IMAGE, BlockType.EMBED)
    ]
    said = [block.plain for block in shown if block.type is not BlockType.EMBED and block.plain]
    plain = "\n".join(dict.fromkeys(said)) or (text.title or "")
    marked = markdown_text(shown) or plain
    return replace(text, text=plain, markdown=marked, images=images_in(shown), links=links_in(shown)) if plain else text


def _is_own_section(part: HtmlElement, tree: HtmlElement, entry: Entry | None) -> bool:
    """Whether a section is the post that an entry is about: links also lead to the middle of a post."""
    if entry is None:
        return True
    said = "\n".join(block.plain for block in entry_blocks(entry.html))
    of_part, of_page = (quoted(said, entry.title or "", "".join(one.itertext())) for one in (part, tree))
    return of_part >= _SECTION * of_page


def _read_section(
    part: HtmlElement,
    url: str,
    *,
    date: datetime | None,
    entry: Entry | None,
    site: Profile | None,
    method: Method,
    links: page_links.PageLinks,
) -> PageReading:
    """Read the section of a page that a fragment names."""
    source = page_source.Source(part, url, lambda: deepcopy(part))
    text = pipeline.read(source, date=date, entry=entry, site=site, method=method)
    verdict = None if text.text else Verdict(kind="empty", reason="has no words in its section", certain=True)
    return PageReading(
        text=None if verdict else text,
        verdict=verdict,
        words=text.text,
        amp=links.amp,
        canonical=links.canonical,
        is_section=True,
    )
