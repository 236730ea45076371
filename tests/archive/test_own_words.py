"""What an author writes stays, though it looks or sounds like what surrounds a post."""

from __future__ import annotations

import pytest
from sample.prose import POST, p

from archive.extract.pipeline import extract

URL = "http://boats.example/2020/a-post/"


def text_of(body: str, wrap: str = "<div class='entry-content'>{}</div>", after: str = "") -> str:
    header = "<header><a href='/'>Boats</a><nav><a href='/'>Home</a> <a href='/about'>About</a></nav></header>"
    page = f"<html><head><title>A post</title></head><body>{header}<main><article>{wrap.format(body)}</article>{after}</main></body></html>"
    return extract(page.encode(), url=URL).text


# -- refrains


CHORUS = "Roll on, roll on, you brown and muddy water,<br>Roll past the mill and past the miller's daughter,<br>Roll on to sea and never turn again."
VERSES = [f"{said} That was verse {n} of the song." for n, said in enumerate(POST)]


@pytest.mark.parametrize(
    "stanza", ["<p>{}</p>", "<div class='stanza'><p>{}</p></div>", "<blockquote><p>{}</p></blockquote>"]
)
def test_a_refrain_comes_each_time(stanza: str) -> None:
    song = "".join(stanza.format(verse) + stanza.format(CHORUS) for verse in VERSES)
    assert text_of(song).count("miller's daughter") == len(VERSES)


def test_a_refrain_of_single_lines_comes_each_time() -> None:
    lines = CHORUS.split("<br>")
    assert text_of("".join(p(verse, *lines) for verse in VERSES)).count("never turn again") == len(VERSES)


def test_a_response_comes_each_time() -> None:
    answer = "Lord of the rising river, hear us and be near us, and keep the lower street from drowning in the night."
    assert (
        text_of(p(*POST) + "".join(p(f"For the {one}.", answer) for one in ("baker", "widow", "child"))).count(answer)
        == 3
    )


@pytest.mark.parametrize("times", [2, 3])
def test_copies_for_several_screens_are_one(times: int) -> None:
    screens = "".join(f"<div class='for-{n}'>{p(*POST)}</div>" for n in range(times))
    assert text_of(screens, wrap="<div>{}</div>").split("\n") == [*POST]


def test_a_pull_quote_and_a_lead_are_there_once() -> None:
    quote = f"<aside class='pull'><blockquote><p>{POST[0]}</p></blockquote></aside>"
    assert text_of(p(*POST[:2]) + quote + p(*POST[2:])).count(POST[0]) == 1
    assert text_of(f"<div class='intro'><div><p>{POST[0]}</p></div></div>" + p(*POST)).count(POST[0]) == 1


# -- sentences that mention what pages are full of


@pytest.mark.parametrize(
    "said",
    [
        "For three years I argued with people on Twitter every evening, and every evening I went to bed angry.",
        "So I read the whole privacy policy, all forty pages of it, and found that they may sell my heartbeat.",
        "In the end the village newsletter printed the story of the flood on its last page, beneath the bowls results.",
        "Copyright was meant to encourage learning, and it still could.",
        "Loading the wagons took until dusk, and nobody spoke.",
        "Subscribers of the old paper never forgave the miller for it.",
        "Published in 1962, the book was forgotten within a year.",
        "Posted in Berlin, he learned to cook and to keep quiet.",
        "Tagged like a parcel, the child was sent to her aunt.",
        "The council went on Facebook, and the council was never the same again.",
        "The terms of service were read aloud in the inn, to great laughter.",
        "Sponsored by nobody, the bridge was built by everybody.",
        "She refused to subscribe to any view of the flood, or to a newsletter about it.",
        "Meg the ferrywoman was the best writer among them, and never an author.",
    ],
)
def test_a_sentence_of_the_author_stays_wherever_it_is(said: str) -> None:
    longer = [f"{one} Meg saw it." for one in POST]
    assert text_of(p(*longer, said)).split("\n") == [*longer, said]
    assert text_of(p(*longer[:2], said, *longer[2:])).split("\n") == [*longer[:2], said, *longer[2:]]


@pytest.mark.parametrize(
    "said",
    [
        "Follow me on Twitter for more of this.",
        "Subscribe to our newsletter and never miss a post.",
        "Read our privacy policy to learn what we do with your address.",
        "Find us on Facebook, where we are every evening.",
        "Copyright 2020 Boats and Sons. All rights reserved.",
        "Thank you for reading, and sign up for the newsletter.",
        "This post was originally published in the village paper.",
        "About the author: Ann Bell repairs clocks in a shed outside the village.",
        "Ann Bell is a writer and the author of three books about rope.",
    ],
)
def test_a_request_at_the_end_goes(said: str) -> None:
    longer = [f"{one} That was so." for one in (*POST, *POST[:0])]
    assert said not in text_of(p(*longer, *[f"{one} Once more." for one in POST], said))


def test_an_item_that_is_a_label_elsewhere_is_an_item() -> None:
    items = "".join(f"<li>{name}</li>" for name in ("Twitter", "the village inn", "Email"))
    assert "- Email" in text_of(p(*POST[:2]) + f"<p>What I left this year:</p><ul>{items}</ul>" + p(*POST[2:]))


