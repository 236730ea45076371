"""Full text search over all versions, in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sample.archives import at, capture, keep

from archive.archive import Archive
from archive.extract.text import Text
from archive.index.index import Index
from archive.index.writing import IndexWriter
from archive.maintenance.reindex import keys, reindex
from archive.search.query import parse
from archive.search.search import Hit, Search
from archive.settings import ArchiveSettings

SEA = "http://sea.example/tide"
LONG = " ".join(f"word{n % 900} the" for n in range(12_000))


def text(url: str, said: str, **more: object) -> Text:
    return Text(url=url, text=said, markdown=said, **more)


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    archive = Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database))
    pages = [
        (SEA, 0, text(SEA, "The tide tables\nHigh water comes at noon, and the Café closes.", title="Tides", author="Ada Byron", language="en", tags=("sea", "open water"), published=datetime(2020, 3, 1, tzinfo=UTC))),
        (SEA, 5, text(SEA, "The tide tables\nHigh water comes at dusk.", title="Tides", author="Ada Byron", language="en", tags=("sea",), published=datetime(2020, 3, 1, tzinfo=UTC))),
        (SEA, 9, text(SEA, "The tide tables\nHigh water comes at noon, and the Café closes.", title="Tides", author="Ada Byron", language="en", tags=("sea",), published=datetime(2020, 3, 1, tzinfo=UTC))),
        ("http://www.land.example/a", 1, text("http://www.land.example/a", "Die Straße am Wasser. Größe zählt.", title="Straßen", language="de", rights={"robots": ["noai"]}, license="https://creativecommons.org/licenses/by/4.0/")),
        ("http://cjk.example/1", 2, text("http://cjk.example/1", "我今天去了北京大学,天气很好。東京タワーに行きました。한국어는 재미있다", title="北京", language="zh")),
        ("http://long.example/1", 3, text("http://long.example/1", f"{LONG} needle in the haystack {LONG} so it ends")),
    ]  # fmt: skip
    keep(archive, *((capture(hours, b"%d" % n, url=url), said) for n, (url, hours, said) in enumerate(pages)))
    return archive


def find(archive: Archive, query: str, **more: int) -> list[Hit]:
    return list(Search(archive).find(parse(query), **more).hits)


def urls(archive: Archive, query: str) -> set[str]:
    return {hit.url.partition("//")[2].partition("/")[0] for hit in find(archive, query)}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("water", {"sea.example"}),
        ("WATER noon", {"sea.example"}),
        ("cafe", {"sea.example"}),
        ("CAFÉ", {"sea.example"}),
        ("strasse", {"www.land.example"}),
        ("grosse", {"www.land.example"}),
        ("größe", {"www.land.example"}),
        ("wat*", {"sea.example"}),
        ("was*", {"www.land.example"}),
        ('"high water comes"', {"sea.example"}),
        ('"water high"', set()),
        ("water -noon", {"sea.example"}),
        ("tide -water", set()),
        ("noon OR straße", {"sea.example", "www.land.example"}),
        ("北京大学", {"cjk.example"}),
        ("今天", {"cjk.example"}),
        ("京大", {"cjk.example"}),
        ("大京", set()),
        ("東京タワー", {"cjk.example"}),
        ("한국", {"cjk.example"}),
        ("title:tides", {"sea.example"}),
        ("title:water", set()),
        ("author:byron", {"sea.example"}),
        ('author:"ada byron" dusk', {"sea.example"}),
        ("tag:sea", {"sea.example"}),
        ('tag:"open water"', {"sea.example"}),
        ("lang:de", {"www.land.example"}),
        ("rights:noai", {"www.land.example"}),
        ("rights:CC-BY-4.0 rights:licensed", {"www.land.example"}),
        ("rights:cc-by", set()),
        ("water rights:noai", set()),
        ("wasser rights:noai", {"www.land.example"}),
        ("water OR wasser -rights:noai", {"sea.example"}),
        ("site:land.example", {"www.land.example"}),
        ("site:and.example", set()),
        ("after:2020-03-01 before:2020-03-02", {"sea.example"}),
        ("before:2020", set()),
        ("water after:2021", set()),
        ("water after:2020", {"sea.example"}),
        ('"needle in the haystack"', {"long.example"}),
        ("needle word899", {"long.example"}),
        ("needle tide", set()),
        ('"the so it ends"', {"long.example"}),
        ("word3:oddity", set()),
        ("' OR 1=1; --", set()),
        ('"unclosed high', set()),
    ],
)
def test_what_is_found(archive: Archive, query: str, wanted: set[str]) -> None:
    assert urls(archive, query) == wanted


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Pociąg do Łodzi", "lodzi"),
        ("rødgrød med fløde", "rodgrod"),
        ("cette œuvre du cœur", "oeuvre coeur"),
        ("Þórður og Ægir", "thordur aegir"),
        ("Isparta'dan \u0131l\u0131k rüzgâr", "ilik ruzgar"),
        ("Đà Nẵng hôm qua", '"da nang"'),
        ("قرأتُ الكِتَابَ", "قرأت الكتاب"),
        ("أعدتُ القراءة إلى المدرسة", "اعدت المدرسه"),
        ("שָׁלוֹם עֲלֵיכֶם", "שלום"),
        ("Τη νύχτα το ποτάμι", "νυχτα ΠΟΤΑΜΙ"),
        ("ﾊﾟﾝ屋さん", "パン屋"),
        ("die Donau\u00addampf\u00adschiff\u00adfahrt", "donaudampfschiff*"),
        ("في عام ٢٠٢٤", "2024"),
    ],
)
def test_letters_are_found_however_they_are_typed(tmp_path: Path, database: str, written: str, asked: str) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database))
    keep(archive, (capture(0, url=SEA), text(SEA, f"Before it. {written} and after it.")))
    for query in (asked, written.split(maxsplit=1)[0]):
        hits = find(archive, query)
        assert [hit.url for hit in hits] == [SEA], query
        assert any(piece.found for piece in hits[0].passage)


def test_letters_that_are_other_letters_are_not_found(tmp_path: Path, database: str) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path, store=f"file:{tmp_path / 'store'}", database=database))
    keep(archive, (capture(0, url=SEA), text(SEA, "हिन्दी में लिखा")))
    assert find(archive, "हिन्दी")
    assert not find(archive, "हन्द"), "the vowel signs of Devanagari are letters"
    assert not find(archive, "मे"), "so is the sign of a nasal vowel"


def test_a_quotation_gives_each_version_with_it_and_when_that_was_seen(archive: Archive) -> None:
    only = find(archive, '"comes at noon"')
    assert [(hit.version.first, hit.version.last, hit.version.number, hit.of) for hit in only] == [(at(0), at(9), 1, 3)]
    assert archive.index.capture(only[0].version.captures[0].record)
    assert find(archive, '"comes at dusk"')[0].version.number == 2
    told = only[0].as_json()
    assert (told["first_seen"], told["last_seen"]) == ("2026-05-01T12:00:00Z", "2026-05-01T21:00:00Z")
    assert "[[comes at noon]], and the Café closes." in str(told["snippet"])


def test_what_the_title_says_counts_for_more(archive: Archive) -> None:
    other = "http://other.example/"
    keep(archive, (capture(20, b"x", url=other), text(other, "Something of tides, which come and go.", title="Moon")))
    assert [hit.url for hit in find(archive, "tides")][-1] == other


def test_pages_of_hits_hold_each_once(archive: Archive) -> None:
    many = [f"http://many.example/{n}" for n in range(25)]
    keep(archive, *((capture(1, url.encode(), url=url), text(url, f"pebble number {url[-1]}")) for url in many))
    search, query = Search(archive), parse("pebble")
    pages = [search.find(query, limit=10, offset=offset) for offset in (0, 10, 20)]
    assert sorted(hit.url for page in pages for hit in page.hits) == sorted(many)
    assert [page.more for page in pages] == [True, True, False]
    assert {page.total for page in pages} == {25}


def test_what_is_found_is_the_same_after_the_index_was_made_anew(archive: Archive, tmp_path: Path) -> None:
    from archive.runtime.database import connect

    before = [hit.as_json() for hit in find(archive, "tide")]
    index = Index(connect(f"sqlite:///{tmp_path / 'anew.db'}"))
    IndexWriter(index).prepare()
    for _ in range(2):
        for key in keys(archive.store):
            assert reindex(archive.store, IndexWriter(index), key) is None
    anew = Archive(archive.settings, archive.store, index)
    assert sorted(map(str, before)) == sorted(str(hit.as_json()) for hit in find(anew, "tide"))


@pytest.mark.parametrize(
    "query", ["", "   ", "-water", "...", "x" * 3_000, "before:never", " ".join("abc" for _ in range(60))]
)
def test_what_cannot_be_asked_is_said(query: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(query)
