"""Alembic's entry to the crawler's revisions."""

from archive.runtime.database import run_migrations

run_migrations("crawler")
