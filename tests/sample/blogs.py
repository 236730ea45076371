"""Three sample blogs with everything that stands around posts on real ones: share buttons, related posts, ads, comments.

A WordPress-like one with an RSS feed, a Ghost-like one with a JSON Feed, a hand-made one with an Atom feed.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sample.server import Answer


@dataclass(frozen=True, kw_only=True)
class Post:
    slug: str
    title: str
    author: str
    published: datetime
    category: str
    tags: tuple[str, ...]
    body: str
    """HTML of the post itself."""
    comments: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> list[str]:
        """Each paragraph, heading, quotation and list item as plain text."""
        found = re.findall(r"<(p|h2|h3|li)\b[^>]*>(.*?)</\1>", self.body, re.DOTALL)
        return [" ".join(html.unescape(re.sub(r"<[^>]+>", "", inner)).split()) for _, inner in found]


@dataclass(frozen=True, kw_only=True)
class Blog:
    name: str
    theme: Callable[[Blog, Post, str], str]
    feed: Callable[[Blog, str], tuple[str, str, bytes]]
    posts: tuple[Post, ...]

    def edited(self, slug: str, before: str, after: str) -> Blog:
        """The blog after one of its posts was changed."""
        posts = tuple(
            replace(post, body=post.body.replace(before, after)) if post.slug == slug else post for post in self.posts
        )
        return replace(self, posts=posts)

    def url_of(self, post: Post) -> str:
        return f"/{post.published:%Y/%m/%d}/{post.slug}/"

    def pages(self, root: str) -> dict[str, Answer]:
        """What a server at `root` answers."""
        path, kind, body = self.feed(self, root)
        links = "".join(f'<li><a href="{self.url_of(p)}">{html.escape(p.title)}</a></li>' for p in self.posts)
        home = (
            f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{self.name}</title>"
            f'<link rel="alternate" type="{kind}" title="{self.name}" href="{path}">'
            f"</head><body><h1>{self.name}</h1><ul>{links}</ul></body></html>"
        )
        answers = {
            "/": Answer(home.encode()),
            path: Answer(body, content_type=kind),
            "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", content_type="text/plain"),
        }
        for post in self.posts:
            answers[self.url_of(post)] = Answer(self.theme(self, post, root).encode())
        return answers


# -- themes

RESIDUE = (
    "Share this:", "Like this:", "Like Loading...", "Loading...", "Related", "Related Videos", "Related Articles",
    "Advertisements", "Leave a Reply", "Filed under:", "Subscribe", "You might also like", "Read next",
)  # fmt: skip
"""Lines of the themes that are not the posts'; none may be in a text."""


def _others(blog: Blog, post: Post) -> Sequence[Post]:
    return [other for other in blog.posts if other is not post][:3]


def wordpress(blog: Blog, post: Post, root: str) -> str:
    url = root + blog.url_of(post)
    share = "".join(
        f'<li class="share-{n.lower()}"><a rel="nofollow" class="share-{n.lower()} sd-button share-icon" href="{url}?share={n.lower()}"'
        f' title="Click to share on {n}"><span>{n}</span></a></li>'
        for n in ("Facebook", "Twitter", "Email")
    )
    related = "".join(
        f'<div class="jp-relatedposts-post"><h4 class="jp-relatedposts-post-title"><a class="jp-relatedposts-post-a"'
        f' href="{root}{blog.url_of(o)}">{html.escape(o.title)}</a></h4><p class="jp-relatedposts-post-context">In "{o.category}"</p></div>'
        for o in _others(blog, post)
    )
    comments = "".join(
        f'<li id="comment-{k}" class="comment depth-1"><article class="comment-body"><footer class="comment-meta">'
        f'<b class="fn">{who}</b> <span class="says">says:</span></footer><div class="comment-content"><p>{said}</p></div>'
        f'<div class="reply"><a class="comment-reply-link" href="#respond">Reply</a></div></article></li>'
        for k, (who, said) in enumerate(post.comments, 1)
    )
    tags = ", ".join(f'<a href="{root}/tag/{t}/" rel="tag">{t}</a>' for t in post.tags)
    recent = "".join(f'<li><a href="{root}{blog.url_of(o)}">{html.escape(o.title)}</a></li>' for o in blog.posts)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>{html.escape(post.title)} | {blog.name}</title>
