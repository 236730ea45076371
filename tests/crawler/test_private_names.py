"""Canaries: names that Scrapy and Twisted do not promise. Where one is gone, its test says what to read."""

from __future__ import annotations

import inspect

import pytest
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from scrapy.core.downloader.handlers import http11
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from twisted.web import _newclient
from twisted.web._newclient import HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool

READ = "read crawler/downloader/protocol.py, and docs/adr on the wire, before raising the bound in pyproject.toml"


@pytest.mark.parametrize("name", ["_LenientHTTP11ClientFactory", "_LenientHTTP11ClientProtocol"])
def test_scrapy_has_its_lenient_protocol(name: str) -> None:
    assert hasattr(http11, name), f"Scrapy has renamed {name}; {READ}"


def test_scrapys_handler_sets_the_factory_of_its_pool_and_reads_its_context_factory() -> None:
    source = inspect.getsource(http11)
    assert "_pool._factory" in source, f"Scrapy no longer sets the factory of its pool; {READ}"
    assert "self._contextFactory" in source, f"Scrapy has renamed its handler's context factory; {READ}"


def test_scrapys_context_factory_is_told_whether_to_verify_certificates_by_an_attribute() -> None:
    source = inspect.getsource(_ScrapyClientContextFactory)
    assert "_verify_certificates" in source, f"Scrapy has renamed the switch that verifies certificates; {READ}"


def test_twisted_finishes_a_response_by_the_name_that_we_override() -> None:
    assert hasattr(HTTP11ClientProtocol, "_finishResponse"), f"Twisted has renamed _finishResponse; {READ}"
    passed = "HTTPClientParser(request, self._finishResponse)"
    assert passed in inspect.getsource(_newclient), f"Twisted's parser no longer ends with _finishResponse; {READ}"


def test_twisteds_factory_hands_its_quiescent_callback_to_the_protocol() -> None:
    assert "_quiescentCallback" in inspect.getsource(http11._LenientHTTP11ClientFactory.buildProtocol), (
        f"the protocol's factory has renamed its callback; {READ}"
    )


def test_twisted_keeps_idle_connections_for_as_long_as_the_pool_says() -> None:
    assert hasattr(HTTPConnectionPool, "cachedConnectionTimeout"), f"Twisted has renamed the idle time; {READ}"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("_redirect", ["self", "redirected", "request", "reason"]), ("_engine_started", ["self"])],
)
def test_scrapys_redirects_call_what_we_override(name: str, parameters: list[str]) -> None:
    found = getattr(RedirectMiddleware, name, None)
    assert found is not None, f"Scrapy has renamed RedirectMiddleware.{name}; {READ}"
    assert list(inspect.signature(found).parameters) == parameters, (
        f"Scrapy has changed the arguments of RedirectMiddleware.{name}; {READ}"
    )
