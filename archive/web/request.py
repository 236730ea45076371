"""Reading a request's path. No I/O."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request

from archive.web.errors import BadRequestError


def rest_of(request: Request, prefix: str) -> str:
    """What follows a prefix of the path, with the query, exactly as it was requested: a URL keeps its encoding.

    Raises:
        BadRequestError: Nothing follows it.
    """
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    rest = path[len(prefix) :] + (f"?{query}" if query else "")
    if not rest:
        raise BadRequestError("the URL is missing", hint=f"Ask for {prefix}URL.", status=HTTPStatus.NOT_FOUND)
    return rest