<link rel="alternate" type="application/rss+xml" title="{blog.name} &raquo; Feed" href="{root}/feed/">
<link rel="alternate" type="application/rss+xml" title="{blog.name} &raquo; Comments Feed" href="{root}/comments/feed/">
<meta property="og:title" content="{html.escape(post.title)}"><meta property="og:site_name" content="{blog.name}">
<meta property="article:published_time" content="{post.published.isoformat()}"><meta name="generator" content="WordPress.com">
</head><body class="single single-post"><div id="page"><header id="masthead" class="site-header"><p class="site-title"><a href="{root}/">{blog.name}</a></p></header>
<div id="primary"><main><article id="post-7" class="post type-post hentry"><header class="entry-header"><h1 class="entry-title">{html.escape(post.title)}</h1>
<div class="entry-meta">Posted on <time class="entry-date published" datetime="{post.published.isoformat()}">{post.published:%B %d, %Y}</time>
<span class="byline"> by <span class="author vcard"><a class="url fn n" href="{root}/author/x/">{post.author}</a></span></span></div></header>
<div class="entry-content">{post.body}
<h3>Related Videos</h3><ul class="videos"><li><a href="https://video.example/1">How it is made</a></li></ul>
<h6 class="zemanta-related-title">Related Articles</h6><ul class="zemanta-article-ul"><li><a href="https://news.example/a">Somebody else on the same</a></li><li><a href="https://news.example/b">And another one</a></li></ul>
<div id="atatags-26942-1"></div><div class="wpcnt"><div class="wpa"><span class="wpa-about">Advertisements</span><div class="u">Buy now</div></div></div>
<div id="jp-post-flair" class="sharedaddy sd-like-enabled sd-sharing-enabled"><div class="sharedaddy sd-sharing-enabled"><div class="robots-nocontent sd-block sd-social sd-sharing">
<h3 class="sd-title">Share this:</h3><div class="sd-content"><ul>{share}<li class="share-end"></li></ul></div></div></div>
<div class="sharedaddy sd-block sd-like jetpack-likes-widget-wrapper"><h3 class="sd-title">Like this:</h3><div class="likes-widget-placeholder"><span class="button"><span>Like</span></span> <span class="loading">Loading...</span></div></div>
<div id="jp-relatedposts" class="jp-relatedposts"><h3 class="jp-relatedposts-headline"><em>Related</em></h3>{related}</div></div></div>
<footer class="entry-utility">Filed under: <a href="{root}/category/{post.category}/" rel="category tag">{post.category}</a> Tagged: {tags}</footer></article>
<div id="comments"><h3 id="comments-title">{len(post.comments)} Responses</h3><ol class="commentlist">{comments}</ol>
<div id="respond" class="comment-respond"><h3>Leave a Reply</h3><form><textarea name="comment"></textarea></form></div></div></main></div>
<aside id="secondary" class="widget-area"><section class="widget widget_recent_entries"><h3>Recent Posts</h3><ul>{recent}</ul></section>
<section class="widget jetpack_subscription_widget"><h3>Follow Blog via Email</h3><p>Enter your email address to follow this blog.</p></section></aside>
<footer id="colophon"><a href="https://wordpress.example/">Blog at WordPress.com.</a></footer></div></body></html>"""


def ghost(blog: Blog, post: Post, root: str) -> str:
    data = {
        "@context": "https://schema.org", "@type": "Article", "headline": post.title, "datePublished": post.published.isoformat(),
        "author": {"@type": "Person", "name": post.author}, "keywords": ", ".join((post.category, *post.tags)),
        "publisher": {"@type": "Organization", "name": blog.name},
    }  # fmt: skip
    cards = "".join(
        f'<article class="post-card"><a class="post-card-content-link" href="{root}{blog.url_of(o)}"><h3 class="post-card-title">{html.escape(o.title)}</h3></a></article>'
        for o in _others(blog, post)
    )
    comments = "".join(f"<div class='ghost-comment'><b>{who}</b><p>{said}</p></div>" for who, said in post.comments)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(post.title)}</title><meta name="generator" content="Ghost 5.82">
<meta property="og:site_name" content="{blog.name}"><meta property="article:published_time" content="{post.published.isoformat()}">
<script type="application/ld+json">{json.dumps(data)}</script></head>
<body class="post-template"><div class="viewport"><header id="gh-head" class="gh-head"><a href="{root}">{blog.name}</a><button class="gh-portal-trigger">Subscribe</button></header>
<main id="site-main"><article class="article post"><header class="article-header gh-canvas"><h1 class="article-title">{html.escape(post.title)}</h1>
<div class="article-byline"><h4 class="author-name">{post.author}</h4><time datetime="{post.published:%Y-%m-%d}">{post.published:%d %b %Y}</time> • 4 min read</div></header>
<section class="gh-content gh-canvas">{post.body}
<div class="kg-card kg-signup-card"><h2>Subscribe to {blog.name}</h2><p>Get the next letter in your inbox.</p><button>Subscribe</button></div></section>
<section class="article-comments gh-canvas"><div class="comments-wrap">{comments}</div></section></article></main>
<aside class="read-more-wrap"><h3>Read next</h3><div class="read-more inner">{cards}</div></aside>
<div class="cookie-banner" role="dialog"><p>We use cookies to improve your visit.</p><button>Accept</button></div>
<footer class="site-footer"><a href="https://ghost.example/">Powered by Ghost</a></footer></div></body></html>"""


