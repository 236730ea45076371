"""What the web app takes from uvicorn beyond its documentation."""

from __future__ import annotations

import inspect
import tomllib
from types import FunctionType

import pytest
from conftest import PROJECT
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from schedules.web.uvicorn_protocol import OVERRIDDEN, BoundedProtocol


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_uvicorn_still_has_the_methods_that_are_overridden(name: str) -> None:
    theirs, ours = getattr(HttpToolsProtocol, name, None), vars(BoundedProtocol)[name]
    assert theirs, f"uvicorn renamed HttpToolsProtocol.{name}: limits of requests in uvicorn_protocol.py no longer work"
    arguments = list(inspect.signature(theirs).parameters), list(inspect.signature(ours).parameters)
    assert len(arguments[0]) == len(arguments[1]), f"HttpToolsProtocol.{name} takes other arguments: {arguments[0]}"


def test_every_override_is_listed() -> None:
    public = {name for name, value in vars(BoundedProtocol).items() if isinstance(value, FunctionType)}
    assert {name for name in public if not name.startswith("_")} == set(OVERRIDDEN)


def test_uvicorn_has_no_private_names_of_ours() -> None:
    ours = {name for name in vars(BoundedProtocol) if not name.startswith("__")} - set(OVERRIDDEN)
    taken = {name for name in ours if hasattr(HttpToolsProtocol, name)}
    assert not taken, f"uvicorn has a name of ours now, rename it in uvicorn_protocol.py: {taken}"


def test_uvicorn_takes_a_protocol_and_gives_it_loop_and_transport() -> None:
    assert "http" in inspect.signature(Config).parameters, "uvicorn.Config no longer takes a protocol as `http`"
    assigned = inspect.getsource(HttpToolsProtocol)
    for name in ("transport", "loop"):
        assert f"self.{name} " in assigned or f"self.{name}:" in assigned, f"HttpToolsProtocol.{name} is gone"


def test_uvicorn_has_an_upper_bound() -> None:
    dependencies = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    (bound,) = [one for one in dependencies if one.startswith("uvicorn")]
    assert "<" in bound, "names are overridden that uvicorn does not document: pyproject.toml must bound it"
