"""Limits of the daemon and its pages, each with its reason. No I/O."""

from __future__ import annotations

NOTIFICATION_BYTES = 10 * 1024 * 1024
"""Body of a notification by a hub: it is checked against its signature and not archived."""


REQUEST_HEAD_BYTES = 64 * 1024
"""Head of a request to the web app: one URL and a few headers."""
REQUEST_SECONDS = 20.0
"""From connecting, or the previous response, until a request is complete: slow clients must not shut others out."""
HEALTH_SECONDS = 15.0
"""Health check of one part; a part that does not respond in time is failing."""


FORM_BYTES = 20_000
"""A form sent to the web app, with a URL and a token."""
CHANGES_SCANNED = 5_000
"""Changes looked at for one part of a list: a filter that few of them pass must not read them all."""
CHANGES_LISTED = 100
"""Changes in one part of a list."""
CHANGES_FOUND = 200
"""Posts that a request for changes looks at first, if no job has done so: the newest ones."""
KEPT_EDITS = 100
"""Edits kept with one change; `pressmark diff` has all."""
KEPT_EDIT_CHARACTERS = 1_000
"""Words of one edit, on each side, kept with a change."""
WATCHES = 1_000
"""Watches of one archive: each change is compared with all of them."""
DELIVERY_TRIES = 12
"""Tries to send a change to a webhook or by mail, over a day and a half; then it is a dead letter."""
DELIVERED_TOGETHER = 500
"""Changes that are sent in one run, and lines of one digest."""
FEEDS_LISTED = 1_000
"""Feeds in one part of the list that the API gives if a limit is asked for."""
