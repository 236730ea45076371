"""The worker processes of the web app: all that is made of archived bytes is made there."""

from __future__ import annotations

from archive.runtime.work import Workers
from archive.runtime.worker_pool import Limits
from archive.web.limits import WORK_MEGABYTES, WORK_PROCESSES, WORK_SECONDS, WORK_WAITING

_PRELOADED = (
    "archive.web.sanitize",
    "archive.web.markdown_html",
    "archive.web.cdx_filters",
    "archive.extract.named_feeds",
    "archive.extract.named_sites",
    "archive.extract.requisites",
    "archive.reader.text_edits",
    "archive.search.snippet",
)


def workers() -> Workers:
    """New worker processes, which start with the first task."""
    limits = Limits(seconds=WORK_SECONDS, megabytes=WORK_MEGABYTES)
    return Workers(processes=WORK_PROCESSES, limits=limits, most=WORK_WAITING, preload=_PRELOADED)
