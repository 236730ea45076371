"""Code without its line numbers, sources of quotations, captions of tables; and boxes that ask for something go."""

from __future__ import annotations

import pytest
from sample.prose import POST, p

from archive.extract.pipeline import extract

URL = "http://boats.example/2020/a-post/"


def between(inner: str, form: str = "text") -> str:
    """What the text has between the second and the third paragraph."""
    body = f"<div class='entry-content'>{p(*POST[:2])}{inner}{p(*POST[2:])}</div>"
    found = str(getattr(extract(f"<html><body><article>{body}</article></body></html>".encode(), url=URL), form))
    return found.partition(POST[1])[2].partition(POST[2])[0].strip()


CODE = "let a = 1;\n  let b = 2;\nlet c = 3;"
LINES = CODE.split("\n")


def numbered(line: str, before: str = "", after: str = "") -> str:
    return before + "".join(line.format(n=n, line=said) for n, said in enumerate(LINES, 1)) + after


@pytest.mark.parametrize(
    "html",
    [
        numbered("<span class='line'><span class='ln'>{n}</span><span class='cl'>{line}\n</span></span>", "<pre class='chroma'><code>", "</code></pre>"),
        numbered("<span class='linenumber react-syntax'>{n}</span><span>{line}\n</span>", "<pre><code>", "</code></pre>"),
        numbered("<span class='hljs-ln-n' data-n='{n}'></span>{line}\n", "<pre><code>", "</code></pre>"),
        numbered("<a class='no' href='#l{n}'>{n}</a>{line}\n", "<pre>", "</pre>"),
        numbered("<span class='code-line'>{line}</span>", "<pre><code>", "</code></pre>"),
        numbered("<span class='row'><span class='nr'>{n}</span>{line}</span>", "<pre><code>", "</code></pre>"),
        f"<pre class='highlight'><code><table><tbody><tr><td class='gutter gl'><pre class='lineno'>1\n2\n3\n</pre></td><td class='code'><pre>{CODE}\n</pre></td></tr></tbody></table></code></pre>",
        f"<figure class='highlight'><table><tr><td class='gutter'><pre><span>1</span><br><span>2</span><br><span>3</span><br></pre></td><td class='code'><pre>{CODE}</pre></td></tr></table></figure>",
        f"<div class='listing'><pre class='nums'>10\n11\n12</pre><pre>{CODE}</pre></div>",
        numbered("<tr><td data-line-number='{n}'></td><td class='blob-code'>{line}</td></tr>", "<table>", "</table>"),
        numbered("<tr><td>{n}</td><td><code>{line}</code></td></tr>", "<table class='code'>", "</table>"),
    ],
)  # fmt: skip
def test_code_is_as_it_was_written(html: str) -> None:
    assert between(html) == CODE
    assert between(html, "markdown").startswith("```")


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("<pre>1\n2\n3</pre>", "1\n2\n3"),
        ("<pre><code>[<span class='mi'>1</span>, <span class='mi'>2</span>]</code></pre>", "[1, 2]"),
        ("<pre><code><span class='mi'>1</span> tea\n<span class='mi'>2</span> salt</code></pre>", "1 tea\n2 salt"),
        ("<pre><code>a <span class='v'>1</span>\nb <span class='v'>9</span></code></pre>", "a 1\nb 9"),
        ("<pre><b>a</b><b>b</b></pre>", "ab"),
    ],
)
def test_numbers_in_code_stay(html: str, code: str) -> None:
    assert between(html) == code


def test_a_table_of_numbers_is_a_table() -> None:
    table = "<table><tr><td>1</td><td>Ann</td></tr><tr><td>2</td><td>Meg</td></tr></table>"
    assert between(table) == "1 | Ann\n2 | Meg"


@pytest.mark.parametrize(
    "html",
    [
        "<blockquote><p>Water is patient.</p><footer>Old Meg, <cite>On rivers</cite></footer></blockquote>",
        "<blockquote><p>Water is patient.</p><cite>Old Meg, On rivers</cite></blockquote>",
        "<figure class='wp-block-pullquote'><blockquote><p>Water is patient.</p><cite>Old Meg, On rivers</cite></blockquote></figure>",
        "<figure><blockquote><p>Water is patient.</p></blockquote><figcaption>Old Meg, On rivers</figcaption></figure>",
    ],
)  # fmt: skip
def test_a_quotation_keeps_its_source(html: str) -> None:
    assert between(html) == "Water is patient.\nOld Meg, On rivers"


@pytest.mark.parametrize(
    "html",
    [
        "<table><caption>Boats of the village</caption><tr><th>Boat</th><th>Crew</th></tr><tr><td>Ann</td><td>3</td></tr></table>",
        "<figure><figcaption>Boats of the village</figcaption><table><tr><th>Boat</th><th>Crew</th></tr><tr><td>Ann</td><td>3</td></tr></table></figure>",
    ],
)  # fmt: skip
def test_a_table_keeps_its_caption(html: str) -> None:
    assert between(html) == "Boats of the village\nBoat | Crew\nAnn | 3"


def test_a_listing_keeps_its_name() -> None:
    assert between(f"<figure><figcaption>harbour.js</figcaption><pre>{CODE}</pre></figure>") == f"harbour.js\n{CODE}"


@pytest.mark.parametrize(
    "html",
    [
        ("<div class='x1'><h4>Empfohlener redaktioneller Inhalt</h4><p>An dieser Stelle finden Sie einen externen Inhalt von YouTube.</p>"
        "<p>Ich bin damit einverstanden, dass personenbezogene Daten an Drittplattformen übermittelt werden.</p></div>"),
        "<div class='z'><p>This is embedded content from a video site. If you load the content, personal data may be sent to it.</p><a href='#'>Show</a></div>",
        "<figure class='q'><p>Ce contenu externe dépose des cookies. Afficher le contenu avec votre consentement ?</p></figure>",
        ("<div class='intro hidden'><h3>This content is reserved for subscribers</h3><p>Create an account or sign in to continue with your reading experience.</p>"
        "<ul><li>Daily puzzles, and the crossword.</li></ul></div>"),
        "<div class='b7'><h4>Enjoying this?</h4><p>Get the letter of the mill every Friday morning.</p><form><input type='email'></form></div>",
        "<section class='b2'><p>Subscribe now for unlimited access to all articles.</p><p>Only 2 pounds per month, cancel anytime.</p></section>",
    ],
)  # fmt: skip
def test_a_box_that_asks_for_consent_or_money_goes(html: str) -> None:
    assert between(html) == ""


@pytest.mark.parametrize(
    "said",
    [
        "I read the privacy policy and what it says of cookies, and went to bed, for it was late by then and cold.",
        "They told the miller to create an account, and he said that he had one at the bank and needed no other.",
    ],
)
def test_a_paragraph_about_such_things_stays(said: str) -> None:
    assert between(p(said)) == said
    assert between(f"<div class='x'>{p(POST[0] + ' Again.')}</div>") == f"{POST[0]} Again."