def handmade(blog: Blog, post: Post, root: str) -> str:
    others = "".join(f"<li><a href='{blog.url_of(o)}'>{html.escape(o.title)}</a></li>" for o in _others(blog, post))
    comments = "".join(f"<p class=reader><b>{who}</b>: {said}</p>" for who, said in post.comments)
    return f"""<html lang="en"><head><title>{blog.name}: {html.escape(post.title)}</title></head><body>
<table width="100%"><tr><td valign=top width="160"><b>{blog.name}</b><br><a href="/">home</a><br><a href="/feed.atom">feed</a></td><td>
<h1>{html.escape(post.title)}</h1><p><i>{post.published:%d %B %Y}, {post.author}, in {post.category}</i></p>
<div class=post>{post.body}</div>
<div class=box><h4>You might also like</h4><ul>{others}</ul></div>
<div class="advertisement"><b>Advertisements</b> <a href="https://shop.example/">Fine pencils</a></div>
<div id=comments><h4>{len(post.comments)} comments</h4>{comments}</div>
</td></tr></table></body></html>"""


# -- feeds


def rss(blog: Blog, root: str) -> tuple[str, str, bytes]:
    items = "".join(
        f"<item><title>{html.escape(p.title)}</title><link>{root}{blog.url_of(p)}</link><dc:creator>{p.author}</dc:creator>"
        f"<pubDate>{p.published:%a, %d %b %Y %H:%M:%S} +0000</pubDate><category>{p.category}</category>"
        + "".join(f"<category>{t}</category>" for t in p.tags)
        + f'<guid isPermaLink="false">{root}/?p={k}</guid><description><![CDATA[{p.words[0][:120]} [&hellip;]]]></description>'
        f"<content:encoded><![CDATA[{p.body}]]></content:encoded></item>\n"
        for k, p in enumerate(blog.posts)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{blog.name}</title><link>{root}/</link><description/>{items}</channel></rss>'
    )
    return "/feed/", "application/rss+xml", text.encode()


def atom(blog: Blog, root: str) -> tuple[str, str, bytes]:
    entries = "".join(
        f"<entry><id>tag:example.org,2026:{p.slug}</id><title>{html.escape(p.title)}</title><author><name>{p.author}</name></author>"
        f"<published>{p.published.isoformat()}</published><updated>{p.published.isoformat()}</updated>"
        f'<category term="{p.category}"/>'
        + "".join(f'<category term="{t}"/>' for t in p.tags)
        + f'<link rel="alternate" href="{root}{blog.url_of(p)}"/><content type="html">{html.escape(p.body)}</content></entry>'
        for p in blog.posts
    )
    text = (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>tag:example.org,2026:blog</id><title>{blog.name}</title>'
        f'<updated>2026-05-01T00:00:00Z</updated><link href="{root}/"/>{entries}</feed>'
    )
    return "/feed.atom", "application/atom+xml", text.encode()


def json_feed(blog: Blog, root: str) -> tuple[str, str, bytes]:
    data = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": blog.name,
        "home_page_url": f"{root}/",
        "items": [
            {
                "id": f"{root}/#{p.slug}",
                "url": root + blog.url_of(p),
                "title": p.title,
                "content_html": p.body,
                "date_published": p.published.isoformat(),
                "authors": [{"name": p.author}],
                "tags": [p.category, *p.tags],
            }
            for p in blog.posts
        ],
    }
    return "/feed.json", "application/feed+json", json.dumps(data).encode()


