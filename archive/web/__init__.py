"""The archive over HTTP."""

from archive.web.app import Addition, application
from archive.web.errors import WrongError
from archive.web.pages import Aside, Vanished, page_route
from archive.web.templating import Templates

__all__ = ["Addition", "Aside", "Templates", "Vanished", "WrongError", "application", "page_route"]
