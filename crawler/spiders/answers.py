"""Converts Scrapy's responses to the `Answer` that everything else uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from itertools import takewhile
from typing import TYPE_CHECKING

from crawler.decide.answers import NOT_MODIFIED
from crawler.model.answer import Answer, Hop
from crawler.net.request_context import context_of

if TYPE_CHECKING:
    from scrapy.http import Response

_PERMANENT = frozenset(str(status.value) for status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT))
_VALIDATORS = ("etag", "last-modified")


def answer_of(response: Response, now: Callable[[], datetime]) -> Answer:
    """The `Answer` for a response; `now` dates it if no capture could be made."""
    context = context_of(response)
    row = context.recorded.row if context.recorded else None
    left, reasons = response.meta.get("redirect_urls", []), response.meta.get("redirect_reasons", [])
    hops = tuple(Hop(url=url, how=str(why)) for url, why in zip(left, reasons, strict=True))
    asked = hops[0].url if hops else response.url
    # Validators apply only to the URL that sent them, and to all of what it sent.
    own = asked == response.url and row is not None and not row.truncated
    validated = context.validated_by if response.status == NOT_MODIFIED or row is None else row.record
    return Answer(
        at=row.date if row else now(),
        status=response.status,
        headers=_headers(response, validators=own),
        body=response.body,
        asked=asked,
        url=response.url,
        lasting_url=lasting_url(hops, response.url),
        hops=hops,
        row=row,
        repeats=context.recorded is not None and context.recorded.repeats,
        validated=validated if own else None,
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


def lasting_url(hops: Sequence[Hop], url: str) -> str:
    """The URL to subscribe to: after all permanent redirects up to the first temporary one.

    Args:
        hops: The addresses that were left.
        url: The URL that answered.
    """
    path: list[Hop] = []
    for hop in hops:  # what led back to an address was a detour, such as a check of cookies
        path = [*takewhile(lambda one, left=hop.url: one.url != left, path), hop]  # type: ignore[misc]
    return next((hop.url for hop in path if hop.url == url or hop.how not in _PERMANENT), url)
