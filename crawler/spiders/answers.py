"""Converts Scrapy's responses to the `Answer` that everything else uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from crawler.model.answer import Answer
from crawler.net.request_context import context_of

if TYPE_CHECKING:
    from scrapy.http import Response

_PERMANENT = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_VALIDATORS = ("etag", "last-modified")


def answer_of(response: Response, now: Callable[[], datetime]) -> Answer:
    """The `Answer` for a response; `now` dates it if no capture could be made."""
    recorded = context_of(response).recorded
    hops: list[str] = response.meta.get("redirect_urls", [])
    return Answer(
        at=recorded.row.date if recorded else now(),
        status=response.status,
        headers=_headers(response, validators=not hops),
        body=response.body,
        asked=str(hops[0]) if hops else response.url,
        url=response.url,
        lasting_url=_lasting_url(response, hops),
        row=recorded.row if recorded else None,
        repeats=recorded is not None and recorded.repeats,
    )


def _headers(response: Response, *, validators: bool) -> dict[str, str]:
    """Names in lower case, values of the same name joined; of several validators the last one counts."""
    pairs = response.headers.items()
    found = {name.decode("latin-1").lower(): b", ".join(values).decode("latin-1") for name, values in pairs}
    for name in _VALIDATORS:
        found.pop(name, None)
        if validators and (value := response.headers.get(name)):
            found[name] = value.decode("latin-1")
    return found


def _lasting_url(response: Response, hops: list[str]) -> str:
    """The URL to subscribe to: after all permanent redirects up to the first temporary one."""
    urls = [*hops, response.url]
    for at, status in enumerate(response.meta.get("redirect_reasons", [])):
        if status not in _PERMANENT:
            return str(urls[at])
    return str(urls[-1])
