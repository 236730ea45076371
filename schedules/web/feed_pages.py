"""Pages and interfaces about feeds and jobs, and the requests that change them."""

from __future__ import annotations

import hmac
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter
from lxml import etree
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from archive.archive import Archive
from archive.index.from_records import host_of
from archive.index.overview import Overview
from archive.runtime.times import iso
from archive.web import BadRequestError, DeletedPost, SiteStatus, Templates, page_route
from archive.web.memento_path import quoted, stamp_of
from crawler.frontier import alarms
from crawler.frontier.alarms import Raised
from crawler.frontier.feed_json import feed_as_json
from crawler.frontier.frontier import Frontier
from crawler.model.visits import Feed
from schedules.daemon import next_runs
from schedules.job_report import job_rows
from schedules.jobs import jobs
from schedules.limits import FORM_BYTES
from schedules.runs import Runs
from schedules.settings import ScheduleSettings

SHOWN = 500
"""Feeds of a page."""
LATEST = 100
"""Entries of `/changes.atom`."""
MAX_RUNNING = 4
"""Commands that requests have started and that run at the same time."""
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A feed as pages show it."""

    feed: Feed
    health: str
    requests: int
    share: str
    """Of its requests, those that were answered with 304."""


class FeedPages:
    """Feeds, jobs, changes, metrics."""

    def __init__(
        self,
        archive: Archive,
        frontier: Frontier,
        runs: Runs,
        templates: Templates,
        *,
        token: str,
        health: Callable[[], dict[str, str]],
        schedules: bool = False,
    ) -> None:
        self._archive = archive
        self._frontier = frontier
        self._runs = runs
        self._templates = templates
        self._token = token
        self._health = health
        self._schedules = schedules
        self._overview = Overview(archive.index)
        self._commands = Commands()

    def status(self) -> SiteStatus:
        """What the archive's pages show of what is known here."""
        return SiteStatus(deleted_posts=self._vanished, problems=self._health)

    def routes(self) -> list[BaseRoute]:
        """The pages."""
        return [
            page_route("/feeds", self._feeds),
            page_route("/feeds/{number}", self._feed),
            Route("/feeds/{action}", self._change, methods=["POST"]),
            page_route("/jobs", self._jobs),
            page_route("/changes.atom", self._changes),
            page_route("/metrics", self._metrics),
        ]

    def router(self) -> APIRouter:
        """`/api/feeds` and `/api/jobs`."""
        made = APIRouter(prefix="/api", tags=["feeds"])

        @made.get("/feeds", summary="Subscriptions with their health")
        def feeds() -> JSONResponse:
            said = self._alarms()
            return JSONResponse(
                [
                    {**feed_as_json(one), "alarms": [alarm.kind for alarm in said.get(one.url, ())]}
                    for one in self._frontier.feeds()
                ]
            )

        @made.get("/jobs", summary="The daemon's jobs: triggers, next and last run, outcome")
        def all_jobs() -> JSONResponse:
            return JSONResponse(self._job_rows())

        return made

    # -- pages

    def _alarms(self) -> dict[str, list[Raised]]:
        said: dict[str, list[Raised]] = {}
        for alarm in alarms.standing(self._frontier.engine):
            said.setdefault(alarm.subject, []).append(alarm)
        return said

    def _told(self, feed: Feed, said: Sequence[Raised]) -> Told:
        statuses = self._overview.statuses(feed.url)
        requests = sum(statuses.values())
        wrong = feed.error or ", ".join(alarm.kind for alarm in said)
        health = "paused" if feed.paused else wrong or ("well" if feed.visited else "not visited yet")
        share = f"{100 * statuses.get(_NOT_MODIFIED, 0) / requests:.0f} %" if requests else "–"  # noqa: RUF001  a dash
        return Told(feed=feed, health=health, requests=requests, share=share)

    def _feeds(self, request: Request) -> Response:
        said, found = self._alarms(), self._frontier.feeds()
        told = [self._told(feed, said.get(feed.url, ())) for feed in found[:SHOWN]]
        return self._page(
            request,
            "feeds",
            feeds=told,
            ill=sum(1 for feed in found if feed.error or feed.url in said),
            limit=SHOWN,
            said=_SAID.get(request.query_params.get("done", ""), ""),
            open=bool(self._token),
        )

    def _feed(self, request: Request) -> Response:
        number = request.path_params["number"]
        known = self._frontier.feeds() if number.isascii() and number.isdigit() and len(number) < 10 else []  # noqa: PLR2004
        feed = next((one for one in known if one.id == int(number)), None)
        if feed is None:
            raise BadRequestError(f"{number[:20]}: no such feed", status=405 if number in _DONE else 404)
        said = self._alarms().get(feed.url, [])
        host = host_of(feed.site or feed.url)
        return self._page(request, "feed", one=self._told(feed, said), alarms=said, host=host, open=bool(self._token))

    def _job_rows(self) -> list[dict[str, Any]]:
        from archive.settings import load

        settings = load(ScheduleSettings)
        return job_rows(jobs(settings), settings, self._runs.latest(), next_runs(self._runs.engine))

    def _jobs(self, request: Request) -> Response:
        return self._page(request, "jobs", jobs=self._job_rows(), alarms=alarms.standing(self._frontier.engine))

    def _page(self, request: Request, name: str, **values: object) -> Response:
        shown = self._templates.page(f"schedules/{name}.html", path=request.url.path, **values)
        return HTMLResponse(shown, headers={"Cache-Control": "no-cache"})

    def _vanished(self, limit: int) -> list[DeletedPost]:
        found = [one for one in self._frontier.deletions() if one.restored is None]
        return [
            DeletedPost(url=one.url, since=one.since, reason=one.kind, last_seen=one.alive)
            for one in sorted(found, key=lambda one: one.since, reverse=True)[:limit]
        ]

    def _changes(self, request: Request) -> Response:
        """New, edited and vanished posts as an Atom feed (RFC 4287)."""
        base = request.scope["pressmark.base"]
        entries: list[tuple[datetime, str, str, str]] = []
        for post in self._overview.latest(LATEST):
            target = f"{base}/post/{stamp_of(post.seen)}/{quoted(post.url)}"
            entries.append((post.seen, "Edited" if post.edited else "New", post.title or post.url, target))
        for gone in self._vanished(LATEST):
            target = f"{base}/post/{stamp_of(gone.since)}/{quoted(gone.url)}"
            entries.append((gone.since, "Vanished", gone.url, target))
        entries.sort(key=lambda one: one[0], reverse=True)
        feed = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})
        _add(feed, "title", "Pressmark: new, edited and vanished posts")
        _add(feed, "id", f"{base}/changes.atom")
        _add(feed, "updated", iso(entries[0][0] if entries else datetime(1970, 1, 1, tzinfo=UTC), "seconds"))
        _add(_add(feed, "author", ""), "name", "Pressmark")
        etree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=f"{base}/changes.atom")
        for moment, kind, title, target in entries[:LATEST]:
            entry = _add(feed, "entry", "")
            _add(entry, "title", f"{kind}: {title}")
            _add(entry, "id", target)
            _add(entry, "updated", iso(moment, "seconds"))
            etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=target)
            etree.SubElement(entry, f"{{{_ATOM}}}category", term=kind.lower())
            _add(entry, "summary", f"{kind}, seen on {moment:%Y-%m-%d %H:%M} UTC.")
        body = etree.tostring(feed, xml_declaration=True, encoding="utf-8")
        return Response(body, media_type="application/atom+xml", headers={"Cache-Control": "no-cache"})

    def _metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        registry = CollectorRegistry()

        def gauge(name: str, said: str, value: float, **labels: str) -> None:
            found = gauges.get(name)
            if found is None:
                found = gauges[name] = Gauge(f"pressmark_{name}", said, list(labels), registry=registry)
            (found.labels(**labels) if labels else found).set(value)

        gauges: dict[str, Gauge] = {}
        for name, count in self._overview.counts().items():
            gauge(name, f"How many {name} are held", count)
        feeds, now = self._frontier.feeds(), datetime.now(UTC)
        gauge("feeds", "Subscriptions", len(feeds))
        gauge("feeds_paused", "Subscriptions that are paused", sum(feed.paused for feed in feeds))
        gauge("feeds_failing", "Subscriptions whose last visit failed", sum(feed.failures > 0 for feed in feeds))
        late = max((now - feed.due for feed in feeds if not feed.paused), default=None)
        gauge(
            "feed_lag_seconds",
            "How long the longest due feed has waited",
            max(0.0, late.total_seconds() if late else 0),
        )
        gauge("alarms", "Alarms that stand", len(alarms.standing(self._frontier.engine)))
        gauge(
            "vanished",
            "Posts that are not there any more",
            len([d for d in self._frontier.deletions() if not d.restored]),
        )
        ill = self._health()
        for part in ("database", "store", "disk", *(("scheduler",) if self._schedules else ())):
            gauge("up", "Whether a part is well", float(part not in ill), part=part)
        for name, ran in self._runs.latest().items():
            gauge(
                "job_last_start_seconds",
                "When a job began last, in seconds since 1970",
                ran.started.timestamp(),
                job=name,
            )
            if ran.exit_code is not None:
                gauge("job_last_exit_code", "How it ended", ran.exit_code, job=name)
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    # -- changes

    async def _change(self, request: Request) -> Response:
        """Add, pause, resume or backfill; needs the token, and no other site's page can ask for it."""
        action = request.path_params["action"]
        if action not in _DONE:
            raise BadRequestError(f"{action[:20]}: use {', '.join(_DONE)}", status=404)
        if not self._token:
            raise BadRequestError(
                "no change is accepted over HTTP", hint="Set PRESSMARK_TOKEN to accept some.", status=403
            )
        _check_origin(request)
        said = await _form(request)
        stated = said.get("token", "")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            stated = bearer.strip()
        if not hmac.compare_digest(stated.encode("utf-8", "replace"), self._token.encode()):
            raise BadRequestError("the token is missing or wrong", status=401, headers={"WWW-Authenticate": "Bearer"})
        url = said.get("url", "").strip()
        if not _is_url(url):
            raise BadRequestError(f"url={url[:100]!r}: use a URL such as https://blog.example.org/", status=400)
        await run_in_threadpool(self._carry_out, action, url)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"done": _SAID[_DONE[action]]}, status_code=202)
        return RedirectResponse(f"/feeds?done={_DONE[action]}", status_code=303)

    def _carry_out(self, action: str, url: str) -> None:
        if action in {"pause", "resume"}:
            if not self._frontier.pause(url, paused=action == "pause"):
                raise BadRequestError(f"{url}: not subscribed", status=404)
            return
        if action == "backfill" and not self._frontier.find(url):
            raise BadRequestError(f"{url}: not subscribed", status=404)
        url, _ = self._frontier.entrust(url)  # no other process of this machine need see a password
        if not self._commands.start(action, url):
            raise BadRequestError(
                "too much is being done already; try again later", status=503, headers={"Retry-After": "30"}
            )


