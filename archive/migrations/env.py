"""Alembic's entry to the archive's revisions."""

from archive.runtime.database import run_migrations

run_migrations("archive")
