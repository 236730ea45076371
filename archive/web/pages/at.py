"""A blog as it was at an instant: its list of posts, each post, its feed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote, urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from archive.errors import ArchiveError, TaskError
from archive.export.atom import MEDIA_TYPE, Entry, atom
from archive.export.markdown_html import addresses_in
from archive.index.at_time import Place
from archive.index.schema import CaptureRow
from archive.reader.blog_at import BlogAt, HeldPost, Part, last_of
from archive.reader.blog_hosts import hosts_of
from archive.reader.post_words import day_of, instant_of, lead_of
from archive.runtime.times import parse_moment
from archive.web.errors import BadRequestError, escape
from archive.web.limits import SHOWN_CHARACTERS
from archive.web.markdown_html import markdown_html
from archive.web.memento_path import STAMP_DIGITS, in_path, quoted, readings_in_path, stamp_of
from archive.web.pages.layout import Site
from archive.web.request import rest_of

log = logging.getLogger(__name__)

POSTS = 25
"""Posts on one page of the list, and in the feed."""
_PREFIX = "/at/"
_POST, _FEED = "post/", "feed.atom"


def form(_site: Site, request: Request) -> Response:
    """`/at?blog=BLOG&time=TIME`: where a form leads."""
    given = request.query_params
    blog, time = given.get("blog", "").strip(), given.get("time", "").strip()
    if not blog or not time:
        raise BadRequestError("blog and time are needed", hint="Ask for /at/TIME/BLOG.")
    return _elsewhere(f"{stamp_of(_moment(time))}/{quoted(blog)}")


def at(site: Site, request: Request) -> Response:
    """`/at/TIME/BLOG`, `/at/TIME/BLOG/post/URL` and `/at/TIME/BLOG/feed.atom`."""
    written, _, rest = rest_of(request, _PREFIX).partition("/")
    moment = _moment(written)
    host, slash, more = rest.partition("?")[0].partition("/")
    is_page = not more or more == _FEED
    is_post = bool(slash) and rest.partition("/")[2].startswith(_POST)
    if not rest:
        raise BadRequestError("the blog is missing", hint="Ask for /at/TIME/BLOG.", status=HTTPStatus.NOT_FOUND)
    try:
        hosts = hosts_of(site.reader, unquote(host) if is_page or is_post else rest)
    except ValueError as e:
        raise BadRequestError(str(e)) from e
    stamp = stamp_of(moment)
    if len(written) != STAMP_DIGITS or not written.isdigit() or quoted(hosts[0]) != host or not (is_page or is_post):
        below = rest.partition("/")[2] if is_post or more == _FEED else ""
        return _elsewhere(f"{stamp}/{quoted(hosts[0])}" + (f"/{below}" if below else ""))
    blog = BlogAt(site.reader, hosts, last_of(moment))
    if is_post:
        return _post(site, request, blog, stamp, rest.partition("/")[2][len(_POST) :])
    return _feed(site, request, blog, stamp) if more else _front(site, request, blog, stamp)


def _front(site: Site, request: Request, blog: BlogAt, stamp: str) -> Response:
    """The list of posts; `?after=PLACE` continues it, `?later=PLACE` that of posts first seen later."""
    after, later = _place(request, "after"), _place(request, "later")
    listed = Part(posts=(), following=None) if later else blog.listed(POSTS, after)
    afterwards = Part(posts=(), following=None) if after else blog.seen_later(POSTS, later)
    posts = blog.posts(listed.posts)
    begun = after is not None or later is not None
    front, feed = (None, None) if begun else _captured(blog, posts)
    first, newest = blog.period()
    return site.page(
        request,
        "at_blog",
        host=blog.host,
        stamp=stamp,
        until=blog.moment,
        posts=[(post, post.stated, lead_of(post.text.text) if post.text else "") for post in posts],
        later=afterwards.posts,
        after_place=after,
        later_place=later,
        following="?" + urlencode({"after": str(listed.following)}) if listed.following else "",
        following_later="?" + urlencode({"later": str(afterwards.following)}) if afterwards.following else "",
        first=first,
        newest=newest,
        front=front,
        feed=feed,
        day_of=day_of,
    )


def _captured(blog: BlogAt, posts: Sequence[HeldPost]) -> tuple[CaptureRow | None, CaptureRow | None]:
    """The captures of the front page and of the feed nearest to the instant."""
    front = blog.front()
    newest = next((one.version.captures[0] for one in posts if one.version.text.source == "page"), None)
    try:
        return front, blog.feed((front, newest))
    except ArchiveError as e:  # the list does not depend on it
        log.warning("feed not looked for host=%s error=%s", blog.host, e)
        return front, None


def _post(site: Site, request: Request, blog: BlogAt, stamp: str, written: str) -> Response:
    try:
        post = blog.post(site.reader.meant(readings_in_path(written)).url)
    except ValueError as e:
        raise BadRequestError(str(e)) from e
    stated = post.stated
    return site.page(
        request,
        "at_post",
        host=blog.host,
        stamp=stamp,
        until=blog.moment,
        post=post,
        stated=stated,
        title=post.version.text.title or post.url,
        body=_html(site, blog, post, stamp),
        cut=post.text is not None and len(post.text.text) > SHOWN_CHARACTERS,
        day_of=day_of,
    )


def _feed(site: Site, request: Request, blog: BlogAt, stamp: str) -> Response:
    """The newest posts, with their texts."""
    here = f"{request.scope['pressmark.base']}/at/{stamp}/{quoted(blog.host)}"
    posts = blog.posts(blog.listed(POSTS).posts)
    body = atom(
        id=uuid.uuid5(uuid.NAMESPACE_URL, here).urn,
        link=f"{here}/{_FEED}",
        alternate=here,
        title=f"{blog.host}, as it was on {blog.until:%Y-%m-%d %H:%M:%S} UTC",
        entries=[_entry(site, blog, post, stamp, link=f"{here}/{_POST}{in_path(post.url)}") for post in posts],
        updated=blog.moment,
        base=here,
    )
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})


def _entry(site: Site, blog: BlogAt, post: HeldPost, stamp: str, *, link: str) -> Entry:
    stated = post.stated
    try:
        html = str(_html(site, blog, post, stamp))
    except TaskError as e:  # the other entries are whole
        log.warning("text not shown in a feed url=%s error=%s", post.url, e)
        html = f"<p>{escape(f'This text cannot be shown: {e}')}</p>"
    return Entry(
        id=post.url,
        link=link,
        title=post.version.text.title or post.url,
        updated=post.version.first,
        published=instant_of(stated.published) if stated else None,
        author=stated.author if stated else None,
        html=html,
    )


def _html(site: Site, blog: BlogAt, post: HeldPost, stamp: str) -> Markup:
    """The text as sanitized HTML: links between posts stay at this instant, pictures are links to their copies."""
    stated = post.stated
    if stated is None:
        return Markup("")
    markdown = stated.markdown[:SHOWN_CHARACTERS]
    links = blog.known(site.reader.work(addresses_in, markdown=markdown).links)
    held = {url: f"/at/{stamp}/{quoted(blog.host)}/{_POST}{in_path(url)}" for url in links}
    return Markup(site.reader.work(markdown_html, markdown=markdown, stamp=stamp, links=held))  # noqa: S704  sanitized there


def _moment(written: str) -> datetime:
    try:
        return parse_moment(unquote(written))
    except ValueError as e:
        raise BadRequestError(str(e)) from e


def _place(request: Request, name: str) -> Place | None:
    written = request.query_params.get(name, "")
    try:
        return Place.parse(written) if written else None
    except ValueError as e:
        raise BadRequestError(f"{name}: {e}") from e


def _elsewhere(below: str) -> Response:
    return RedirectResponse(_PREFIX + below, status_code=HTTPStatus.FOUND)