_DONE = {"add": "adding", "pause": "paused", "resume": "resumed", "backfill": "filling"}
_SAID = {
    "adding": "The feed is being looked for; it appears here when it was found.",
    "paused": "The feed is paused.",
    "resumed": "The feed is visited again.",
    "filling": "Older posts are being looked for.",
}


class Commands:
    """Commands that requests start: the same that a person would type."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = Lock()

    def start(self, action: str, url: str) -> bool:
        """Run one beside us; False where too many run."""
        with self._lock:
            self._running = [one for one in self._running if one.poll() is None]
            if len(self._running) >= MAX_RUNNING:
                return False
            argv = [sys.executable, "-m", "schedules", action, "--", url]
            self._running.append(
                subprocess.Popen(
                    argv,
                    env=dict(os.environ),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        return True


def _is_url(text: str) -> bool:
    """Whether a person may have meant it as a URL."""
    if not text or len(text) > 2_000 or any(c.isspace() or not c.isprintable() for c in text):  # noqa: PLR2004
        return False
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _check_origin(request: Request) -> None:
    """No other site's page may send a form here: browsers tell where it comes from."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    base = request.scope["pressmark.base"]
    # A page that sends no referrer sends `null`; the browser then tells by Sec-Fetch-Site where the form was.
    hidden = origin == "null" and site == "same-origin"
    if (site is not None and site != "same-origin") or (origin is not None and origin != base and not hidden):
        raise BadRequestError("the request comes from another site's page", status=403)


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES:
            raise BadRequestError("the form is too large", status=413)
    try:
        if "json" in request.headers.get("content-type", ""):
            found = json.loads(body or b"{}")
            return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
        pairs = parse_qs(body.decode(), max_num_fields=20)
    except (ValueError, UnicodeDecodeError, RecursionError) as e:
        raise BadRequestError("the form cannot be read") from e
    return {name: values[0] for name, values in pairs.items()}


_NO_XML = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not know."""


def _add(parent: Any, name: str, said: str) -> Any:  # noqa: ANN401  lxml has no types
    made = etree.SubElement(parent, f"{{{_ATOM}}}{name}")
    made.text = _NO_XML.sub("", said) or None
    return made
