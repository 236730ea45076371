"""What has no text of its own and still says something: videos, formulas, exponents, headings that are buttons."""

from __future__ import annotations

import pytest

from archive.extract.pipeline import extract

URL = "http://boats.example/2020/the-mole/"
WORDS = "The mole was built in the year of the great storm, and the harbour has been quiet behind it ever since then."
MORE = "Nobody in the village remembers who drew the plans, and the council has lost the paper that would tell us."


def between(inner: str, form: str = "text") -> str:
    """What the text of a page has between its first and its last paragraph."""
    page = (
        "<html><body><article class='post'><h1>The mole and its builders</h1><div class='entry-content'>"
        f"<p>{WORDS}</p>{inner}<p>{MORE} {WORDS}</p></div></article></body></html>"
    )
    found = str(getattr(extract(page.encode(), url=URL), form))
    assert found.startswith(WORDS)
    assert found.endswith(f"{MORE} {WORDS}")
    return found.removeprefix(WORDS).removesuffix(f"{MORE} {WORDS}").strip()


@pytest.mark.parametrize(
    ("html", "target"),
    [
        ("<iframe src='https://www.youtube.com/embed/abc'></iframe>", "https://www.youtube.com/embed/abc"),
        ("<figure class='wp-block-embed'><iframe src='//player.vimeo.com/video/1'></iframe></figure>", "http://player.vimeo.com/video/1"),
        ("<iframe src='about:blank' data-src='https://www.youtube.com/embed/abc'></iframe>", "https://www.youtube.com/embed/abc"),
        ("<iframe data-cookieblock-src='https://www.youtube.com/embed/abc'></iframe>", "https://www.youtube.com/embed/abc"),
        ("<video controls src='/v/flood.mp4'></video>", "http://boats.example/v/flood.mp4"),
        ("<video controls><source src='a.webm'><source src='a.mp4'>Your browser cannot play it.</video>", "http://boats.example/2020/the-mole/a.webm"),
        ("<audio controls><source src='/v/flood.mp3'></audio>", "http://boats.example/v/flood.mp3"),
        ("<object data='https://www.youtube.com/v/abc'><embed src='https://www.youtube.com/v/abc'></object>", "https://www.youtube.com/v/abc"),
        ("<embed src='https://w.soundcloud.com/player/?url=x'>", "https://w.soundcloud.com/player/?url=x"),
        ("<lite-youtube videoid='abc'></lite-youtube>", "https://www.youtube.com/watch?v=abc"),
        ("<amp-youtube data-videoid='a&b'></amp-youtube>", "https://www.youtube.com/watch?v=a%26b"),
    ],
)  # fmt: skip
def test_what_is_played_is_a_link_in_markdown_and_no_text(html: str, target: str) -> None:
    assert between(html, "markdown").endswith(f"](<{target}>)")
    assert between(html) == ""


@pytest.mark.parametrize(
    "html",
    ["<iframe src='https://ads.example/slot'></iframe>", "<iframe src='about:blank'></iframe>", "<video></video>",
     "<noscript><iframe src='https://www.googletagmanager.com/ns.html'></iframe></noscript>"],
)  # fmt: skip
def test_what_plays_nothing_is_left_out(html: str) -> None:
    assert between(html, "markdown") == ""


def test_a_video_after_the_last_words_stays() -> None:
    page = (
        f"<html><body><article><p>{WORDS} {MORE}</p><p>{MORE} {WORDS}</p><p>Copyright the harbour office</p><p><img src='/a.jpg'></p>"
        "<iframe src='https://www.youtube.com/embed/abc'></iframe></article></body></html>"
    )
    found = extract(page.encode(), url=URL)
    assert found.markdown.endswith("[www.youtube.com](<https://www.youtube.com/embed/abc>)")
    assert "Copyright" not in found.text


