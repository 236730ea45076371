"""The archive over HTTP."""

from archive.web.app import Addition, application
from archive.web.template import Templates

__all__ = ["Addition", "Templates", "application"]
