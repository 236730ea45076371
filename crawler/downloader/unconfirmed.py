"""A 304 that confirms nothing: the server is asked again, once, without conditions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

from crawler.decide.answers import NOT_MODIFIED
from crawler.downloader.redirects import CONDITIONAL
from crawler.net.request_context import change, context_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

log = logging.getLogger(__name__)


class Unconfirmed:
    """Downloader middleware that passes a 304 on only if it confirms a stored response.

    The batch knows: the capture of such a 304 is a revisit of that response.
    """

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """The response, or the request without conditions; raises if the server answers 304 even to that."""
        context = context_of(request)
        if response.status != NOT_MODIFIED or context.recorded is None or context.recorded.row.kind == "revisit":
            return response
        if context.asked_again:
            raise IgnoreRequest("answers 304 (not modified) to a request without conditions")
        log.warning("a 304 confirms nothing, asked again without conditions url=%s", request.url)
        again = request.replace(dont_filter=True)
        for name in CONDITIONAL:
            again.headers.pop(name, None)
        fresh = {"conditions": (), "validated_by": None, "unread_since": None, "recorded": None}
        change(again, asked_again=True, may_wait=False, **fresh)
        return again
