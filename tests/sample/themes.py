"""Themes of blogs: what is around a post on real pages. Each wraps the markup of a post, or of a wall, into a page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

Theme = Callable[..., str]


def wordpress(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A classic theme: header, widgets with a search and a login box, comments with a form, footer."""
    h1 = f'<h1 class="entry-title">{escape(title)}</h1>' if heading else ""
    return f"""<!DOCTYPE html><html lang="{language}" prefix="og: https://ogp.me/ns#"><head><meta charset="utf-8">
<title>{escape(title)} &#8211; Weather Vane</title><link rel="alternate" type="application/rss+xml" href="/feed/">
<meta property="og:title" content="{escape(title)}"><meta property="og:type" content="article">
<meta property="og:site_name" content="Weather Vane"><link rel="stylesheet" href="/style.css">{head}
<script src="/wp-includes/js/jquery.min.js"></script></head><body class="single single-post postid-7">
<div id="page" class="site"><header id="masthead" class="site-header"><p class="site-title"><a href="/">Weather Vane</a></p>
<nav class="main-navigation"><ul><li><a href="/about/">About</a></li><li><a href="/archive/">Archive</a></li></ul></nav></header>
<main id="main" class="site-main"><article id="post-7" class="post-7 post type-post hentry"><header class="entry-header">{h1}
<div class="entry-meta"><time class="entry-date published" datetime="2025-05-02T09:00:00+00:00">2025-05-02</time> <a rel="author" href="/author/ann/">ann</a></div></header>
<div class="entry-content">{body}</div><footer class="entry-footer"><span class="cat-links"><a href="/category/notes/" rel="category tag">Notes</a></span></footer></article>
<nav class="post-navigation"><a href="/older-post/" rel="prev">An older one</a> <a href="/newer-post/" rel="next">A newer one</a></nav>
<div id="comments" class="comments-area"><h2 class="comments-title">One thought</h2><ol class="comment-list"><li class="comment"><div class="comment-body"><p>Lovely, thank you for writing this down for all of us here.</p></div></li></ol>
<div id="respond" class="comment-respond"><h3>Leave a Reply</h3><form action="/wp-comments-post.php" method="post" class="comment-form"><p class="must-log-in">You must be <a href="/wp-login.php?redirect_to=x">logged in</a> to post a comment.</p><textarea name="comment"></textarea><input name="email" type="email"><input type="submit" value="Post Comment"></form></div></div></main>
<aside id="secondary" class="widget-area"><section class="widget widget_search"><form role="search" action="/"><input type="search" name="s"><button>Search</button></form></section>
<section class="widget widget_login"><h2>Log in</h2><form action="/wp-login.php" method="post"><input name="log"><input type="password" name="pwd"><button>Log In</button></form></section>
<section class="widget widget_recent_entries"><h2>Recent Posts</h2><ul><li><a href="/older-post/">An older one</a></li><li><a href="/newer-post/">A newer one</a></li></ul></section></aside>
<footer id="colophon" class="site-footer"><p>Weather Vane is kept by Ann since 2009. We use cookies. <a href="/privacy/">Privacy</a></p></footer></div>
<div id="cookie-notice" class="cookie-notice"><p>We use cookies to make this site work. Click accept to agree to all of them or change your settings.</p><button>Accept</button></div>
<noscript>Please enable JavaScript to view the comments.</noscript><script src="/wp-content/themes/x/main.js"></script></body></html>"""