# -- posts


def _at(day: int, month: int = 4) -> datetime:
    return datetime(2026, month, day, 8, 30, tzinfo=UTC)


TIDE = Blog(
    name="Tide Table",
    theme=wordpress,
    feed=rss,
    posts=(
        Post(
            slug="two-reports-on-one-wall", title="Two reports on one wall", author="Nora Whitfield", published=_at(21),
            category="Harbour", tags=("sea-wall", "repairs"),
            body="""<p>The council has published its survey of the sea wall, and so, on the same morning, has the harbour trust. I have read both so that you need not, but the two openings deserve to stand side by side.</p>
<h3>Council survey finds wall sound</h3><blockquote><p>Engineers inspected four hundred metres of masonry between the slip and the light. They found the toe of the wall intact and the joints in fair order, and recommend no work before the end of the decade.</p></blockquote>
<h3>Trust warns of undermining</h3><blockquote><p>Divers working at low water springs photographed a cavity two metres deep below the third buttress. The trust asks that heavy vehicles be kept off the quay until it has been filled with concrete.</p></blockquote>
<p>Both were paid for by the same rate. I walked down at low water to look for myself, and put my arm into the cavity up to the shoulder.</p>""",
            comments=(("Ivor", "My father filled that very hole in 1961, with sacks of cement."), ("Maud", "Thank you for reading them both.")),
        ),
        Post(
            slug="the-bell-buoy", title="The bell buoy is silent", author="Nora Whitfield", published=_at(14),
            category="Seamarks", tags=("buoys",),
            body="""<p>For a hundred and six years the bell off the point has rung itself, four clappers hung loosely round a bronze dome, and anybody in the village could tell you the state of the sea from their bed.</p>
<p>Last Tuesday a tender took it away for cleaning and left a plastic one in its place. The plastic one has a lamp, a radar reflector and a transponder that tells ships its name. It does not ring.</p>
<ul><li>The lamp can be seen for five miles in clear weather.</li><li>The bell could be heard for two in fog.</li></ul>
<p>I asked the tender's mate which he would rather have. He thought about it for longer than I had expected, and then he said that it depended on whether he was going to sea or to sleep.</p>""",
            comments=(("Ivor", "I have not slept since Tuesday."),),
        ),
        Post(
            slug="counting-knots", title="Counting knots on the ferry", author="Tomos Rees", published=_at(2),
            category="Ferries", tags=("knots", "winter"),
            body="""<p>The winter ferry carries eleven kinds of rope and, by my count, nine kinds of knot. The crew use four of them every hour and could not tell you the names of any.</p>
<p>The one that interested me holds the gangway. It is tied by whoever is nearest, always in the same way and always in less than two seconds, and it has never been known to slip.</p>
<p>I asked to be shown it slowly. That turned out to be impossible. Slowed down, the hands forgot what they were doing, and the gangway had to be held by a passenger until somebody came and tied it at the proper speed.</p>""",
        ),
        Post(
            slug="a-chart-with-corrections", title="A chart with corrections", author="Nora Whitfield", published=_at(19, 3),
            category="Seamarks", tags=("charts",),
            body="""<p>The chart in the harbour office was printed in 1974. Since then it has been corrected by hand, in violet ink, two thousand and some times, and there are parts of it where more is violet than black.</p>
<p>Each correction is numbered and initialled. The first hand is round and patient; the second, from about 1990, leans forward as if into wind; the third belongs to the present master, who prints.</p>
<p>You could write a history of the estuary from it. A bank forms, moves north, acquires a name, and is struck out. A wreck is reported, then doubted, then dispersed.</p>""",
        ),
    ),
)  # fmt: skip

