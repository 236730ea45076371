"""Which URLs are one page, and which addresses evidence has joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.index import aliases
from archive.index.aliases import Alias
from archive.index.index import Index
from archive.index.writing import IndexWriter
from archive.limits import PAGE_ALIASES
from archive.runtime.database import connect, transaction
from archive.warc.page_identity import is_front, page_identity, page_key, post_key, same_page, without_tracking

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
POST = "https://blog.example/2026/05/a-post"


@pytest.mark.parametrize(
    "spelling",
    [
        "http://blog.example/2026/05/a-post",
        "HTTPS://BLOG.Example:443/2026/05/a-post",
        "http://blog.example:80/2026/05/a-post",
        "https://www.blog.example/2026/05/a-post/",
        "https://blog.example./2026/05/a-post",
        "https://blog.example/2026/05/%61-post",
        "https://blog.example/2026/./04/../05/a-post",
        "https://blog.example/2026/05/a-post#comments",
        "https://blog.example/2026/05/a-post?utm_source=feed&utm_medium=rss&utm_campaign=x",
        "https://blog.example/2026/05/a-post?UTM_Source=feed",
        "https://blog.example/2026/05/a-post?fbclid=IwAR0&gclid=1&mc_cid=2",
        "https://blog.example/2026/05/a-post?source=rss-77aa10bb------2",
        "https://blog.example/2026/05/a-post?ref=newsletter",
        "https://blog.example/2026/05/a-post;jsessionid=0A1B2C",
        "https://blog.example/2026/05/a-post?PHPSESSID=8c1f0e7a9d2b4c6e",
        "https://blog.example/2026/05/a-post?sid=8c1f0e7a9d2b4c6e8c1f0e7a9d2b4c6e",
        "https://blog.example/2026/05/a-post?",
        " https://blog.example/2026/05/a-post ",
    ],
)
def test_spellings_of_one_page(spelling: str) -> None:
    assert same_page(POST, spelling), page_identity(spelling)
    assert page_key(POST) == page_key(spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://blog.example/?p=1", "https://blog.example/?p=2"),
        ("https://blog.example/A-post", "https://blog.example/a-post"),
        ("https://blog.example/a", "https://blog.example/a/b"),
        ("https://blog.example/a", "https://blog.example:8080/a"),
        ("https://blog.example/a", "https://en.blog.example/a"),
        ("https://blog.example/a?source=nature", "https://blog.example/a"),
        ("https://blog.example/a?sid=1234", "https://blog.example/a?sid=1235"),
        ("https://blog.example/a?s=photography2019", "https://blog.example/a"),
        ("https://blog.example/a?ref=chapter-2", "https://blog.example/a"),
        ("https://blog.example/a%2Fb", "https://blog.example/a/b"),
        ("https://blog.example/a?x=1%262", "https://blog.example/a?x=1&2"),
    ],
)
def test_other_pages(one: str, other: str) -> None:
    assert not same_page(one, other), page_identity(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://b.example/%E3%81%82/", "http://b.example/\u3042/"),
        ("http://b.example/%e3%81%82/", "http://b.example/%E3%81%82"),
        ("http://b.example/~joe/a b", "http://b.example/%7Ejoe/a%20b"),
        ("http://b\u00fccher.example/x", "http://xn--bcher-kva.example/x"),
        ("http://b.example/x?b=2&a=1", "http://b.example/x?a=1&b=2"),
        ("http://b.example", "http://www.b.example/"),
        ("http://[::1]:80/x", "http://[::1]/x"),
    ],
)
def test_escapes_scripts_and_order(one: str, other: str) -> None:
    assert page_identity(one) == page_identity(other)


def test_an_identity_is_its_own_identity() -> None:
    for url in (POST, "http://b.example/?x=1", "http://b.example/%E3%81%82", "http://127.0.0.1:8/a;b?c"):
        assert page_identity(f"http://{page_identity(url)}") == page_identity(url)


def test_a_text_that_is_no_url_stays_what_it_is() -> None:
    for text in ("", "mailto:a@b.example", "http://", "http://[", "\ud800", "http://a.example:99999/x"):
        assert page_identity(text) == text.partition("#")[0].strip()
        assert len(page_key(text)) == 64


def test_a_fragment_counts_only_for_a_post_with_an_address_of_its_own() -> None:
    assert page_key(f"{POST}#v2") == page_key(POST) != post_key(f"{POST}#v2")
    assert post_key(POST) == page_key(POST)
    assert post_key(f"{POST}#v2") != post_key(f"{POST}#v3")
    assert post_key("http://www.blog.example/2026/05/a-post/#v2") == post_key(f"{POST}#v2")


def test_front_pages() -> None:
    assert is_front("https://www.blog.example/")
    assert is_front("https://blog.example/?utm_source=x")
    assert not is_front("https://blog.example/?p=1")
    assert not is_front(POST)


def test_tracking_is_taken_off_and_the_rest_stays_as_written() -> None:
    assert without_tracking("https://B.example/%e3/?b=2&utm_source=x&a=1#c") == "https://B.example/%e3/?b=2&a=1"
    assert without_tracking("https://b.example/?utm_source=x") == "https://b.example/"


# -- aliases


@pytest.fixture
def index(tmp_path: Path) -> Index:
    made = Index(connect(f"sqlite:///{tmp_path / 'index.db'}"))
    IndexWriter(made).prepare()
    return made


def enter(index: Index, *pairs: tuple[str, str], kind: aliases.AliasKind = "redirect") -> None:
    found = [
        Alias(url=url, target=target, kind=kind, proof=f"<urn:uuid:{number}>", since=T0 + timedelta(seconds=number))
        for number, (url, target) in enumerate(pairs)
    ]
    with transaction(index.engine) as connection:
        aliases.enter(connection, found)


def addresses(index: Index, url: str) -> set[str]:
    return set(aliases.page_keys(index.engine, url))


def test_joined_addresses_find_each_other(index: Index) -> None:
    old, new, newest = "http://b.example/old", "http://b.example/new", "https://b.example/newest"
    enter(index, (old, new), (new, newest))
    every = {page_key(old), page_key(new), page_key(newest)}
    assert addresses(index, old) == addresses(index, new) == addresses(index, newest) == every
    assert aliases.page_keys(index.engine, new)[0] == page_key(new), "its own first"
    assert addresses(index, "http://b.example/other") == {page_key("http://b.example/other")}


def test_evidence_may_come_again_and_names_its_record(index: Index) -> None:
    for _ in range(2):
        enter(index, ("http://b.example/old", "http://b.example/new"))
    (proof,) = aliases.proofs(index.engine)
    assert (proof.url, proof.target, proof.kind) == ("http://b.example/old", "http://b.example/new", "redirect")
    assert proof.proof == "<urn:uuid:0>"
    assert aliases.proofs(index.engine, [page_key(proof.url)]) == [proof]
    assert aliases.proofs(index.engine, ["another"]) == []


def test_a_front_page_is_joined_with_nothing(index: Index) -> None:
    enter(index, ("http://b.example/gone", "http://b.example/"), ("http://b.example/", "http://b.example/en"))
    assert addresses(index, "http://b.example/gone") == {page_key("http://b.example/gone")}
    assert aliases.proofs(index.engine) == []


def test_a_page_to_which_everything_leads_is_no_post(index: Index) -> None:
    enter(index, *((f"http://b.example/{n}", "http://b.example/sorry") for n in range(3 * PAGE_ALIASES)))
    assert len(addresses(index, "http://b.example/sorry")) == PAGE_ALIASES


def test_spellings_need_no_evidence(index: Index) -> None:
    enter(index, ("http://b.example/a", "https://www.b.example/a/"))
    assert aliases.proofs(index.engine) == []
