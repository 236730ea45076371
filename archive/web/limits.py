"""Limits of the web app: what a request may use, each with its reason. No I/O."""

from __future__ import annotations

WORK_SECONDS = 5.0
"""One piece of work on archived bytes, in a process of its own: there is markup that takes a sanitiser minutes."""
WORK_MEGABYTES = 512
"""Address space of such a process."""
WORK_PROCESSES = 2
"""Such processes of one web process."""
WORK_WAITING = 16
"""Work in these processes and waiting for them: each occupies one of the 40 threads that make pages."""
FILTER_SECONDS = 2.0
"""Time for all expressions of one CDX query together."""
PATTERN_REPEATS = 10_000
"""Product of all counted repetitions in an expression: they are unrolled in memory."""


PAYLOADS_BYTES = 256 * 1024 * 1024
"""Large responses that are being sent, all together: slow readers keep them in memory."""


CDX_LINES = 1_000_000
"""Lines of one CDX response; a resume key leads to the next ones."""
CDX_FILTERS = 20
"""Filters of one CDX query: each examines every line."""
PATTERN_CHARACTERS = 1_000
"""An expression in a CDX filter."""
PATTERN_SECONDS = 0.05
"""Time for an expression on one line: some never end."""
CLOSEST_CAPTURES = 100_000
"""Captures of one URL that are sorted by distance in time."""
API_ITEMS = 100
"""Items in one API response."""


SHOWN_CHARACTERS = 100_000
"""Text shown on one page of the web app; a link leads to the rest."""
PLAIN_CHARACTERS = 5_000_000
"""Markup that is sanitised for one view."""
PLAIN_IMAGES = 500
"""Images of one view."""
REPLAYED_HEADERS = 200
"""Archived headers sent with a memento: clients and proxies refuse more."""
REPLAYED_HEAD_CHARACTERS = 24 * 1024
"""All of these headers."""
REPLAYED_HEADER_CHARACTERS = 8_000
"""Value of one of these headers."""