# -- ids and classes


@pytest.mark.parametrize(
    ("tag", "name", "heading"),
    [
        ("section", "voting", "Voting"),
        ("div", "survey-results", "Survey results"),
        ("section", "sec-subscribe-to-nothing", "Subscribe to nothing"),
        ("div", "the_search", "The search"),
        ("section", "h-related-work-2", "Related work"),
        ("div", "zendaya-promoted-dune-part-two-in-a-metallic-suit", "Zendaya in metal"),
        ("section", "comentarios-finales", "Comentarios finales"),
    ],
)
def test_an_id_made_from_a_heading_names_nothing(tag: str, name: str, heading: str) -> None:
    said = f"So much for it, then. {POST[2]}"
    inner = f"{p(POST[0], POST[1])}<{tag} id='{name}'><h2>{heading}</h2>{p(said)}</{tag}>{p(POST[3])}"
    for wrap in ("<div class='entry-content'>{}</div>", "<div>{}</div>"):
        assert said in text_of(inner, wrap)
        assert heading in text_of(inner, wrap)


def test_an_id_that_is_a_name_still_is_one() -> None:
    inner = (
        p(*POST)
        + f"<div id='related-posts'><h3>You may like</h3>{p('Another post of ours, told in a few words more.')}</div>"
    )
    assert text_of(inner).split("\n") == [*POST]


@pytest.mark.parametrize(
    "classes",
    ["print:break-inside-avoid mt-4", "hover:share md:popup:block", "[&>p]:related", "group-hover:sidebar-nav"],
)
def test_a_class_that_says_how_it_looks_names_nothing(classes: str) -> None:
    inner = "".join(f"<div class='{classes}'>{p(one)}</div>" for one in POST)
    assert text_of(inner, wrap="<div>{}</div>").split("\n") == [*POST]


@pytest.mark.parametrize("classes", ["modal", "modal-open has-popup", "print", "widget-area", "newsletter", "share"])
def test_a_name_on_what_is_around_the_post_costs_nothing(classes: str) -> None:
    for inner in ("<div class='entry-content'>{}</div>", "<div>{}</div>"):
        assert text_of(p(*POST), wrap=f"<div class='{classes}'><div>{inner}</div></div>").split("\n") == [*POST]


# -- sections and lists


REFERENCES = (
    "<ol><li><a href='https://a.example/1'>Dow, M. Rivers of the North, a survey of gauges. 1962</a></li>"
    "<li><a href='https://b.example/2'>Hale, E. The Flood Book, in eleven chapters. 1988</a></li></ol>"
)


@pytest.mark.parametrize(
    "heading", ["References", "Further reading", "See also", "Recommended reading", "Zum Weiterlesen"]
)
@pytest.mark.parametrize("wrap", ["<h2>{}</h2>{}", "<section><h2>{}</h2>{}</section>", "<p><b>{}</b></p>{}"])
def test_references_to_other_sites_stay(heading: str, wrap: str) -> None:
    found = text_of(p(*POST) + wrap.format(heading, REFERENCES))
    assert found.split("\n")[len(POST) :] == [
        heading, "- Dow, M. Rivers of the North, a survey of gauges. 1962", "- Hale, E. The Flood Book, in eleven chapters. 1988",
    ]  # fmt: skip


@pytest.mark.parametrize("heading", ["Related posts", "Further reading", "See also", "Read next"])
@pytest.mark.parametrize("host", ["", "http://boats.example", "https://www.boats.example"])
def test_a_list_of_the_blogs_own_posts_goes(heading: str, host: str) -> None:
    links = REFERENCES.replace("https://a.example", host).replace("https://b.example", host)
    assert text_of(p(*POST) + f"<h2>{heading}</h2>{links}").split("\n") == [*POST]


def test_buttons_that_share_the_page_go() -> None:
    links = "".join(
        f"<li><a href='https://{n}.example/share?u={URL}'>Share this post with all of {n}</a></li>"
        for n in ("a", "b", "c")
    )
    assert text_of(p(*POST) + f"<ul>{links}</ul>").split("\n") == [*POST]


@pytest.mark.parametrize("heading", ["Share", "Contents", "Topics", "Author", "Tags"])
def test_a_list_of_words_under_a_heading_stays(heading: str) -> None:
    items = "<ul><li>Bread goes to the left</li><li>A rope</li></ul>"
    found = text_of(p(*POST[:2]) + f"<h2>{heading}</h2>{items}" + p(*POST[2:]))
    assert found.split("\n")[2:5] == [heading, "- Bread goes to the left", "- A rope"]


def test_a_list_that_a_sentence_announces_stays() -> None:
    items = "".join(f"<li><a href='/{n}'>What I wrote here in the year {n}</a></li>" for n in (2011, 2012, 2013))
    assert "- What I wrote here in the year 2012" in text_of(
        p(*POST, "Things I wrote about the flood in other years:") + f"<ul>{items}</ul>" + p("So there.")
    )


# -- code, other scripts, boxes of others


