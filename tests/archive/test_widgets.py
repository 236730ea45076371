"""Known widgets: a page for each of them shows what it leaves around a post, and none of that is in the text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archive.extract import boilerplate
from archive.extract.pipeline import extract

PAGES = sorted((Path(__file__).parent / "widgets").glob("*.html"))
POST = (
    "The harbour was empty when we came down, and the tide had left its weed along the whole length of the wall.",
    "Nobody at the harbour office could say when the boat would leave, nor whether it would leave at all that day.",
    "So we sat in the harbour café until four, with our coats on, and counted the lamps as they were lit.",
)


def widget(page: str) -> str:
    found = re.search(r"<!-- widget: (.*?) -->", page)
    assert found
    return found[1]


def residue(page: str) -> list[str]:
    found = re.search(r"<!-- residue:\n(.*?)\n-->", page, re.DOTALL)
    assert found
    return found[1].split("\n")


def widgets() -> dict[str, dict[str, list[str]]]:
    return {str(one["name"]): one for one in boilerplate.parsed_rules()["widget"]}


def test_each_widget_has_a_page() -> None:
    assert {widget(path.read_text()) for path in PAGES} == set(widgets())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_its_widget(path: Path) -> None:
    page = path.read_text()
    known = widgets()[widget(page)]
    names = {name for found in re.findall(r"""(?:class|id)=["']([^"']*)["']""", page) for name in found.split()}
    shown = names & {*known.get("classes", ()), *known.get("ids", ())}
    assert len(shown) >= min(3, len(known.get("classes", ())))
    visible = re.sub(r"<[^>]+>|<!--.*?-->", "", page.partition("-->\n<!DOCTYPE")[2], flags=re.DOTALL)
    for line in residue(page):
        assert line.replace("&", "&amp;") in visible or line in visible, "the page does not hold its residue"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_nothing_of_a_widget_is_in_the_text_and_all_of_the_post_is(path: Path) -> None:
    page = path.read_text()
    text = extract(page.encode(), url="http://boats.example/2014/03/a-day-at-the-harbour/")
    lines = [line.removeprefix("- ") for line in text.text.split("\n")]
    assert [line for line in lines if line not in (*POST, "Waiting")] == []
    assert [words for words in POST if words not in lines] == []
    for form in (text.text, text.markdown):
        assert [line for line in residue(page) if line in form] == []
    assert text.title == "A day at the harbour"


def test_readers_comments_are_separate() -> None:
    page = next(path for path in PAGES if path.stem == "disqus").read_bytes()
    assert "the coffee was cold, but the company was not" in extract(page, url="http://boats.example/").comments
