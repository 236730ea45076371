"""Alembic's environment for the revisions of the crawler's tables."""

from archive.runtime.database import run_migrations

run_migrations("crawler")