def ghost(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A theme with a hero header outside of the article and a portal for members."""
    h1 = f'<h1 class="gh-article-title">{escape(title)}</h1>' if heading else ""
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}
<meta property="og:title" content="{escape(title)}"><meta property="og:type" content="article"><link rel="alternate" type="application/rss+xml" href="/rss/">
<script type="application/ld+json">{{"@context":"https://schema.org","@type":"Article","headline":"{title.replace('"', "'")}","datePublished":"2025-05-02T08:00:00.000Z"}}</script>
<script defer src="/portal.min.js" data-ghost="/"></script><script defer src="https://cdn.example/sodo-search.js"></script></head>
<body class="post-template tag-notes"><div class="gh-viewport"><header id="gh-head" class="gh-head"><a class="gh-head-logo" href="/">Slow Paper</a>
<nav class="gh-head-menu"><a href="/about/">About</a></nav><div class="gh-head-actions"><a href="#/portal/signin">Sign in</a> <a href="#/portal/signup">Subscribe</a></div></header>
<main class="gh-main"><article class="gh-article post"><header class="gh-article-header">{h1}<time datetime="2025-05-02">2 May 2025</time></header>
<section class="gh-content gh-canvas">{body}</section></article><div class="gh-comments"><ghost-comments></ghost-comments></div></main>
<footer class="gh-foot"><a href="/">Slow Paper</a> Powered by Ghost</footer></div><div id="ghost-portal-root"></div></body></html>"""


def handmade(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A page written by hand."""
    h1 = f"<h1>{escape(title)}</h1>" if heading else ""
    return f'<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head><body>{h1}\n{body}\n<p><a href="/">back</a></p></body></html>'


def blogger(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A theme of nested boxes without modern elements."""
    h1 = f'<h3 class="post-title entry-title" itemprop="name">{escape(title)}</h3>' if heading else ""
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>Kitchen Radio: {escape(title)}</title>{head}
<link rel="alternate" type="application/atom+xml" href="https://{host}/feeds/posts/default"><meta property="og:title" content="{escape(title)}">
<script src="https://apis.example/plusone.js"></script></head><body class="loading"><div class="navbar section" id="navbar"></div>
<div class="body-fauxcolumns"></div><div class="content"><header><div class="header section" id="header"><h1 class="title"><a href="/">Kitchen Radio</a></h1><div class="descriptionwrapper"><p class="description"><span>Soup, sea and short waves</span></p></div></div></header>
<div class="main section" id="main"><div class="widget Blog" id="Blog1"><div class="blog-posts hfeed"><div class="date-outer"><h2 class="date-header"><span>Friday, 2 May 2025</span></h2><div class="post hentry" itemscope itemtype="http://schema.org/BlogPosting">{h1}
<div class="post-body entry-content" itemprop="description articleBody">{body}<div style="clear: both;"></div></div><div class="post-footer"><span class="post-author vcard">Posted by <span class="fn">Rosa</span></span> <a class="timestamp-link" href="https://{host}/2025/05/p.html"><abbr class="published" title="2025-05-02T10:00:00+02:00">10:00</abbr></a></div></div></div></div>
<div class="comments" id="comments"><h4>No comments:</h4><p class="comment-footer"><a href="https://www.example/comment-iframe.g?id=1">Post a Comment</a></p></div></div></div>
<div class="column-right-outer"><div class="sidebar section"><div class="widget Profile" id="Profile1"><h2>About Me</h2><p>I live in a small town with too many bicycles, and I have been writing here since the winter of 2006.</p></div><div class="widget BlogArchive"><ul><li><a href="/2025/04/">April</a></li></ul></div></div></div></div></body></html>"""


def hatena(
    title: str, body: str, *, language: str = "ja", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A hosted blog with a profile box and a footer of the service."""
    h1 = (
        f'<h1 class="entry-title"><a href="/entry/2025/05/02" class="entry-title-link bookmark">{escape(title)}</a></h1>'
        if heading
        else ""
    )
    return f"""<!DOCTYPE html><html lang="{language}" data-admin-domain="//blog.example"><head prefix="og: http://ogp.me/ns#"><meta charset="utf-8"><title>{escape(title)} - 雨の日の棚</title>{head}
<link rel="canonical" href="https://{host}/entry/2025/05/02"><link rel="alternate" type="application/atom+xml" href="/feed"><meta property="og:title" content="{escape(title)} - 雨の日の棚"></head>
<body class="page-entry"><div id="globalheader-container"><iframe id="globalheader" height="37"></iframe></div><div id="container"><div id="container-inner"><header id="blog-title"><div id="blog-title-inner"><h1 id="title"><a href="/">雨の日の棚</a></h1></div></header>
<div id="content"><div id="main"><article class="entry hentry"><div class="entry-inner"><header class="entry-header"><div class="date"><a href="/archive/2025/05/02"><time datetime="2025-05-02T01:00:00Z">2025-05-02</time></a></div>{h1}</header><div class="entry-content">{body}</div>
<footer class="entry-footer"><div class="social-buttons"><button>ブックマーク</button></div></footer></div></article></div></div><aside id="box2"><div class="hatena-module"><div class="hatena-module-title">プロフィール</div><div class="hatena-module-body">本と雨が好きです。</div></div></aside></div></div><footer id="footer"><a href="https://service.example/">ブログをはじめよう</a></footer></body></html>"""


def micro(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = False, host: str = "blog.example"
) -> str:
    """A microblog with microformats, without titles."""
    h1 = f'<h1 class="p-name">{escape(title)}</h1>' if heading else ""
    return f"""<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Sam Rye</title>{head}<link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel="authorization_endpoint" href="https://auth.example/auth"><link rel="webmention" href="https://hook.example/"></head>
<body><div class="wrapper"><header class="h-card p-author"><a class="u-url" href="/"><img class="u-photo" src="/avatar.jpg" alt=""><span class="p-name">Sam Rye</span></a> <a href="/about">About</a></header>
<div class="h-entry">{h1}<div class="e-content">{body}</div><a class="u-url" href="/2025/05/02/note.html"><time class="dt-published" datetime="2025-05-02 09:14">May 2</time></a></div><footer><a href="https://micro.example/sam">Follow</a></footer></div></body></html>"""


def arabic(
    title: str, body: str, *, language: str = "ar", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A theme from right to left."""
    h1 = f'<h2 class="post__title">{escape(title)}</h2>' if heading else ""
    return f"""<!DOCTYPE html><html dir="rtl" lang="{language}"><head><meta charset="utf-8"><title>{escape(title)} | دفتر الريح</title>{head}<meta property="og:title" content="{escape(title)}"></head><body>
<div class="top-bar"><a href="/">دفتر الريح</a><ul class="menu"><li><a href="/about">عني</a></li><li><a href="/login">دخول</a></li></ul></div><div class="container"><div class="row"><div class="col-8"><div class="post"><div class="post__head">{h1}<span class="date">2 مايو 2025</span></div><div class="post__body">{body}</div></div></div>
<div class="col-4 sidebar"><h3>أحدث المقالات</h3><ul><li><a href="/p/1">عن الملح</a></li><li><a href="/p/2">عن الماء</a></li></ul><form class="newsletter" action="/subscribe"><input type="email" name="e"><button>اشترك</button></form></div></div></div><div class="footer">جميع الحقوق محفوظة</div></body></html>"""


def plain_php(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A page of tables from long ago."""
    h1 = f'<font size="5"><b>{escape(title)}</b></font><br>' if heading else ""
    return f"""<HTML LANG="{language}"><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=utf-8"><TITLE>{escape(title)}</TITLE>{head}</HEAD><BODY BGCOLOR="#ffffff"><TABLE WIDTH="100%"><TR><TD WIDTH="150" VALIGN="top"><A HREF="/">Home</A><BR><A HREF="links.html">Links</A><BR><FORM ACTION="login.php" METHOD="post">User <INPUT NAME="u"><BR>Pass <INPUT TYPE="password" NAME="p"><INPUT TYPE="submit" VALUE="Login"></FORM></TD><TD VALIGN="top">{h1}{body}</TD></TR></TABLE><HR><SMALL>Last changed 2025</SMALL></BODY></HTML>"""


def app(
    title: str, body: str, *, language: str = "en", head: str = "", heading: bool = True, host: str = "blog.example"
) -> str:
    """A page that a framework rendered on the server: utility classes, state as JSON, a root to attach to."""
    h1 = f'<h1 class="text-4xl font-bold">{escape(title)}</h1>' if heading else ""
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"/><title>{escape(title)} · Low Tide</title>{head}<meta property="og:title" content="{escape(title)}"/><link rel="preload" as="script" href="/_next/static/chunks/main.js"/></head>
<body><div id="__next"><div class="min-h-screen flex flex-col"><div class="sticky top-0 flex"><a href="/">Low Tide</a><div class="flex gap-4"><a href="/posts">Posts</a><a href="/login">Log in</a></div></div>
<div class="prose mx-auto">{h1}<div class="text-sm text-gray-500">2 May 2025 · 1 min</div>{body}</div><div class="border-t py-8 text-sm">Low Tide, since 2019</div></div></div><script id="__NEXT_DATA__" type="application/json">{{"props":{{}}}}</script><script src="/_next/static/chunks/main.js"></script><div id="modal-root"></div></body></html>"""


THEMES: tuple[Theme, ...] = (wordpress, ghost, handmade, blogger, hatena, micro, arabic, plain_php, app)