LETTERPRESS = Blog(
    name="Slow Letterpress",
    theme=ghost,
    feed=json_feed,
    posts=(
        Post(
            slug="a-case-of-caslon", title="A case of Caslon, complete", author="Odile Marchetti", published=_at(25),
            category="Type", tags=("caslon", "sorting"),
            body="""<p>It came from a parish printer who had closed in the year of the moon landing, and it came unsorted: sixty kilograms of ten-point, emptied into a bath.</p>
<h2>Sorting by hand</h2><p>There is a machine for this, in a museum. Everybody else does it in the evenings, with a lamp and the wireless, reading each sort by its nick and face and dropping it where the hand has learned to go.</p>
<p>We finished in March. There were eleven ampersands too many, no figure seven at all, and one sort that belongs to no fount that we can name.</p>
<blockquote><p>A fount is complete when nobody has to think about it.</p></blockquote>""",
            comments=(("Wim", "I may have your sevens."),),
        ),
        Post(
            slug="the-weight-of-ink", title="The weight of ink", author="Odile Marchetti", published=_at(8),
            category="Ink", tags=("mixing",),
            body="""<p>A pound of black, worked on a slab with a muller until it pulls into strings, will print about four thousand small cards, and the last of them will be better than the first.</p>
<p>People who are used to screens expect ink to be a colour. It is closer to a food: it has a temperature at which it is right, it goes off if it is left, and you learn most of what there is to know by touching it.</p>
<p>This week's was too stiff. I warmed the slab on the stove, which you are told never to do, and it was perfect until noon.</p>""",
        ),
        Post(
            slug="paper-from-the-north", title="Paper from the north mill", author="Bas Hendriks", published=_at(27, 3),
            category="Paper", tags=("mills", "cotton"),
            body="""<p>The north mill still makes a sheet with four deckle edges, a hundred at a time, and sells it to about thirty people in the world. We have been among them since the autumn.</p>
<p>Each sheet is different enough that you learn to feed them by feel. The heavy end goes to the grippers; the side with the faint ribs takes the ink.</p>
<table><tr><th>Sheet</th><th>Weight</th></tr><tr><td>Demy</td><td>118</td></tr><tr><td>Royal</td><td>145</td></tr></table>
<p>When the mill closes in August there will not be another. We have bought what we can carry, which turned out to be two thousand sheets and a bent axle.</p>""",
        ),
    ),
)  # fmt: skip

MEADOW = Blog(
    name="Meadow Notes",
    theme=handmade,
    feed=atom,
    posts=(
        Post(
            slug="yellow-rattle", title="Yellow rattle, third year", author="Hanne Solberg", published=_at(18),
            category="Plants", tags=("rattle", "grass"),
            body="""<p>Yellow rattle steals from grass. It hooks its roots into the roots of its neighbours and drinks, and the neighbours, who would otherwise have taken over the whole field, stay short and let the light in.</p>
<p>We sowed it in three strips, the first autumn after the sheep went. The first year there were nine plants. The second there were so many that I stopped counting at the second gate.</p>
<p>This year the strips are hard to find, because it is everywhere, and between it there are things that nobody sowed: eyebright, a few orchids, and one cowslip that must have waited in the ground for thirty years.</p>""",
            comments=(("Per", "We have the cowslip's sister."),),
        ),
        Post(
            slug="the-scythe", title="What the scythe leaves", author="Hanne Solberg", published=_at(30, 3),
            category="Tools", tags=("scythe", "hay"),
            body="""<p>A mower cuts everything at one height and throws it where it likes. A scythe lays the hay down in rows, with the seed heads all one way, and leaves behind it a field that is not quite flat.</p>
<p>In the hollows that it misses the voles overwinter, and over the hollows, from about October, there is an owl.</p>
<p>I did not know any of this when I bought the scythe. I bought it because the mower would not start.</p>""",
        ),
        Post(
            slug="hedge-arithmetic", title="Hedge arithmetic", author="Hanne Solberg", published=_at(11, 3),
            category="Hedges", tags=("counting",),
            body="""<p>There is a rule that a hedge is a hundred years old for every kind of tree in thirty paces of it. I have counted ours in eleven places and it is somewhere between two hundred and nine hundred years old.</p>
<p>The parish map of 1838 does not show it. The parish map of 1838 also does not show the church, which suggests that the man who drew it had other things on his mind.</p>
<p>I have decided that the hedge is as old as it looks in the evening, when the light comes through from the far side and every gap has a bird in it.</p>""",
        ),
    ),
)  # fmt: skip

BLOGS = (TIDE, LETTERPRESS, MEADOW)
EDIT = ("the-bell-buoy", "It does not ring.", "It does not ring, and since Friday it does not blink either.")
"""What the demonstration changes after its first crawl: post, words before, words after."""
