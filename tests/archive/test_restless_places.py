"""What is different at every visit is no version; what an author edits is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sample.archives import capture, keep
from sqlalchemy import update

from archive.archive import Archive
from archive.extract import extract
from archive.extract.text import Text
from archive.index.edits import text_marks
from archive.index.line_marks import Place, Region, regions, restless_places
from archive.index.schema import texts
from archive.maintenance.reindex import keys, reindex
from archive.reader.page_history import versions_of
from archive.settings import ArchiveSettings

URL = "http://blog.example/2026/05/harbour"
BODY = (
    "The ferry carries eleven kinds of rope and 12 kinds of knot, and nobody has counted them since May.",
    "The second paragraph tells of the lamp on the point, which rings when the sea is high.",
    "The last paragraph closes this post with a word on the harbour and on those who live there.",
)
QUOTES = (
    "Nothing is so firmly believed as what we least know.", "A fool sees not the same tree that a wise man sees.",
    "Brevity is a sister of talent.", "He who hesitates may well be saved.", "All is flux.",
    "Do not count your chickens before they hatch.", "Every dog has his day, they say.", "Haste makes waste.",
    "Still waters run deep.", "Time and tide wait for no man.", "Birds of a feather flock together.",
)  # fmt: skip


def told(tmp_path: Path, said: Sequence[Sequence[str]], **settings: int) -> list[tuple[str, ...]]:
    """What changed in each version of a post whose text has these paragraphs at each visit."""
    archive = Archive.open(ArchiveSettings(home=tmp_path, **settings))
    made = (Text(url=URL, text="\n".join(one), markdown="", title="A") for one in said)
    keep(archive, *((capture(n, b"%d" % n, url=URL), text) for n, text in enumerate(made)))
    return [version.changed for version in versions_of(archive, URL)]


@pytest.mark.parametrize(
    "noise",
    [
        lambda n: (*BODY, f"{n * 37 + 128} views, {n + 3} people are reading this"),
        lambda n: (f"{n + 2} days ago", *BODY),
        lambda n: (BODY[0], QUOTES[n], *BODY[1:]),
        lambda n: (*BODY, QUOTES[n], f"{n + 4} comments"),
        lambda n: (*BODY[:2], *([f"Buy rope from {QUOTES[n]}"] if n % 2 else []), BODY[2]),
    ],
)
def test_ten_visits_to_a_page_that_is_never_the_same_give_no_version(tmp_path: Path, noise) -> None:
    assert told(tmp_path, [noise(n) for n in range(11)]) == [()]


@pytest.mark.parametrize(("old", "new"), [("eleven", "twelve"), ("12", "13"), ("May", "June"), ("rings", "ring")])
@pytest.mark.parametrize("visit", [1, 5, 10])
def test_one_word_or_number_amid_the_noise_gives_one(tmp_path: Path, old: str, new: str, visit: int) -> None:
    def at(number: int) -> list[str]:
        body = [line.replace(old, new) for line in BODY] if number >= visit else BODY
        return [f"{number + 2} days ago", *body, QUOTES[number], f"{number * 7} views"]

    assert told(tmp_path, [at(n) for n in range(11)]) == [(), ("text",)]


def test_pages_whose_surroundings_change_give_versions_for_edits_alone(tmp_path: Path) -> None:
    def page(number: int) -> bytes:
        others = "".join(f"<li><a href='/{number}-{n}'>{QUOTES[(number + n) % 11]}</a></li>" for n in range(4))
        body = "".join(f"<p>{line.replace('12', '13') if number > 6 else line}</p>" for line in BODY)
        return (
            f"<!DOCTYPE html><title>The bell</title><nav>{QUOTES[number]}</nav><main><article><h1>The bell</h1>{body}"
            f"<p>{number * 31} views</p></article></main><aside><p>{QUOTES[-number]}</p><ul>{others}</ul></aside>"
            f"<footer>Updated {number + 1} minutes ago</footer>"
        ).encode()

    archive = Archive.open(ArchiveSettings(home=tmp_path))
    made = [(page(n), extract(page(n), url=URL, content_type="text/html; charset=utf-8")) for n in range(11)]
    keep(archive, *((capture(n, payload, url=URL), text) for n, (payload, text) in enumerate(made)))
    assert [version.changed for version in versions_of(archive, URL)] == [(), ("text",)]


def test_a_paragraph_that_its_author_edits_again_and_again_is_no_noise(tmp_path: Path) -> None:
    words = ("lamp", "bell", "buoy", "horn", "drum")
    assert told(tmp_path, [(BODY[0], BODY[1].replace("lamp", one), BODY[2]) for one in words])[1:] == [("text",)] * 4


def test_an_operator_may_want_every_difference(tmp_path: Path) -> None:
    said = [(*BODY, f"{n} views") for n in range(5)]
    assert told(tmp_path, said, restless_visits=0) == [(), *[("text",)] * 4]
    assert told(tmp_path / "more", said, restless_visits=5) == [(), *[("text",)] * 4]


def test_rows_of_an_earlier_version_have_no_marks_until_they_are_made_anew(tmp_path: Path) -> None:
    said = [(*BODY, QUOTES[n]) for n in range(5)]
    assert told(tmp_path, said) == [()]
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    with archive.index.engine.begin() as connection:
        connection.execute(update(texts).values(marks=None))
    assert len(versions_of(archive, URL)) == 5
    again = Archive.open(ArchiveSettings(home=tmp_path, database=f"sqlite:///{tmp_path}/new.db"))
    for key in keys(again.store):
        reindex(again.store, again.writer.index, key)
    assert len(versions_of(again, URL)) == 1


def test_regions_stand_between_the_lines_that_both_texts_have() -> None:
    before, after = text_marks("a rope\nb\nc"), text_marks("a rope\nb knot\nc\nd lamp")
    first, second = regions(before, after)
    assert (first.place, second.place) == (
        Place(before=before[:9], behind=before[18:27]), Place(before=before[18:27], behind="$"),
    )  # fmt: skip
    assert regions(before, before) == ()
    assert [region.by_chance for region in regions(text_marks("12 eggs"), text_marks("13 eggs"))] == [True]
    assert [region.by_chance for region in regions(text_marks(BODY[0]), text_marks(BODY[0] + " Yes"))] == [False]


def test_a_place_is_restless_if_it_is_different_at_most_visits() -> None:
    place = Place(before="^", behind="$")
    different, edited = ((Region(place=place, by_chance=chance),) for chance in (True, False))
    assert restless_places([None, different, different, different], visits=3) == {place}
    assert restless_places([different, different, ()], visits=3) == frozenset()
    assert restless_places([different, (), (), different, (), different], visits=3) == frozenset()
    assert restless_places([different, different, edited], visits=3) == frozenset()
    assert restless_places([different] * 9, visits=0) == frozenset()


def test_page_and_feed_may_state_two_titles_and_an_edit_of_either_is_seen(tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    first = Text(url=URL, text=BODY[0], markdown="", title="By feed", sources={"title": "feed"})
    said = [first, replace(first, page_says={"title": "By page"}), replace(first, page_says={"title": "Edited"})]
    said.append(replace(said[2], title="Edited in the feed"))
    keep(archive, *((capture(n, b"%d" % n, url=URL), text) for n, text in enumerate(said)))
    found = [version.changed for version in versions_of(archive, URL)]
    assert found[-2:] == [("title",), ("title",)]
