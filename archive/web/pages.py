"""Pages for people about captures and texts."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from threading import Lock
from time import monotonic
from urllib.parse import urlencode

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from archive.errors import ArchiveError, NotArchivedError
from archive.export.wacz import wacz
from archive.extract.requisites import of_style, page_links, requisites
from archive.index.from_records import HeldText, host_of
from archive.index.lookup import Lookup
from archive.index.overview import Overview
from archive.index.schema import CaptureRow
from archive.index.versions import Version
from archive.limits import RANKED_TEXTS
from archive.reader.page_history import captures_and_versions, compared, versions_of
from archive.reader.reader import Reader
from archive.search.query import begin, parse
from archive.search.search import Search
from archive.warc.http_message import headers
from archive.web import charts
from archive.web.errors import WrongError
from archive.web.limits import PACKED_LINKS, PACKED_RESOURCES, PAYLOADS_BYTES, SHOWN_CHARACTERS
from archive.web.memento_path import asked_url, dated, moment_of, quoted, stamp_of
from archive.web.mementos import rest_of
from archive.web.ranges import matches, part_of
from archive.web.replay import link
from archive.web.security import PAGE_POLICY
from archive.web.templating import Templates

log = logging.getLogger(__name__)

LATELY = 12
"""Posts of each list on the front page."""
A_PAGE = 50
"""Posts of a blog's page."""
HITS = 10
MAX_PAGES = 500
"""Pages of a list that can be asked for."""
CAPTURES = 200
"""Captures that a page lists."""
MARKS = 300
"""Marks of a timeline."""
MAX_DIFFERENCES = 60_000
_MAX_LOOKED = 300
_OURS = re.compile(r"(?:from|to)=\d{1,14}|view=(?:side|inline)")
_YEAR = re.compile(r"\d{4}")
_CSP_DOWNLOAD = {"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-cache"}
_SOURCES = ("title", "author", "published", "modified", "site", "language", "tags", "canonical", "license", "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished:
    """A post that is not there any more."""

    url: str
    since: datetime
    why: str
    alive: datetime | None
    """When it was last seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What other floors know and the pages of this one show."""

    vanished: Callable[[int], Sequence[Vanished]] = field(default=lambda _limit: ())
    """The last posts that vanished."""
    ill: Callable[[], Mapping[str, str]] = field(default=dict)
    """What is wrong, by the part that is."""


class Pages:
    """Everything about captures and texts."""

    def __init__(
        self,
        archive: Reader,
        lookup: Lookup,
        templates: Templates,
        aside: Aside | None = None,
        replay: Callable[[str], str] | None = None,
    ) -> None:
        self._archive = archive
        self._lookup = lookup
        self._templates = templates
        self._aside = aside or Aside()
        self._replay = replay
        # What looks at all texts is looked up once a minute.
        self._known = lru_cache(maxsize=1)(lambda _minute: self._search.known())
        self._blogs_known = lru_cache(maxsize=1)(lambda _minute: self._overview.hosts())
        self._packed: OrderedDict[tuple[str, bool], bytes] = OrderedDict()
        self._packing = Lock()
        self._overview = Overview(archive.index)
        self._search = Search(archive)
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")

    def routes(self) -> list[BaseRoute]:
        """The pages."""
        return [
            page_route("/", self._home),
            page_route("/blogs", self._blogs),
            page_route("/blog/{host}", self._blog),
            page_route("/post/{rest:path}", self._post),
            page_route("/diff/{rest:path}", self._diff),
            page_route("/replay/{rest:path}", self._replayed),
            page_route("/exchange/{rest:path}", self._exchange),
            page_route("/download/{form}/{rest:path}", self._download),
            page_route("/search", self._found),
            page_route("/calendar", self._calendar),
            # Before the mementos, whose path begins alike.
            page_route("/web/*/{rest:path}", self._captures),
        ]

    def error(self, *, request: Request, status: int, said: str, hint: str) -> str:
        """A question that could not be answered."""
        return self._templates.page("archive/error.html", path=request.url.path, status=status, said=said, hint=hint)

    def frame(self, *, request: Request, row: CaptureRow, url: str, stamp: str) -> str:
        """A memento with a bar that tells what it is."""
        replayed = f"/replay/{stamp}/{quoted(url)}" if self._replay and row.status < 400 else ""  # noqa: PLR2004
        return self._framed(request, row, url, replayed=replayed, source=f"/web/{stamp}if_/{quoted(url)}")

    def _framed(
        self, request: Request, row: CaptureRow, url: str, *, source: str, replayed: str = "", plain: str = ""
    ) -> str:
        return self._templates.page(
            "archive/frame.html",
            path=request.url.path,
            row=row,
            url=url,
            stamp=stamp_of(row.date),
            replayed=replayed,
            plain=plain,
            source=source,
        )

    def _replayed(self, request: Request) -> Response:
        """A memento in the replay engine, in a frame that is of another origin."""
        url, stamp = self._asked(request, "/replay/")
        if self._replay is None:
            raise WrongError("nothing is replayed here", hint="Start it with --replay-port.", status=404)
        row = self._lookup.memento(url, moment_of(stamp or "9"))
        if row is None:
            raise NotArchivedError(url)
        base, stamp = request.scope["pressmark.base"], stamp_of(row[0].date)
        origin = self._replay(base)
        plain = f"/web/{stamp}/{quoted(url)}"
        shown = self._framed(request, row[0], url, plain=plain, source=link(origin, base, url, stamp))
        policy = PAGE_POLICY.replace("frame-src 'self'", f"frame-src {origin}")
        return HTMLResponse(shown, headers={"Cache-Control": "no-cache", "Content-Security-Policy": policy})

    def _page(self, request: Request, name: str, **values: object) -> Response:
        shown = self._templates.page(f"archive/{name}.html", path=request.url.path, **values)
        return HTMLResponse(shown, headers={"Cache-Control": "no-cache"})

    def _home(self, request: Request) -> Response:
        return self._page(
            request,
            "home",
            counts=self._overview.counts(),
            latest=self._overview.latest(LATELY),
            edited=self._overview.latest(LATELY, edited=True),
            vanished=self._aside.vanished(LATELY),
            ill=self._aside.ill(),
        )

    def _blogs(self, request: Request) -> Response:
        return self._page(request, "blogs", hosts=self._blogs_known(_minute()))

    def _blog(self, request: Request) -> Response:
        host: str = request.path_params["host"].lower()[:255]
        if not host.isprintable():
            raise WrongError(f"{host!a}: no host", status=404)
        year_asked = request.query_params.get("year", "")
        year = int(year_asked) if _YEAR.fullmatch(year_asked) and int(year_asked) else None
        page = _page_number(request)
        months = self._overview.months(host)
        if not months:
            raise WrongError(f"{host}: no post of it is held", status=404)
        posts = self._overview.posts(host, year=year, limit=A_PAGE + 1, offset=(page - 1) * A_PAGE)
        today = datetime.now(UTC).date()
        since = datetime(today.year - 1, today.month, 1, tzinfo=UTC)
        days = self._overview.days_of_host(f"http://{host}/", since)
        years: dict[int, int] = {}
        for month in months:
            years[month.year] = years.get(month.year, 0) + month.posts
        return self._page(
            request,
            "blog",
            host=host,
            posts=posts[:A_PAGE],
            more=len(posts) > A_PAGE,
            page=page,
            year=year,
            years=sorted(years.items(), reverse=True),
            total=sum(years.values()),
            activity=charts.bars(_every_month(months), label=f"Posts of {host} by month"),
            heat=charts.heat(days, first=since.date(), last=today, label=f"Captures of {host} by day, the last year"),
            captured=sum(days.values()),
            link=lambda number: "?" + urlencode({**({"year": year} if year else {}), "page": number}),
        )

    def _asked(self, request: Request, prefix: str) -> tuple[str, str | None]:
        """The URL that a path names, and its instant as digits."""
        rest = rest_of(request, prefix)
        try:
            asked = dated(rest)
            return (asked.url, asked.stamp) if asked else (asked_url(rest), None)
        except ValueError as e:
            raise WrongError(str(e)) from e

    def _post(self, request: Request) -> Response:
        url, stamp = self._asked(request, "/post/")
        rows, found = captures_and_versions(self._archive, url)
        at = moment_of(stamp) if stamp else found[-1].last
        shown = min(found, key=lambda one: min(abs(capture.date - at) for capture in one.captures))
        capture = min(shown.captures, key=lambda one: abs(one.date - at))
        held = self._archive.read_text(shown.text)
        base = request.scope["pressmark.base"]
        before = found[shown.number - 2] if shown.number > 1 else None
        return self._page(
            request,
            "post",
            url=shown.text.url,
            title=shown.text.title or shown.text.url,
            host=host_of(shown.text.url),
            body=self._rendered(held),
            cut=len(held.text) > SHOWN_CHARACTERS,
            held=held,
            facts=_facts(held),
            version=shown,
            before=before,
            versions=found[::-1][:CAPTURES],
            count=len(found),
            capture=capture,
            stamp=stamp_of(capture.date),
            captures=len(rows),
            timeline=self._timeline(rows, found),
            permalink=f"{base}/web/{stamp_of(capture.date)}/{quoted(shown.text.url)}",
            text_link=f"{base}/text/{stamp_of(capture.date)}/{quoted(shown.text.url)}",
        )

    def _rendered(self, held: HeldText) -> Markup:
        """The post's own words as markup; images stand with the page as it looked."""
        markdown = str(held.fields.get("markdown") or held.text)[:SHOWN_CHARACTERS]
        # Made without raw markup, and cleaned once more: neither of the two alone is trusted.
        markup = nh3.clean(
            self._markdown.render(markdown),
            tags={*nh3.ALLOWED_TAGS} - {"img", "map", "area"},
            link_rel="noopener noreferrer nofollow",
            url_schemes={"http", "https", "mailto"},
        )
        return Markup(_DEEPER.sub(lambda found: f"{found[1]}{min(6, int(found[2]) + 1)}", markup))  # noqa: S704  cleaned above

    def _timeline(self, rows: Sequence[CaptureRow], found: Sequence[Version]) -> Markup:
        first, last = rows[0].date, rows[-1].date
        span = (last - first).total_seconds() or 1.0
        step = max(1, len(rows) // MARKS)
        marks: list[tuple[float, str, str, str]] = []
        for row in rows[::step]:
            kind = "gone" if row.status >= 400 else "capture"  # noqa: PLR2004
            name = f"{row.date:%Y-%m-%d %H:%M} UTC, status {row.status}"
            marks.append(((row.date - first).total_seconds() / span, kind, "", name))
        for one in found[-MARKS:]:
            target = f"/post/{stamp_of(one.first)}/{quoted(one.text.url)}"
            name = f"Version {one.number}, first seen {one.first:%Y-%m-%d %H:%M} UTC"
            marks.append(((one.first - first).total_seconds() / span, "version", target, name))
        return charts.timeline(marks, label=f"{len(rows)} captures and {len(found)} versions over time")

    def _diff(self, request: Request) -> Response:
        url, _ = self._asked(request, "/diff/")
        # What follows the URL is ours, what stands in it is its own.
        path, mark, query = url.partition("?")
        own = [part for part in query.split("&") if not _OURS.fullmatch(part)] if mark else []
        url = path + (f"?{'&'.join(own)}" if own else "")
        given = request.query_params
        try:
            since, until = (
                moment_of(given[name]) if given.get(name, "").isdigit() else None for name in ("from", "to")
            )
        except ValueError as e:
            raise WrongError(f"from, to: {e}") from e
        found = versions_of(self._archive, url)
        both = compared(self._archive, found, since, until)
        view = "side" if given.get("view") == "side" else "inline"
        size = 0
        shown = []
        for change in both.changes:
            size += sum(len(run.text) for run in change.runs)
            if size > MAX_DIFFERENCES:
                break
            shown.append(change)
        return self._page(
            request,
            "diff",
            url=both.after.row.url,
            both=both,
            changes=shown,
            cut=len(shown) < len(both.changes),
            view=view,
            counted=both.as_json(),
            versions=found[-CAPTURES:],
        )

    def _exchange(self, request: Request) -> Response:
        url, stamp = self._asked(request, "/exchange/")
        found = self._lookup.memento(url, moment_of(stamp or "9"))
        if found is None:
            raise NotArchivedError(url)
        row = found[0]
        records = self._archive.records(row)
        shown = [
            {
                "kind": record.kind,
                "fields": [(name, _line(value)) for name, value in record.headers[:100]],
                "message": _head(record.block) if record.kind in {"response", "request", "revisit"} else (),
                "said": _line(record.block[:20_000].decode("utf-8", "replace"), keep="\n")
                if record.kind == "metadata"
                else "",
            }
            for record in records[:10]
        ]
        return self._page(request, "exchange", url=row.url, row=row, stamp=stamp_of(row.date), records=shown)

    def _download(self, request: Request) -> Response:
        form: str = request.path_params["form"]
        url, stamp = self._asked(request, f"/download/{form}/")
        at = moment_of(stamp) if stamp else None
        if form in {"text", "markdown"}:
            held = self._archive.text(url, at)
            said = held.text if form == "text" else str(held.fields.get("markdown") or held.text)
            ending, kind = ("txt", "text/plain") if form == "text" else ("md", "text/markdown")
            return _file((said + "\n").encode("utf-8", "replace"), f"{kind}; charset=utf-8", held.row.date, ending)
        if form not in {"warc", "wacz", "replay"}:
            raise WrongError(f"{form[:20]}: use text, markdown, warc or wacz", status=404)
        row = self._archive.find(url, at)
        if form == "warc":
            return _file(self._archive.replayable_members(row), "application/warc", row.date, "warc.gz")
        made = self._wacz(row.record, still=form == "replay")
        tag = f'"{hashlib.sha256(made).hexdigest()}"'
        headers = {**_as_file("application/wacz", row.date, "wacz"), "ETag": tag}
        if matches(request.headers, tag):
            return Response(status_code=304, headers=headers)
        return part_of(made, request.headers, headers, 200)

    def _wacz(self, record: str, *, still: bool) -> bytes:
        """As `_pack`, made once for all that ask at the same time."""
        with self._packing:
            made = self._packed.pop((record, still), None) or self._pack(record, still=still)
            self._packed[record, still] = made
            while len(self._packed) > 1 and sum(map(len, self._packed.values())) > PAYLOADS_BYTES:
                self._packed.popitem(last=False)
        return made

    def _pack(self, record: str, *, still: bool) -> bytes:
        """A page with what it loads, and the pages that it links to, as they were then."""
        row = self._archive.index.capture(record)
        if row is None:
            raise WrongError("not archived", status=404)
        rows = [row, *self._embedded(row)]
        linked = self._linked(row)
        title = next((text.title for text in self._archive.index.texts_of(row.record) if text.title), None) or row.url
        software = f"Pressmark {version('pressmark')}"
        for wanted in ([*rows, *linked], rows, rows[:1]):
            try:
                return wacz(self._archive, wanted, title=title, now=row.date, software=software, still=still)
            except OverflowError as e:
                log.info("left out of a file url=%s reason=%s", row.url, e)
        raise WrongError(f"{row.url}: too large for a WACZ file", status=413)

    def _payload(self, row: CaptureRow) -> bytes:
        try:
            return self._archive.payload(row)
        except ArchiveError as e:
            log.warning("page cannot be read url=%s error=%s", row.url, e)
            return b""

    def _embedded(self, row: CaptureRow) -> list[CaptureRow]:
        """What is held of the images, styles and fonts of a page."""
        found: list[CaptureRow] = []
        for one in requisites(self._payload(row), url=row.url, content_type=row.mime):
            near = self._near(one.url, row.date)
            if near is None:
                continue
            found.append(near)
            if one.kind == "style":
                inner = (self._near(two.url, row.date) for two in of_style(self._payload(near), url=near.url))
                found += [two for two in inner if two is not None]
        return found[:PACKED_RESOURCES]

    def _linked(self, row: CaptureRow) -> list[CaptureRow]:
        """What is held of the pages that a page links to, and of what these load."""
        links = page_links(self._payload(row), url=row.url, content_type=row.mime)
        held = self._lookup.held(links[:_MAX_LOOKED])
        found: list[CaptureRow] = []
        for url in [one for one in links if one in held][:PACKED_LINKS]:
            near = self._near(url, row.date)
            if near is not None:
                found += [near, *self._embedded(near)]
        return found[:PACKED_RESOURCES]

    def _near(self, url: str, at: datetime) -> CaptureRow | None:
        near = self._lookup.memento(url, at)
        return near[0] if near is not None and near[0].status < 400 else None  # noqa: PLR2004

    def _found(self, request: Request) -> Response:
        given = request.query_params
        asked = {
            name: given.get(name, "").strip()[:500]
            for name in ("q", "site", "lang", "author", "tag", "after", "before")
        }
        newest = given.get("sort") == "new"
        page = _page_number(request)
        found, wrong = None, ""
        said = " ".join(
            [asked["q"], *(f'{name}:"{asked[name]}"' for name in ("site", "lang", "author", "tag") if asked[name])]
            + [f"{name}:{asked[name]}" for name in ("after", "before") if asked[name]]
        ).strip()
        if said:
            try:
                for name in ("after", "before"):
                    if asked[name]:
                        begin(asked[name])
                found = self._search.find(parse(said), limit=HITS, offset=(page - 1) * HITS, newest=newest)
            except ValueError as e:
                wrong = str(e)
        more = {name: value for name, value in asked.items() if value} | ({"sort": "new"} if newest else {})
        response = self._page(
            request,
            "search",
            asked=asked,
            found=found,
            wrong=wrong,
            page=page,
            first=(page - 1) * HITS + 1,
            newest=newest,
            known=self._known(_minute()),
            most=RANKED_TEXTS,
            link=lambda number: "/search?" + urlencode({**more, "page": number}),
        )
        response.status_code = 400 if wrong else 200
        return response

    def _calendar(self, request: Request) -> Response:
        url = request.query_params.get("url", "").strip()
        if url:
            try:
                return RedirectResponse(f"/web/*/{quoted(asked_url(url))}", status_code=303)
            except ValueError as e:
                raise WrongError(str(e)) from e
        return self._page(request, "calendar", url="", years=(), rows=(), count=0, day="", wrong="")

    def _captures(self, request: Request) -> Response:
        rest = rest_of(request, "/web/*/")
        asked_day = ""
        if (found := re.fullmatch(r"(.*)[?&]_day=(\d{8})", rest, re.DOTALL)) is not None:
            rest, asked_day = found[1], found[2]
        try:
            url = asked_url(rest)
        except ValueError as e:
            raise WrongError(str(e)) from e
        by_day = self._overview.days_of_page(url)
        if not by_day:
            raise WrongError(f"{url}: not archived", status=404)
        days: dict[int, dict[date, int]] = {}
        for day, number in by_day.items():
            days.setdefault(day.year, {})[day] = number
        since = until = None
        count = sum(by_day.values())
        if asked_day:
            try:
                since = datetime.strptime(asked_day, "%Y%m%d").replace(tzinfo=UTC)
                until = since + timedelta(days=1)
            except (ValueError, OverflowError):
                raise WrongError(f"_day={asked_day[:20]}: no such day") from None
            count = by_day.get(since.date(), 0)
        mark = "&" if "?" in quoted(url) else "?"
        years = [
            (
                year,
                sum(of_year.values()),
                charts.heat(
                    of_year,
                    first=date(year, 1, 1),
                    last=date(year, 12, 31),
                    label=f"Captures of {year}",
                    link=f"/web/*/{quoted(url)}{mark}_day={{day}}#captures",
                ),
            )
            for year, of_year in sorted(days.items(), reverse=True)[:30]
        ]
        return self._page(
            request,
            "calendar",
            url=url,
            years=years,
            rows=self._lookup.newest_of_page(url, CAPTURES, since=since, until=until) if count else (),
            count=count,
            day=asked_day,
            wrong="",
        )


_DEEPER = re.compile(r"(</?h)([1-6])(?=>)")


def page_route(path: str, answer: Callable[[Request], Response]) -> Route:
    """A page that is made beside the event loop."""

    async def beside(request: Request) -> Response:
        return await run_in_threadpool(answer, request)

    return Route(path, beside, methods=["GET"])


def _minute() -> int:
    """The minute that it is."""
    return int(monotonic() // 60)


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    return min(max(int(text), 1), MAX_PAGES) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004


def _every_month(months: Sequence[object]) -> list[tuple[str, int]]:
    """Each month from the first to the last, also those without a post."""
    posts = {(one.year, one.month): one.posts for one in months}  # type: ignore[attr-defined]
    year, month = min(posts)
    last = max(posts)
    year = max(year, last[0] - charts.MOST_BARS // 12)
    found = []
    while (year, month) <= last:
        found.append((f"{year}-{month:02}", posts.get((year, month), 0)))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004
    return found


def _facts(held: HeldText) -> list[tuple[str, str, str]]:
    """What is known of a post, and where each fact stood."""
    sources = held.fields.get("sources")
    stood = sources if isinstance(sources, dict) else {}
    found = []
    for name in _SOURCES:
        value = held.fields.get(name)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if value:
            found.append((name, str(value)[:2_000], str(stood.get(name, ""))))
    return found


def _head(block: bytes) -> tuple[tuple[str, str], ...]:
    """First line and headers of a message, for people."""
    head = block.partition(b"\r\n\r\n")[0]
    first = head.partition(b"\r\n")[0].decode("latin-1")
    return (("", _line(first)), *((_line(name), _line(value)) for name, value in headers(head + b"\r\n\r\n")[:200]))


def _line(text: str, keep: str = "") -> str:
    return "".join(c if c.isprintable() or c in keep else " " for c in text)[:8_000]


def _file(data: bytes, kind: str, moment: datetime, ending: str) -> Response:
    return Response(data, headers=_as_file(kind, moment, ending))


def _as_file(kind: str, moment: datetime, ending: str) -> dict[str, str]:
    name = f"pressmark-{stamp_of(moment)}.{ending}"
    return {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"', **_CSP_DOWNLOAD}
