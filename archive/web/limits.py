"""Limits of the web app: what a request may take, each with its reason. No I/O."""

from __future__ import annotations

FILTER_SECONDS = 2.0
"""What all expressions of one CDX query may take together."""
PATTERN_REPEATS = 10_000
"""Product of all counted repetitions in an expression: they are unrolled in memory."""


PAYLOADS_BYTES = 256 * 1024 * 1024
"""Large answers that are being sent, all together: slow readers keep them in memory."""


CDX_LINES = 1_000_000
"""Lines of one CDX answer; a resume key leads on."""
CDX_FILTERS = 20
"""Filters of one CDX query: each looks at each line."""
PATTERN_CHARACTERS = 1_000
"""An expression in a CDX filter."""
PATTERN_SECONDS = 0.05
"""An expression's time on one line: some never end."""
CLOSEST_CAPTURES = 100_000
"""Captures of one URL that are sorted by nearness."""
API_ITEMS = 100
"""Items of one answer of the API."""


SHOWN_CHARACTERS = 100_000
"""Text shown on one page of the web app; the rest is a link away."""
PLAIN_CHARACTERS = 5_000_000
"""Markup that is sanitised for one view."""
PLAIN_SECONDS = 5.0
"""Making one view, in a process of its own: markup can be made that takes a sanitiser minutes."""
PLAIN_IMAGES = 500
"""Images of one view."""
REPLAYED_HEADERS = 200
"""Archived headers given with a memento: clients and proxies refuse more."""
REPLAYED_HEAD_CHARACTERS = 24 * 1024
"""All of them."""
REPLAYED_HEADER_CHARACTERS = 8_000
"""Value of one of them."""
