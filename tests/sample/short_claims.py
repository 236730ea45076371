"""Imported first, it makes the claims of a run last seconds, so that a test need not wait for ten minutes.

Transactions in which a machine was stopped end as soon.
"""

from __future__ import annotations

import os
from datetime import timedelta

from archive.runtime import database
from crawler.session import host_claims

_SECONDS = float(os.environ.get("CLAIM_SECONDS", "2"))
host_claims.CLAIM = timedelta(seconds=_SECONDS)
database._IDLE_SECONDS = _SECONDS
