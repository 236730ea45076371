"""What changed between two texts."""

from __future__ import annotations

import pytest
from sample.archives import capture, keep

from archive.archive import Archive
from archive.reader.diff import counted, differences
from archive.reader.page_history import changed, compared, versions_of
from archive.settings import ArchiveSettings


def shown(before: str, after: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return "\n".join("".join(marks[run.kind].format(run.text) for run in c.runs) for c in differences(before, after))


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("a b c", "a b c", "a b c"),
        ("High water at noon.", "High water at dusk.", "High water at [-noon-]{+dusk+}."),
        ("one\ntwo\nthree", "one\nthree", "one\n[-two-]\nthree"),
        ("one\nthree", "one\ntwo\nthree", "one\n{+two+}\nthree"),
        ("the old words stay here", "the new words stay here", "the [-old-]{+new+} words stay here"),
        ("北京天气很好", "北京天气不好", "北京天气[-很-]{+不+}好"),
    ],
)
def test_changes_are_shown_by_word(before: str, after: str, wanted: str) -> None:
    assert shown(before, after) == wanted


def test_both_texts_can_be_restored_from_their_diff() -> None:
    before = "Title\nThe first line stays.\nThis one is cut.\nAnd this is edited a little bit.\nEnd"
    after = "Title\nThe first line stays.\nAnd this was edited a little bit, and longer.\nA new one.\nEnd"
    found = differences(before, after)
    sides = [
        [("".join(run.text for run in part), change.kind) for change in found for part in (getattr(change, side),)]
        for side in ("before", "after")
    ]
    assert "\n".join(text for text, kind in sides[0] if kind != "new") == before
    assert "\n".join(text for text, kind in sides[1] if kind != "gone") == after
    assert counted(found) == {"removed_words": 5, "added_words": 6}


def test_versions_are_the_texts_that_differ_from_the_previous_one(tmp_path) -> None:
    archive = Archive.open(ArchiveSettings(home=tmp_path))
    said = ["one two", "one two", "one three", "one two"]
    keep(archive, *((capture(n, b"%d" % n), text) for n, text in enumerate(said)))
    found = versions_of(archive, "http://blog.example/post")
    assert [(v.number, v.first.hour, v.last.hour, len(v.captures)) for v in found] == [
        (1, 12, 13, 2),
        (2, 14, 14, 1),
        (3, 15, 15, 1),
    ]
    told = changed(archive, found)
    assert [(one.get("added_words"), one.get("removed_words")) for one in told] == [(None, None), (1, 1), (1, 1)]
    newest = compared(archive, found, None, None)
    assert (newest.before.text, newest.after.text) == ("one three", "one two")
    first = compared(archive, found, found[0].first, found[1].first)
    assert (first.before.text, first.after.text) == ("one two", "one three")
