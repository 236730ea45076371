"""Imported first, it makes the claims of a run last seconds, so that a test need not wait for ten minutes."""

from __future__ import annotations

import os
from datetime import timedelta

from crawler.session import host_claims

host_claims.CLAIM = timedelta(seconds=float(os.environ.get("CLAIM_SECONDS", "2")))
