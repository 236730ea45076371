"""Whether a 304 confirms the response whose validators were sent."""

from __future__ import annotations

import pytest

from archive.warc.validators import confirms

MAY, JUNE = "Fri, 01 May 2026 12:00:00 GMT", "Mon, 01 Jun 2026 12:00:00 GMT"


def asked(*lines: str) -> bytes:
    return "\r\n".join(("GET / HTTP/1.1", "Host: a.example", *lines, "", "")).encode("latin-1")


def said(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 304 Not Modified", *lines, "", "")).encode("latin-1")


@pytest.mark.parametrize(
    ("sent", "stated", "wanted"),
    [
        (['If-None-Match: "1"'], [], True),
        (['If-None-Match: "1"'], ['ETag: "1"'], True),
        (['If-None-Match: "1"'], ['ETag: "2"'], False),
        (['If-None-Match: "1"'], ['etag:W/"1"'], True),
        (['If-None-Match: W/"1"'], ['ETag: "1"'], True),
        (["If-None-Match: bare"], ["ETag: bare"], True),
        (['If-None-Match: "W/1"'], ['ETag: "1"'], False),
        (['If-None-Match: "1"', f"If-Modified-Since: {MAY}"], ['ETag: "1"', f"Last-Modified: {JUNE}"], True),
        (['If-None-Match: "1"', f"If-Modified-Since: {MAY}"], ['ETag: "2"', f"Last-Modified: {MAY}"], False),
        (['If-None-Match: "1"', f"If-Modified-Since: {MAY}"], [f"Last-Modified: {JUNE}"], False),
        ([f"If-Modified-Since: {MAY}"], [], True),
        ([f"If-Modified-Since: {MAY}"], [f"Last-Modified: {MAY}"], True),
        ([f"If-Modified-Since: {MAY}"], ["Last-Modified: Fri, 1 May 2026 14:00:00 +0200"], True),
        ([f"If-Modified-Since: {MAY}"], [f"Last-Modified: {JUNE}"], False),
        ([f"If-Modified-Since: {JUNE}"], [f"Last-Modified: {MAY}"], False),
        (["If-Modified-Since: yesterday"], ["Last-Modified: yesterday"], True),
        ([f"If-Modified-Since: {MAY}"], ['ETag: "new"'], True),
        ([], [], False),
        ([], ['ETag: "1"'], False),
    ],
)
def test_a_304_confirms_what_was_asked_about_unless_it_states_another(
    sent: list[str], stated: list[str], wanted: bool
) -> None:
    assert confirms(asked(*sent), said(*stated)) is wanted