@pytest.mark.parametrize(
    "box",
    [
        "<pre>{}</pre>",
        "<div class='highlight'><pre>{}</pre></div>",
        "<figure><pre>{}</pre></figure>",
        "<blockquote><p>{}</p></blockquote>",
    ],
)
def test_short_sentences_around_a_listing_stay(box: str) -> None:
    code = "\n".join(f"value_{n} = compute({n})  # step number {n} of the computation" for n in range(12))
    found = text_of(
        f"<p>Here is the code for it:</p>{box.format(code)}<p>This gives both keys.</p>", wrap="<div>{}</div>"
    )
    assert found.startswith("Here is the code for it:")
    assert found.endswith("This gives both keys.")


JA = (
    "昨日は朝から雨が降っていました。",
    "駅前のパン屋さんに寄って、あんパンを二つ買いました。",
    "家に帰って、猫と半分こしました。",
    "猫はあんこが好きではないようです。",
)
KO = (
    "어제는 아침부터 비가 내렸습니다.",
    "역 앞 빵집에 들러 단팥빵을 두 개 샀습니다.",
    "집에 돌아와 고양이와 나누어 먹었습니다.",
    "고양이는 팥을 좋아하지 않는 모양입니다.",
)
ZH = (
    "昨天从早上就开始下雨。",
    "我去了车站前的面包店买了两个红豆面包。",
    "回家以后我和猫一人一半。",
    "猫好像不喜欢红豆馅。",
)


@pytest.mark.parametrize("lines", [JA, KO, ZH], ids=["ja", "ko", "zh"])
@pytest.mark.parametrize("form", ["<p>{}</p>", "<div>{}</div><div><br></div>"])
def test_short_lines_of_other_scripts_outweigh_comments(lines: tuple[str, ...], form: str) -> None:
    comment = "".join(f"<div class='comment'><p>{lines[1] * 3} {n}</p></div>" for n in range(2))
    found = text_of(
        "".join(form.format(line) for line in lines),
        wrap="<div class='text'>{}</div>",
        after=f"<div id='comments'>{comment}</div>",
    )
    assert found.split("\n") == [*lines]


TWEET = (
    "<div class='tweet'><a class='tweet-link-top' href='https://twitter.com/x/status/1'><div class='tweet-header'>"
    "<span class='author'>Ann Weir</span></div>The weir is open and the street is closed. Take the chapel path.</a></div>"
)
CARD = (
    "<figure class='kg-card kg-bookmark-card'><a href='https://x.example/'><div class='kg-bookmark-title'>The Flood Book</div>"
    "<div class='kg-bookmark-description'>A history of the river in eleven floods.</div></a></figure>"
)


@pytest.mark.parametrize(("box", "said"), [(TWEET, "The weir is open"), (CARD, "A history of the river")])
def test_what_somebody_else_said_stays(box: str, said: str) -> None:
    longer = [f"{one} It was so." for one in POST]
    assert said in text_of(p(*POST[:2], *longer[:2]) + box + p(*longer[2:], *POST[2:]))


def test_a_card_of_the_blog_itself_goes() -> None:
    card = CARD.replace("https://x.example/", "/other")
    assert "The Flood Book" not in text_of(p(*POST) + card + p(*[f"{one} It was so." for one in POST]))


# -- posts of few words


AFTER = {
    "comments": f"<div id='comments'><div class='comment'><p>What a picture! {POST[0]}</p></div><div class='comment'><p>Lovely. {POST[1]}</p></div></div>",
    "related": f"<aside class='related-posts'><h3>More</h3><ul><li><a href='/b'>Another</a><p>{POST[0]} A teaser.</p></li><li><a href='/c'>A third</a><p>{POST[1]}</p></li></ul></aside>",
    "author": f"<div class='author-bio'><h3>About the author</h3><p>Ann keeps bees. {POST[2]}</p></div>",
}


@pytest.mark.parametrize("after", [*AFTER.values(), "".join(AFTER.values())], ids=[*AFTER, "all"])
@pytest.mark.parametrize("wrap", ["<div class='entry-content'>{}</div>", "<div class='text'>{}</div>", "{}"])
def test_a_post_of_few_words_is_not_what_stands_beside_it(wrap: str, after: str) -> None:
    assert text_of("<p>Morning on the weir.</p><p><img src='/w.jpg'></p>", wrap, after) == "Morning on the weir."
    assert text_of("<p>Rain. Stayed in.<br>Read again.</p>", wrap, after) == "Rain. Stayed in.\nRead again."


@pytest.mark.parametrize("target", ["https://shop.example/{}", "#step-{}", "/full/{}.jpg"])
def test_sections_in_items_are_no_teasers(target: str) -> None:
    items = "".join(
        f"<li><h3><a href='{target.format(n)}'>Step {n} of it</a></h3><p>{said}</p></li>" for n, said in enumerate(POST)
    )
    found = text_of(
        p(*[f"{said} At first." for said in POST]) + f"<ol>{items}</ol>" + p("So it was done."), wrap="<div>{}</div>"
    )
    assert all(said in found.split("\n") for said in POST)
