"""The contract of every extractor, the judge between two witnesses, and the operator's rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sample.prose import POST

from archive.errors import SettingsError
from archive.extract import judged_extractor, own_extractor
from archive.extract.extractor import Extractor, Page, Post
from archive.extract.extractors import EXTRACTORS
from archive.extract.feed_hints import FeedHints
from archive.extract.method import Method
from archive.extract.own_extractor import OwnExtractor
from archive.extract.page_source import Source
from archive.extract.pipeline import extract, extractor, extractors
from archive.extract.site_rules import Rulebook
from archive.extract.text import made_by
from archive.extract.trafilatura_extractor import blocks_in

URL = "http://blog.example/post"
PARAGRAPHS = [
    "The river rose slowly through the night, and by the time the baker opened her shutters the street was a canal.",
    "Nobody in the village was surprised, because the old gauge on the bridge had been wrong for years.",
    "We carried the flour sacks up to the chapel, one after another, and counted them twice before we slept.",
    "When the water finally went down it left a grey line on every wall, a little higher than the last one.",
    "My grandfather had scratched his own mark there as a boy, with a nail that he kept in his pocket.",
    "The council met in the school, talked until midnight, and agreed to write a letter about the bridge.",
]
SIDE = "Subscribe to the letter of this site and get a cup of tea."


def page(body: str, head: str = "") -> bytes:
    return (
        f"<!doctype html><html><head><title>The river - Blog</title>{head}</head><body>"
        f"<nav><a href='/'>Home</a> <a href='/about'>About</a></nav>{body}"
        "<footer><p>© The blog</p></footer></body></html>"
    ).encode()


def paragraphs(said: list[str]) -> str:
    return "".join(f"<p>{one}</p>" for one in said)


ORDINARY = page(f"<article><h1>The river</h1>{paragraphs(PARAGRAPHS)}</article><aside><p>{SIDE}</p></aside>")


def parsed(payload: bytes, entry: str | None = None) -> Page:
    return Page(source=Source.of(payload, URL, "text/html"), title="The river", hints=FeedHints.of(entry))


@pytest.mark.parametrize("name", EXTRACTORS)
class TestEveryExtractor:
    """What holds for every extractor; one that is added is held to it too."""

    def test_finds_the_post(self, name: str) -> None:
        post = EXTRACTORS[name].post(parsed(ORDINARY))
        assert all(one in post.text for one in PARAGRAPHS)
        assert "About" not in post.text
        assert SIDE not in post.text

    def test_leaves_the_page_as_it_is(self, name: str) -> None:
        given = parsed(ORDINARY)
        before = [(one.tag, one.text, one.tail) for one in given.source.tree.iter()]
        first = EXTRACTORS[name].post(given)
        assert [(one.tag, one.text, one.tail) for one in given.source.tree.iter()] == before
        assert EXTRACTORS[name].post(given) == first

    @pytest.mark.parametrize("body", ["", "<p></p>", "<script>1</script>", "<div><div></div></div>"])
    def test_finds_nothing_where_nothing_is(self, name: str, body: str) -> None:
        source = Source.of(f"<html><body>{body}</body></html>".encode(), URL, "text/html")
        assert EXTRACTORS[name].post(Page(source=source)).text == ""

    def test_has_its_name_recorded(self, name: str) -> None:
        text = extract(ORDINARY, url=URL, method=Method(extractor=name))
        assert text.extractor["name"] == name
        assert text.extractor in extractors(method=Method(extractor=name))


def test_texts_of_two_extractors_or_witnesses_are_not_compared() -> None:
    made = [made_by(one) for name in EXTRACTORS for one in extractors(method=Method(extractor=name))]
    assert len(set(made)) == len(made)
    assert made_by(extractor()) in made


class Fixed:
    """A second witness that says what it is told to."""

    name = "trafilatura"

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, 0

    def post(self, page: Page) -> Post:
        self.asked += 1
        return Post(text=self.text, markdown=self.text, blocks=blocks_in(self.text, page.blocks))


def judged(payload: bytes, other: Extractor, entry: str | None = None) -> Post:
    return judged_extractor.JudgedExtractor(OwnExtractor(), other).post(parsed(payload, entry))


def test_the_second_witness_is_not_asked_where_nothing_is_in_doubt() -> None:
    other = Fixed("")
    post = judged(ORDINARY, other)
    assert other.asked == 0
    assert post.judgement is not None
    assert (post.judgement.chosen, post.judgement.asked) == ("pressmark", False)
    assert 0.5 <= post.judgement.confidence <= 1


def test_a_feed_that_has_the_whole_post_settles_every_doubt() -> None:
    other = Fixed("")
    judged(ORDINARY, other, paragraphs(PARAGRAPHS))
    assert other.asked == 0


def test_a_label_of_the_second_witness_is_no_text() -> None:
    post = judged(page("<div></div>"), Fixed("Read more"))
    assert post.text == ""


def test_a_text_that_only_the_second_witness_finds_is_the_post() -> None:
    said = " ".join(PARAGRAPHS)
    post = judged(b"<html><body><button>x</button></body></html>", Fixed(said))
    assert post.text == said
    assert post.judgement is not None
    assert post.judgement.chosen == "trafilatura"


def test_what_is_joined_is_in_the_order_of_the_page_and_each_block_is_there_once() -> None:
    given = parsed(page(f"<article><h1>The river</h1>{paragraphs(PARAGRAPHS)}</article>"))
    found = own_extractor.find(given)
    assert found is not None
    ours = [block for block in found.blocks if block.plain in PARAGRAPHS[1:4]]
    theirs = Fixed("\n".join([*PARAGRAPHS[:2], PARAGRAPHS[5]])).post(given)
    joined = judged_extractor.candidates_of(given, replace(found, blocks=ours), theirs)["joined"]
    assert [block.plain for block in joined] == [*PARAGRAPHS[:4], PARAGRAPHS[5]]


def test_the_judgement_is_stored_with_the_text() -> None:
    text = extract(ORDINARY, url=URL)
    stored = text.fields()["judgement"]
    assert stored == {"chosen": "pressmark", "confidence": stored["confidence"], "asked": False}  # type: ignore[index]


# -- the operator's rules


def rulebook(folder: Path, said: str) -> Rulebook:
    path = folder / "rules.toml"
    path.write_text(said, "utf-8")
    return Rulebook.read(path)


def test_what_the_operator_keeps_is_the_post_and_what_he_drops_is_not(tmp_path: Path) -> None:
    book = rulebook(tmp_path, '["blog.example"]\nkeep = ["aside", ".second"]\ndrop = [".advert"]\n')
    body = f"<article>{paragraphs(PARAGRAPHS)}<p class='second'>Second</p></article><aside><p>{SIDE}</p><p class='advert'>Buy.</p></aside>"
    text = extract(page(body), url=URL, method=Method(rules=book.of(URL)))
    assert text.text == f"Second\n{SIDE}"
    assert text.extractor["site_rules"].startswith("blog.example/")
    assert text.judgement is not None
    assert text.judgement["chosen"] == "site rules"
    assert text.extractor in extractors(method=Method(rules=book.of(URL)))


@pytest.mark.parametrize("name", EXTRACTORS)
def test_what_is_dropped_is_in_no_extractor_s_text(tmp_path: Path, name: str) -> None:
    book = rulebook(tmp_path, '["blog.example"]\ndrop = ["p:nth-of-type(2)"]\n')
    text = extract(ORDINARY, url=URL, method=Method(extractor=name, rules=book.of(URL)))
    assert PARAGRAPHS[0] in text.text
    assert PARAGRAPHS[1] not in text.text


def test_rules_that_keep_nothing_of_a_page_leave_it_to_the_extractor(tmp_path: Path) -> None:
    book = rulebook(tmp_path, '["blog.example"]\nkeep = [".no-such-thing"]\n')
    assert PARAGRAPHS[0] in extract(ORDINARY, url=URL, method=Method(rules=book.of(URL))).text


def test_rules_hold_for_subdomains_and_for_no_other_host(tmp_path: Path) -> None:
    book = rulebook(tmp_path, '["example.org"]\ndrop = ["a"]\n["Blog.example.org"]\ndrop = ["b"]\n')
    found = [book.of(f"https://{host}/") for host in ("example.org", "www.example.org", "blog.example.org")]
    assert [one and one.drop for one in found] == [("a",), ("a",), ("b",)]
    assert [book.of(url) for url in ("https://badexample.org/", "https://org/", "mailto:x", "http://[")] == [None] * 4


def test_a_change_of_rules_is_another_maker(tmp_path: Path) -> None:
    rules = rulebook(tmp_path, '["blog.example"]\ndrop = ["a"]\n').of(URL)
    assert rules is not None
    assert made_by(extractor(method=Method(rules=rules))) != made_by(
        extractor(method=Method(rules=replace(rules, drop=("b",))))
    )


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ('["a.example"]\ndrop = ["p["]\n', "is not a CSS selector"),
        ('["a.example"]\ndrop = "p"\n', "is not a list of CSS selectors"),
        ('["a.example"]\nremove = ["p"]\n', "unknown key: remove"),
        ('"a.example" = 1\n', "is not a table"),
        ("[", "rules.toml"),
    ],
)
def test_bad_rules_are_named_with_their_file(tmp_path: Path, said: str, named: str) -> None:
    with pytest.raises(SettingsError, match="rules.toml") as raised:
        rulebook(tmp_path, said)
    assert named in str(raised.value)


def test_a_file_of_rules_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.toml"):
        Rulebook.read(tmp_path / "no.toml")


def test_a_summary_in_the_feed_does_not_ask_the_second_witness_by_itself() -> None:
    other = Fixed("")
    judged(ORDINARY, other, f"<p>{PARAGRAPHS[0][:60]}…</p>")
    assert other.asked == 0


def test_a_lead_that_only_the_page_has_stays_beside_a_feed_with_the_whole_post() -> None:
    lead = "What the river did in that year, and why the village still speaks of it at the table."
    body = f"<p class='lead'>{lead}</p><div class='entry-content'>{paragraphs(PARAGRAPHS)}</div>"
    post = OwnExtractor().post(parsed(page(f"<article><h1>The river</h1>{body}</article>"), paragraphs(PARAGRAPHS)))
    assert post.text.split("\n") == [lead, *PARAGRAPHS]


@pytest.mark.parametrize("witness", ["pressmark", "trafilatura", "joined"])
def test_the_judge_gives_the_words_of_a_witness_that_is_named(witness: str) -> None:
    page = f"<h1>A post</h1><article>{''.join(f'<p>{said}</p>' for said in POST)}</article>".encode()
    text = extract(page, url="https://blog.example/post", method=Method(witness=witness))
    assert text.judgement == {"chosen": witness, "confidence": 0.5, "asked": True}
    assert text.extractor.get("chosen") == (None if witness == "pressmark" else witness)
    assert [line for line in text.text.split("\n") if line in POST] == list(POST)
