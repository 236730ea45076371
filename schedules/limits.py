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
FEEDS_LISTED = 1_000
"""Feeds in one part of the list that the API gives if a limit is asked for."""