SO = "The height of the wave is {} at the head of the mole, as the schoolmaster told us in the spring."


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<script type='math/tex'>h = v^2 / 2g</script>", "$h = v^2 / 2g$"),
        ("<span class='MathJax_Preview'>h=v2</span><script type='math/tex; mode=display'>h</script>", "$$h$$"),
        ("<script type='math/asciimath'>h = v^2</script>", "h = v^2"),
        ("<script type='math/mml'><math><mfrac><mi>a</mi><mi>b</mi></mfrac></math></script>", "a/b"),
        ("<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "a/b"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></mfrac></math>", "(a + 1)/2"),
        ("<math><msup><mi>v</mi><mn>2</mn></msup><mo>=</mo><msub><mi>x</mi><mi>i</mi></msub></math>", "v^2 = x_i"),
        ("<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></math>", "x_i^2"),
        ("<math><msqrt><mi>x</mi><mo>+</mo><mn>1</mn></msqrt></math>", "√(x + 1)"),
        ("<math><mroot><mi>x</mi><mn>3</mn></mroot></math>", "3√x"),
        ("<math><semantics><mi>x</mi><annotation encoding='text/plain'>nonsense</annotation></semantics></math>", "x"),
        ("<math><mtext>about</mtext><mn>3</mn></math>", "about 3"),
        ("10<sup>6</sup>", "10^6"),
        ("10<sup>-6</sup> and 10<sup>6</sup>", "10^-6 and 10^6"),
        ("x<sup>n+1</sup>", "x^(n+1)"),
        ("3 m<sup>2</sup>", "3 m^2"),
        ("(a+b)<sup>2</sup>", "(a+b)^2"),
        ("3<sup>1</sup>/<sub>2</sub>", "3 1/2"),
        ("about <sup>3</sup>&frasl;<sub>4</sub>", "about 3\N{FRACTION SLASH}4"),
        ("log<sub>2</sub>8", "log_2 8"),
        ("V<sub>max</sub>", "V_max"),
        ("x<sub>i,j</sub>", "x_(i,j)"),
        ("H<sub>2</sub>O", "H2O"),
        ("the 1<sup>st</sup> and the 2<sup>e</sup>, M<sup>me</sup> Curie, Acme<sup>TM</sup>",
         "the 1st and the 2e, Mme Curie, AcmeTM"),
    ],
)  # fmt: skip
def test_a_formula_says_in_a_line_what_it_says(html: str, said: str) -> None:
    assert between(f"<p>{SO.format(html)}</p>") == SO.format(said)


def test_a_formula_of_any_depth_is_read() -> None:
    deep = "<mrow><msup><mi>x</mi>" * 50 + "<mn>2</mn>" + "</msup></mrow>" * 50
    assert "x" in between(f"<p>{SO.format(f'<math>{deep}</math>')}</p>")


ANSWER = f"<div><p>{MORE} That is all that can be said about it.</p></div>"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        (f"<h3><button>Who drew the plans?</button></h3>{ANSWER}", "### Who drew the plans?"),
        (f"<dl><dt><button type='button'>Who drew the plans?</button></dt><dd>{MORE}</dd></dl>", "Who drew the plans?"),
        (f"<button aria-expanded='false'>Who drew the plans?</button>{ANSWER}", "Who drew the plans?"),
        (f"<div><div><button aria-controls='a'>Who drew the plans?</button></div></div>{ANSWER}", "Who drew the plans?"),
        (f"<input type='checkbox' id='q'><label for='q'>Who drew the plans?</label>{ANSWER}", "Who drew the plans?"),
        ("<ul><li><label><input type='checkbox'> two ropes</label></li><li><input type='checkbox'><label>a lamp</label></li></ul>",
         "- two ropes\n- a lamp"),
    ],
)  # fmt: skip
def test_controls_that_are_headings_or_items_are_read(html: str, said: str) -> None:
    assert between(html, "markdown").startswith(said)


@pytest.mark.parametrize(
    "html",
    [
        f"<button>Copy</button><pre>{MORE}</pre>",
        f"<button aria-expanded='false'>Menu</button><ul><li><a href='/a'>{MORE}</a></li></ul>",
        "<form><label for='m'>Your mail address</label><input id='m'><button>Send it off</button></form>",
        "<form><ul><li><label><input type='checkbox'> I have read the terms of it</label></li></ul></form>",
        "<p><input type='text' id='s'><label for='s'>How much is two and eight?</label></p>",
    ],
)
def test_controls_of_a_page_are_not(html: str) -> None:
    found = between(html)
    assert not any(words in found for words in ("Copy", "Menu", "mail address", "Send", "terms", "two and eight"))
