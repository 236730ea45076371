"""Alembic's environment for the revisions of the schedules' tables."""

from archive.runtime.database import run_migrations

run_migrations("schedules")
