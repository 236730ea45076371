"""The archive over HTTP: pages for people, APIs for programs."""

from archive.web.app import Extension, application
from archive.web.errors import BadRequestError
from archive.web.pages.layout import SiteStatus, page_route
from archive.web.templating import Templates

__all__ = ["BadRequestError", "Extension", "SiteStatus", "Templates", "application", "page_route"]
