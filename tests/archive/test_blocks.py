"""Blocks of a page as Markdown and as plain text."""

from __future__ import annotations

import pytest
from lxml.html import fragment_fromstring

from archive.extract.block_walk import blocks_of
from archive.extract.blocks import BlockType, markdown_text, plain_text

URL = "http://blog.example/post/"


def forms(html: str) -> tuple[str, str]:
    found = blocks_of(fragment_fromstring(html, create_parent="div"), dropped=frozenset(), url=URL)
    return plain_text(found), markdown_text(found)


@pytest.mark.parametrize(
    ("html", "words", "marked"),
    [
        ("<h2>A <em>head</em></h2><p>b</p>", "A head\nb", "## A head\n\nb"),
        ("<p>a <b>b <i>c</i></b> d</p>", "a b c d", "a **b *c*** d"),
        ("<p><strong> a </strong>b</p>", "a b", "**a** b"),
        ("<p>a <b></b><i> </i>b</p>", "a b", "a b"),
        ("<p>use <code>x = *y</code> so</p>", "use x = *y so", "use `x = *y` so"),
        ("<p><del>old</del> new</p>", "old new", "~~old~~ new"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b", "- a\n- b"),
        ("<ol start='3'><li>a</li><li>b</li></ol>", "- a\n- b", "3. a\n4. b"),
        (
            "<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>d</li></ul>",
            "- a\n- b\n- c\n- d",
            "- a\n  1. b\n  2. c\n- d",
        ),
        ("<ul><li><p>a</p><p>b</p></li></ul>", "- a\nb", "- a\n\n  b"),
        ("<ul><li>a</li></ul><ol><li>b</li></ol>", "- a\n- b", "- a\n\n1. b"),
        ("<blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "a\nb\nc", "> a\n>\n> b\n\nc"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "a\nb", "> a\n>\n> > b"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n- b", "a\n\n- b"),
        ("<p>a<br>b<br/>c</p>", "a\nb\nc", "a  \nb  \nc"),
        ("<p>a<br><br>b</p>", "a\nb", "a\n\nb"),
        ("<p><b>a<br>b</b></p>", "a\nb", "**a  \nb**"),
        ("a<div>b</div>c", "a\nb\nc", "a\n\nb\n\nc"),
        ("<p>a&#173;b &#8203;c &#57344;d</p>", "ab c d", "ab c d"),
        ("<p>e&#769;</p>", "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("<p>a <!-- b -->c</p>", "a c", "a c"),
        ("<p>a<script>b</script><style>c</style>d</p>", "ad", "ad"),
        ("<p>x<sub>2</sub></p>", "x2", "x2"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢", "漢"),
    ],
)
def test_structure_is_kept(html: str, words: str, marked: str) -> None:
    assert forms(html) == (words, marked)


@pytest.mark.parametrize(
    ("html", "marked"),
    [
        ("<p># no heading</p>", "\\# no heading"),
        ("<p>- no item</p>", "\\- no item"),
        ("<p>&gt; no quote</p>", "\\> no quote"),
        ("<p>12. no item</p>", "12\\. no item"),
        ("<p>a &lt;b&gt; c</p>", "a \\<b> c"),
        ("<p>2 &lt; 3</p>", "2 < 3"),
    ],
)
def test_text_that_looks_like_markdown_is_escaped(html: str, marked: str) -> None:
    assert forms(html)[1] == marked


def test_code_keeps_its_lines_and_its_language() -> None:
    words, marked = forms("<pre><code class='language-python'>def f():\n    return `1`  # ```\n</code></pre>")
    assert words == "def f():\n    return `1`  # ```"
    assert marked == f"````python\n{words}\n````"


@pytest.mark.parametrize(
    "html",
    [
        "<pre>a\n  b</pre>",
        "<pre><div>a</div><div>  b</div></pre>",
        "<pre>a<br>  b</pre>",
        "<div class='highlight'><table><tr><td class='code'><pre>a\n  b</pre></td></tr></table></div>",
    ],
)
def test_lines_of_code_may_be_written_in_many_ways(html: str) -> None:
    assert forms(html) == ("a\n  b", "```\na\n  b\n```")


def test_a_data_table_is_a_table() -> None:
    html = (
        "<table><tr><th>Boat</th><th>Crew</th></tr><tr><td>A | B</td><td><b>3</b></td></tr><tr><td>C</td></tr></table>"
    )
    words, marked = forms(html)
    assert words == "Boat | Crew\nA | B | 3\nC"
    assert marked == "| Boat | Crew |\n| --- | --- |\n| A \\| B | **3** |\n| C |  |"


def test_a_layout_table_is_not_a_table() -> None:
    long = "Words that go on. " * 40
    assert forms(f"<table><tr><td>{long}</td><td>{long}</td></tr></table>")[1].count("|") == 0
    assert forms("<table><tr><td><h2>a</h2><p>b</p></td><td>c</td></tr></table>")[1] == "## a\n\nb\n\nc"
    assert forms("<table role='presentation'><tr><td>a</td><td>b</td></tr></table>")[1] == "a\n\nb"


def test_footnotes_are_footnotes() -> None:
    html = (
        "<p>Said<sup><a href='#fn:1' id='fnref:1'>1</a></sup> so.</p>"
        "<div class='footnotes'><ol><li id='fn:1'><p>By whom? <a href='#fnref:1' class='footnote-backref'>↩</a></p></li></ol></div>"
    )
    assert forms(html) == ("Said[1] so.\nBy whom?", "Said[^1] so.\n\n[^1]: By whom?")


@pytest.mark.parametrize(
    "html",
    [
        (
            "<p>So <span class='katex'><span class='katex-mathml'><math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2"
            "</annotation></semantics></math></span><span class='katex-html' aria-hidden='true'>x2</span></span> holds</p>"
        ),
        "<p>So <math alttext='x^2'><mi>x</mi></math> holds</p>",
        "<p>So <img class='latex' alt='x^2' src='http://s0.wp.com/latex.php?x'> holds</p>",
        "<p>So <script type='math/tex'>x^2</script> holds</p>",
    ],
)
def test_formulas_are_their_source(html: str) -> None:
    assert forms(html) == ("So $x^2$ holds", "So $x^2$ holds")


@pytest.mark.parametrize(
    ("html", "target"),
    [
        (
            "<iframe src='//www.youtube.com/embed/abc' title='A [film]'></iframe>",
            "[A (film)](<http://www.youtube.com/embed/abc>)",
        ),
        (
            "<iframe data-src='https://player.vimeo.com/video/1'></iframe>",
            "[player.vimeo.com](<https://player.vimeo.com/video/1>)",
        ),
        ("<video><source src='a.mp4'></video>", "[blog.example](<http://blog.example/post/a.mp4>)"),
    ],
)
def test_embedded_videos_are_links_in_markdown_only(html: str, target: str) -> None:
    assert forms(f"<p>a</p>{html}<p>b</p>") == ("a\nb", f"a\n\n{target}\n\nb")


@pytest.mark.parametrize(
    "html",
    [
        "<iframe src='javascript:alert(1)//video'></iframe>",
        "<iframe src='data:text/html,video'></iframe>",
        "<iframe src='http://ads.example/slot'></iframe>",
        "<iframe src='http://[broken/video'></iframe>",
        f"<video src='/{'x' * 3_000}'></video>",
        "<img src='javascript:alert(1)' alt='A picture of nothing'>",
        "<img src='data:image/png;base64,AAAA' alt='A picture of nothing'>",
    ],
)
def test_only_web_addresses_become_links(html: str) -> None:
    assert forms(f"<p>a</p>{html}") == ("a", "a")


def test_an_address_cannot_end_its_link() -> None:
    marked = forms(
        "<iframe src='https://player.example/video/a>)[x](javascript:alert(1))' title='a](b)&lt;c&gt;'></iframe>"
    )[1]
    assert marked == "[a)(b) c ](<https://player.example/video/a%3E)[x](javascript:alert(1))>)"


def test_captions_of_blog_software_are_text_and_others_are_in_markdown_only() -> None:
    own = "<figure class='wp-block-image'><img src='a.jpg'><figcaption class='wp-element-caption'>By me</figcaption></figure>"
    other = "<figure><img src='a.jpg'><figcaption>By an agency</figcaption></figure>"
    picture = "![](<http://blog.example/post/a.jpg>)\n\n"
    assert forms(own) == ("By me", f"{picture}By me")
    assert forms(other) == ("", f"{picture}By an agency")


def test_pictures_are_in_markdown() -> None:
    html = "<p>a <img src='b.jpg' alt='The wall at low tide'> c <img class='emoji' alt='\N{ROWBOAT}' src='e.png'></p>"
    words, marked = forms(html)
    assert words == "a c \N{ROWBOAT}"
    assert marked == f"{words}\n\n![The wall at low tide](<http://blog.example/post/b.jpg>)"


def test_links_are_counted() -> None:
    found = blocks_of(
        fragment_fromstring("<p>ab <a href='x'>cde <b>f</b></a></p>", create_parent="div"), dropped=frozenset()
    )
    assert [(block.type, block.linked) for block in found] == [(BlockType.PARAGRAPH, len("cde \x01f\x01"))]


def test_nesting_is_unlimited() -> None:
    words, marked = forms("<blockquote><ul><li>" * 60 + "deep" + "</li></ul></blockquote>" * 60)
    assert words.removeprefix("- ") == "deep"
    assert "deep" in marked
