"""A second set of first visits, written after the rules and not used to tune them: other makes, other posts."""
# ruff: noqa: RUF001  texts in many languages

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from sample.honest_posts import Honest
from sample.posts import Post
from sample.walls import Wall

from archive.extract.text import Entry

BLIND_POSTS = (
    Post(
        language="en",
        title="Three kinds of silence at the chess club",
        paragraphs=(
            "The first kind arrives with the clocks, when forty people stop coughing at once and somebody's chair complains.",
            "The second is heavier and belongs to the corner table, where old Marek has not castled since the eighties and does not intend to begin.",
            "The third comes afterwards, on the stairs, between two players who both know which move it was and will never mention it.",
            "I lost in thirty-one moves and walked home along the tram line, replaying everything except the mistake.",
        ),
        summary="Club night report, league table, lift sharing for the away match, plus a puzzle which nobody solved last month.",
        note="Drew with a nine-year-old. She offered, kindly.",
    ),
    Post(
        language="nl",
        title="Fietsen langs de Vecht",
        paragraphs=(
            "Bij Maarssen hangt de mist zo laag dat alleen de schoorstenen van de buitenplaatsen boven het water uitsteken.",
            "Een man in een roeiboot vroeg of ik zijn hond gezien had; die zat achter hem en keek beledigd.",
            "In Breukelen at ik appeltaart bij een bakker die weigert slagroom te verkopen en daar beroemd om is geworden.",
            "Terug had ik de wind tegen, een lekke band en het beste humeur van het hele jaar.",
        ),
        summary="Routebeschrijving van tweeënveertig kilometer met knooppunten, veerpont, horeca en een waarschuwing voor ganzen.",
        note="Wind, regen, en toch de was buiten.",
    ),
    Post(
        language="uk",
        title="Лист до майбутньої весни",
        paragraphs=(
            "Я закопав цибулини тюльпанів у мерзлу землю саме того дня, коли вимкнули світло на всій вулиці.",
            "Сусідка вийшла з ліхтариком і питала, чи я не шукаю скарб, а потім принесла ще три відра попелу.",
            "Ми говорили про сорти, про мишей і про те, що земля пам'ятає більше за календар.",
            "Якщо навесні щось зійде, я назву ту клумбу її іменем, хоч вона й буде сваритися.",
        ),
        summary="Сезонні поради садівникам, перелік інструментів, адреси крамниць та коротка розповідь читачки з Полтави про компост.",
        note="Сніг тане, кіт чекає.",
    ),
    Post(
        language="fa",
        title="بوی نان در کوچه",
        paragraphs=(
            "هر صبح پیش از مدرسه، مادربزرگ مرا با یک سکه و یک دستمال سفید به نانوایی سر کوچه می‌فرستاد.",
            "شاطر عباس خمیر را چنان به هوا می‌انداخت که انگار می‌خواست با گنجشک‌ها بازی کند.",
            "یک روز برف سنگینی آمد و تنور خاموش ماند؛ همهٔ محله بیدار شدند اما هیچ‌کس راه نیفتاد.",
            "هنوز هم وقتی از شهر دیگری برمی‌گردم، اول از همه دنبال آن بو می‌گردم.",
        ),
        summary="یادداشت‌های هفتگی دربارهٔ خوراک، همراه با دستور پخت، معرفی یک کتاب تازه و پاسخ به پرسش‌های خوانندگان.",
        note="باران آمد و رفت.",
    ),
    Post(
        language="vi",
        title="Quán cà phê cuối con dốc",
        paragraphs=(
            "Quán không có biển hiệu, chỉ có một chiếc xe đạp cũ dựng trước cửa và tiếng radio rè rè.",
            "Ông chủ pha phin chậm đến mức khách phải kể cho nhau nghe chuyện của mình trong lúc chờ.",
            "Hôm mưa lớn, cả con dốc biến thành suối, chúng tôi kê ghế lên bàn và hát cho đến khi nước rút.",
            "Sáng nay tôi đi ngang qua, cửa khóa, nhưng chiếc xe đạp vẫn còn đó, yên xe ướt sương.",
        ),
        summary="Bài viết thứ mười hai trong loạt ghi chép thành phố, kèm bản đồ, giờ mở cửa và gợi ý đường đi bộ buổi sớm.",
        note="Trời se lạnh, phố thơm mùi khoai nướng.",
    ),
    Post(
        language="ja",
        title="灯台守の献立",
        paragraphs=(
            "島には店がないので、灯台守は月に一度届く米と缶詰だけで三十日分の献立を考えなければならない。",
            "彼の手帳には、嵐の夜に食べた味噌汁の具が、日付と風速の隣に几帳面に書き込まれている。",
            "ある年の冬、船が二週間遅れたとき、彼は海藻と小麦粉で団子を作り、それを今でも誇りにしている。",
            "灯台が自動になった日、最後の夕食は卵焼きだった。誰も見ていない海に向かって、いただきますと言った。",
        ),
        summary="島の暮らしを訪ねる連載です。写真と地図、渡船の時刻表、参考にした本の一覧を末尾に載せています。",
        note="朝の波止場、猫が三匹。",
    ),
    Post(
        language="it",
        title="La bicicletta del campanaro",
        paragraphs=(
            "Ogni mattina alle sei il campanaro attraversa la piazza pedalando controvento, con le chiavi legate al collo.",
            "La catena salta sempre nello stesso punto, davanti alla farmacia, e il farmacista apre la finestra per controllare l'ora.",
            "Quando gli regalarono una bicicletta nuova la usò una domenica sola, poi tornò alla vecchia senza spiegazioni.",
            "Adesso è appesa in sacrestia, accanto ai santi, e la catena brilla più dell'argento.",
        ),
        summary="Appunti dal paese: la fiera di settembre, il restauro dell'organo, due ricette con le pere e un errore da correggere.",
        note="Nebbia in valle, campane lontane.",
    ),
)


def blind_walls() -> Iterator[Wall]:
    """Pages that are not the post."""
    none: frozenset[str] = frozenset()
    yield Wall(
        name="vite shell",
        kinds=frozenset({"script"}),
        markup='<!doctype html><html lang="nl"><head><meta charset="UTF-8"/><link rel="icon" href="/vite.svg"/><title>Dagboek</title><script type="module" crossorigin src="/assets/index-3ad2.js"></script><link rel="stylesheet" href="/assets/index.css"></head><body><div id="root"></div></body></html>',
    )
    yield Wall(
        name="blazor shell",
        kinds=none,
        markup='<!DOCTYPE html><html lang="en"><head><title>Club</title><base href="/"/></head><body><div id="app"><svg class="loading-progress"><circle r="40%" cx="50%" cy="50%"/></svg><div class="loading-progress-text"></div></div><div id="blazor-error-ui">An unhandled error has occurred. <a href="" class="reload">Reload</a> <a class="dismiss">x</a></div><script src="_framework/blazor.webassembly.js"></script></body></html>',
    )
    yield Wall(
        name="flutter shell",
        kinds=frozenset({"script"}),
        markup='<!DOCTYPE html><html><head><base href="/"><meta name="description" content="A new Flutter project."><title>journal</title><script>var serviceWorkerVersion = null;</script><script src="flutter.js" defer></script></head><body><script>window.addEventListener("load",function(){_flutter.loader.loadEntrypoint({})});</script></body></html>',
    )
    yield Wall(
        name="discourse crawler off",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Forum</title><meta name="generator" content="Discourse 3.4"></head><body class="crawler"><header><a href="/">Forum</a></header><div id="main-outlet" class="wrap" role="main"><p>Oops! That page is private.</p></div><footer><p>Powered by <a href="https://www.discourse.org">Discourse</a>, best viewed with JavaScript enabled</p></footer></body></html>',
    )
    yield Wall(
        name="wix shell",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="it"><head><meta charset="utf-8"><title>{title}</title><meta property="og:title" content="{title}"/></head><body><div id="SITE_CONTAINER"><div id="main_MF"><div id="SCROLL_TO_TOP" tabindex="-1" aria-label="top of page"><span class="mHZSwn">top of page</span></div><div id="site-root"><div id="masterPage"><main id="PAGES_CONTAINER"><div id="SITE_PAGES"></div></main></div></div><span>bottom of page</span></div></div><script src="https://static.parastorage.example/t.js"></script></body></html>',
    )
    yield Wall(
        name="mastodon fa",
        kinds=none,
        markup='<!DOCTYPE html><html lang="fa"><head><meta charset="utf-8"><title>مریم (@maryam@jay.example)</title><script src="/packs/js/application.js" crossorigin defer></script></head><body class="app-body"><div class="notranslate app-holder" id="mastodon"><noscript><img alt="Mastodon" src="/packs/logo.svg"><div>برای استفاده از نسخهٔ وب ماستودون، لطفاً جاوااسکریپت را فعال کنید. یا به‌جای آن یکی از برنامه‌های ماستودون را برای سیستم خود امتحان کنید.</div></noscript></div></body></html>',
    )
    yield Wall(
        name="browser too old",
        kinds=none,
        needs_entry=True,
        markup='<!doctype html><html><head><title>Update your browser</title></head><body><div class="box"><h2>Je browser wordt niet ondersteund</h2><p>Werk bij naar een recente versie van Firefox, Chrome of Safari om verder te gaan.</p><a href="https://browser-update.example/">Meer informatie</a></div></body></html>',
    )
    yield Wall(
        name="cloudflare block",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html class="no-js" lang="en-US"><head><title>Attention Required! | Cloudflare</title><meta name="robots" content="noindex, nofollow"/></head><body><div id="cf-wrapper"><div id="cf-error-details" class="cf-error-details-wrapper"><div class="cf-wrapper cf-header cf-error-overview"><h1 data-translate="block_headline">Sorry, you have been blocked</h1><h2 class="cf-subheadline"><span>You are unable to access</span> club.example</h2></div><div class="cf-section cf-columns two"><div class="cf-column"><h2>Why have I been blocked?</h2><p>This website is using a security service to protect itself from online attacks. The action you just performed triggered the security solution. There are several actions that could trigger this block including submitting a certain word or phrase, a SQL command or malformed data.</p></div><div class="cf-column"><h2>What can I do to resolve this?</h2><p>You can email the site owner to let them know you were blocked. Please include what you were doing when this page came up and the Ray ID found at the bottom of this page.</p></div></div><div class="cf-error-footer"><p>Ray ID: 8a1 · Your IP: revealed · Performance &amp; security by <a href="https://www.cloudflare.com/">Cloudflare</a></p></div></div></div></body></html>',
    )
    yield Wall(
        name="wordfence",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>Your access to this site has been limited by the site owner</title></head><body><div class="wf-block"><h1>Your access to this site has been limited by the site owner</h1><p>Your access to this service has been limited. (HTTP response code 503)</p><p>If you think you have been blocked in error, contact the owner of this site for assistance.</p><form><input type="email" name="email"><input type="submit" value="Send Unlock Email"></form><h2>Block Technical Data</h2><table><tr><th>Block Reason:</th><td>Access from your area has been temporarily limited for security reasons.</td></tr></table></div></body></html>',
    )
    yield Wall(
        name="sucuri",
        kinds=none,
        markup='<html><title>You are being redirected...</title><noscript>Javascript is required. Please enable javascript before you are allowed to see this page.</noscript><script>var s={},u,c,U,r,i,l=0,a,e=eval,w=String.fromCharCode,sucuri_cloudproxy_js="",S="cz0i";</script></html>',
    )
    yield Wall(
        name="slider captcha zh",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html><head><meta charset="utf-8"><title>安全验证</title></head><body><div class="verify-wrap"><div class="title">访问过于频繁</div><div class="desc">请拖动滑块完成拼图后继续访问</div><div class="slider"><div class="bar"></div></div></div><script src="/nc/captcha.js"></script></body></html>',
    )
    yield Wall(
        name="ddos guard ru",
        kinds=none,
        markup='<!DOCTYPE html><html><head><title>DDoS-Guard</title><meta charset="utf-8"><link rel="stylesheet" href="/.well-known/ddos-guard/js-challenge/index.css"></head><body><div class="container"><h1 id="title">Проверка браузера перед переходом на сайт</h1><p id="description">Пожалуйста, подождите несколько секунд.</p><div id="ddg-l10n-noscript"></div></div><script src="/.well-known/ddos-guard/js-challenge/index.js"></script></body></html>',
    )
    yield Wall(
        name="vercel checkpoint",
        kinds=none,
        markup='<!DOCTYPE html><html lang="en" data-astro-cid-nbv56vs3><head><title>Vercel Security Checkpoint</title></head><body><div id="root"><div class="spinner"></div><div class="fade-in"><p id="header-text">We&#39;re verifying your browser</p><p id="footer-text"><a href="https://vercel.link/security-checkpoint">Website owner? Click here to fix</a></p></div></div><noscript>Enable JavaScript to continue</noscript><script src="/.well-known/vercel/security/static/challenge.v2.min.js"></script></body></html>',
    )
    yield Wall(
        name="substack login",
        kinds=frozenset({"login"}),
        url="https://substack.example/sign-in?redirect=%2Fp%2Fpost",
        markup='<!DOCTYPE html><html lang="en"><head><title>Sign in</title></head><body><div class="container"><h2>Sign in to read</h2><form><input type="email" name="email" placeholder="Email"><button>Continue</button></form></div></body></html>',
    )
    yield Wall(
        name="django admin",
        kinds=frozenset({"login"}),
        markup='<!DOCTYPE html><html lang="uk" dir="ltr"><head><title>Увійти | Сайт</title></head><body class="login"><div id="container"><div id="header"><div id="branding"><h1 id="site-name"><a href="/admin/">Адміністрування</a></h1></div></div><div id="content" class="colM"><div id="content-main"><form action="/admin/login/?next=/post" method="post" id="login-form"><div class="form-row"><label for="id_username">Користувач:</label> <input type="text" name="username" id="id_username"></div><div class="form-row"><label for="id_password">Пароль:</label> <input type="password" name="password" id="id_password"></div><div class="submit-row"><input type="submit" value="Увійти"></div></form></div></div></div></body></html>',
    )
    yield Wall(
        name="private wordpress",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>Private Site</title></head><body class="private-login"><div id="private"><h2>This site is currently private.</h2><p><a href="https://wordpress.example/log-in?redirect_to=https%3A%2F%2Fblog.example%2Fpost">Log in to WordPress.com</a> to request access.</p></div></body></html>',
    )
    yield Wall(
        name="dashboard only",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="it"><head><title>Questo blog è nascosto</title><script src="/a.js"></script></head><body><div id="base-container"><div class="modal"><h1>Questo diario è visibile solo agli iscritti</h1><p>Registrati per leggere quello che scrive.</p><a href="/register" class="button">Registrati</a></div></div></body></html>',
    )
    yield Wall(
        name="spiegel pur",
        kinds=frozenset({"consent"}),
        markup='<!DOCTYPE html><html lang="nl"><head><title>Toestemming</title><script src="https://cdn.privacy-mgmt.com/wrapperMessagingWithoutDetection.js"></script></head><body><main><h1>Lees verder met reclame of zonder</h1><section><h2>Met reclame</h2><p>Bezoek de site zoals gewoonlijk met advertenties en de gebruikelijke tracking. U kunt uw toestemming altijd intrekken.</p><button>Akkoord en doorgaan</button></section><section><h2>Zonder reclame</h2><p>Neem een abonnement voor enkele euro per maand en lees zonder trackers en banners.</p><button>Abonneren</button></section></main></body></html>',
    )
    yield Wall(
        name="google consent vi",
        kinds=none,
        url="https://consent.blogs.example/ml?continue=https%3A%2F%2Fblog.example%2Fpost&gl=VN",
        markup='<html lang="vi"><head><title>Trước khi bạn tiếp tục</title></head><body><h1>Trước khi bạn tiếp tục</h1><p>Chúng tôi dùng cookie và dữ liệu để cung cấp và duy trì dịch vụ, đo lường mức độ tương tác của người xem.</p><form action="/save"><button>Từ chối tất cả</button></form><form action="/save"><button>Chấp nhận tất cả</button></form></body></html>',
    )
    yield Wall(
        name="blogger content warning",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html><head><title>Content Warning</title></head><body><div class="maia-main"><h1>Content Warning</h1><p>The blog that you are about to view may contain content only suitable for adults. In general, the platform does not review nor do we endorse the content of this or any blog.</p><p><a href="?guestAuth=1">I UNDERSTAND AND I WISH TO CONTINUE</a> <a href="https://www.blogger.example/home">I do not wish to continue</a></p></div></body></html>',
    )
    yield Wall(
        name="django debug 404 with 200",
        kinds=frozenset({"error"}),
        markup='<!DOCTYPE html><html lang="en"><head><title>Page not found at /post</title></head><body><div id="summary"><h1>Page not found <span>(404)</span></h1><table class="meta"><tr><th>Request Method:</th><td>GET</td></tr></table></div></body></html>',
    )
    yield Wall(
        name="suspended",
        kinds=none,
        needs_entry=True,
        markup='<html><head><title>Account Suspended</title></head><body><div id="container"><h1>This Account has been suspended.</h1><p>Contact your hosting provider for more information.</p></div></body></html>',
    )
    yield Wall(
        name="database",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html><head><title>Database Error</title></head><body id="error-page"><div class="wp-die-message"><h1>Error establishing a database connection</h1></div></body></html>',
    )
    yield Wall(
        name="maintenance ja",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>メンテナンス中</title></head><body><div class="center"><img src="/img/mente.png" alt=""><h1>ただいまメンテナンス中です</h1><p>ご不便をおかけしますが、終了までしばらくお待ちください。</p></div></body></html>',
    )
    yield Wall(
        name="category instead",
        kinds=none,
        needs_entry=True,
        url="https://blog.example/category/stad/",
        markup='<!DOCTYPE html><html lang="nl"><head><title>Stad – Dagboek</title></head><body class="archive category"><main>'
        + "".join(
            f'<article class="hentry"><h2 class="entry-title"><a href="/{n}">Zomaar een dag {n}</a></h2><div class="entry-summary"><p>Over de markt, de duiven, een kapotte paraplu en een tram die bleef staan, deel {n}.</p></div></article>'
            for n in range(1, 6)
        )
        + "</main></body></html>",
    )
    yield Wall(
        name="note.com paid",
        kinds=none,
        needs_entry=True,
        shows_title=True,
        markup='<!DOCTYPE html><html lang="ja"><head><title>{title}｜島の人</title><meta property="og:type" content="article"><script type="application/ld+json">{"@context":"https://schema.org","@type":"BlogPosting","headline":"{title}","isAccessibleForFree":false}</script></head><body><main><article><h1 class="o-noteContentHeader__title">{title}</h1><div class="note-common-styles__textnote-body"></div><section class="m-paywall"><h2>ここから先は</h2><p>この記事を購入すると全文が読めます。</p><button>購入手続きへ</button></section></article></main><script src="/_nuxt/a.js"></script></body></html>',
    )
    yield Wall(
        name="ghost cta nl",
        kinds=none,
        needs_entry=True,
        shows_title=True,
        markup='<!DOCTYPE html><html lang="nl"><head><title>{title}</title><script defer src="/portal.js"></script></head><body class="post-template"><main><article class="article post"><header class="article-header"><h1 class="article-title">{title}</h1></header><section class="gh-content"><aside class="gh-post-upgrade-cta"><div class="gh-post-upgrade-cta-content" style="background-color:#000"><h2>Dit stuk is alleen voor leden</h2><a class="gh-btn" href="#/portal/signup">Word lid</a><p><small>Heb je al een account? <a href="#/portal/signin">Inloggen</a></small></p></div></aside></section></article></main></body></html>',
    )
    yield Wall(
        name="refresh to language",
        kinds=frozenset({"refresh"}),
        markup='<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0; url=https://blog.example/nl/post/"><link rel="canonical" href="https://blog.example/nl/post/"><title>https://blog.example/nl/post/</title><meta name="robots" content="noindex"></head></html>',
    )
    yield Wall(
        name="script redirect",
        kinds=frozenset({"script"}),
        markup='<!DOCTYPE html><html><head><script>window.location.replace("https://blog.example/nl" + window.location.pathname);</script></head><body></body></html>',
    )
    yield Wall(
        name="frameset",
        kinds=none,
        markup='<html><head><title>blog.example</title></head><frameset rows="100%,*" border="0"><frame src="http://host.example/~marek/" frameborder="0"><noframes><body>Your browser does not support frames.</body></noframes></frameset></html>',
    )
    yield Wall(
        name="region",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>Unavailable</title></head><body><main><h1>We are sorry</h1><p>Our site is not available in your country for legal reasons. We keep looking for ways to bring our journalism to you.</p></main></body></html>',
    )
    yield Wall(
        name="home with no canonical",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>Corner table</title><link rel="alternate" type="application/rss+xml" href="/feed"></head><body><header><h1><a href="/">Corner table</a></h1><nav><a href="/about">About</a></nav></header><main><article><h2><a href="/a">An opening for rainy days</a></h2><p>It begins quietly, with a pawn nobody wanted and a bishop that has read too many novels about sacrifice.</p></article><article><h2><a href="/b">Tea at move twenty</a></h2><p>The kettle has its own clock and it is always in time trouble, like the rest of us on Thursdays.</p></article></main></body></html>',
    )
    yield Wall(
        name="oauth only",
        kinds=none,
        needs_entry=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>Reader</title></head><body><div class="card"><h1>Reader</h1><p>You need an account to view this.</p><a class="btn" href="/auth/github">GitHub</a><a class="btn" href="/auth/google">Google</a></div></body></html>',
    )
    yield Wall(
        name="newsletter gate",
        kinds=none,
        needs_entry=True,
        shows_title=True,
        markup='<!DOCTYPE html><html lang="en"><head><title>{title}</title><script src="/a.js"></script></head><body><header><a href="/">Corner table</a></header><main><article><h1>{title}</h1><div class="registration-wall"><h3>Register to continue</h3><p>Enter your address and we send a link at once. It is free of charge.</p><form><input type="email"><button>Go on</button></form></div></article></main></body></html>',
    )


def blind_entries(post: Post) -> dict[str, Entry]:
    """What feeds say about a post."""
    whole = "".join(f"<p>{paragraph}</p>" for paragraph in post.paragraphs)
    return {
        "whole": Entry(title=post.title, html=whole),
        "summary": Entry(title=post.title, html=f"{post.paragraphs[0]} {post.paragraphs[1][:40]}&#8230;"),
        "title": Entry(title=post.title),
    }


def _frames(title: str, body: str, language: str) -> Iterator[tuple[str, str]]:
    name = escape(title)
    h1 = f"<h1>{name}</h1>" if title else ""
    yield (
        "tumblr",
        f'<!DOCTYPE html><html lang="{language}"><head><title>{name or "corner table"}</title><link rel="alternate" type="application/rss+xml" href="/rss"><script src="https://assets.example/pre_tumblelog.js"></script></head><body class="permalink-page"><div class="header-wrapper"><header><h1 class="blog-title"><a href="/">corner table</a></h1><p>chess, trams, soup</p></header></div><section id="posts"><article class="text exposed not-page post-7"><div class="post-wrapper clearfix"><section class="post"><div class="post-content"><div class="body-text">{h1}{body}</div></div></section><section class="panel"><footer class="post-panel"><div class="post-date"><a href="/post/7">May 2nd, 2025</a></div><div class="post-notes"><a href="#notes">12 notes</a></div></footer></section></div></article></section><iframe src="https://www.tumblr.example/dashboard/iframe?login=1" id="tumblr_controls" width="0" height="0"></iframe></body></html>',
    )
    yield (
        "squarespace",
        f'<!doctype html><html lang="{language}"><head><title>{name} — Corner Table</title><meta property="og:type" content="article"><script src="//assets.sq.example/common.js"></script></head><body id="item-1" class="tweak-global collection-type-blog"><div id="siteWrapper" class="clearfix site-wrapper"><header id="header" class="header"><div class="header-announcement-bar-wrapper"></div><a href="/" id="site-title">Corner Table</a><div class="user-accounts-text-link"><a href="#">Login Account</a></div></header><main id="page" class="container" role="main"><article class="sections" id="sections"><section class="page-section content-collection"><div class="blog-item-wrapper"><article class="h-entry entry hentry"><div class="blog-item-top-wrapper"><h1 class="entry-title entry-title--large p-name">{name}</h1><time class="dt-published blog-meta-item">2 May</time></div><div class="blog-item-content-wrapper"><div class="blog-item-content e-content"><div class="sqs-layout"><div class="sqs-block html-block"><div class="sqs-block-content"><div class="sqs-html-content">{body}</div></div></div></div></div></div></article></div></section></article></main><footer class="sections"><p>Newsletter: sign up with your email address to receive news and updates. <form class="newsletter-form"><input type="email"><button>Sign Up</button></form></p></footer></div><div class="sqs-cookie-banner-v2"><p>By using this website, you agree to our use of cookies. We use cookies to provide you with a great experience.</p><button>Accept</button></div></body></html>',
    )
    yield (
        "zola",
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{name}</title><link rel="alternate" type="application/atom+xml" href="/atom.xml"></head><body><a href="/">~marek</a> / <a href="/posts">posts</a><hr>{h1}<p><small>2025-05-02</small></p>{body}<hr><p>Reply by mail.</p></body></html>',
    )
    yield (
        "naver",
        f'<!DOCTYPE html><html lang="{language}"><head><title>{name} : 네이버 블로그</title><script src="/jindo.js"></script></head><body><div id="whole-border"><div id="blog-gnb"><a href="/nid.login">로그인</a></div><table role="presentation"><tr><td class="bcc"><div id="postListBody"><div class="post-view"><div class="se-viewer"><div class="se-component se-documentTitle"><div class="se-module se-title-text"><p class="se-text-paragraph"><span>{name}</span></p></div></div><div class="se-main-container"><div class="se-component se-text"><div class="se-module-text">{body}</div></div></div></div></div><div class="wrap_postcomment"><a href="#">댓글 쓰기</a></div></div></td></tr></table></div></body></html>',
    )
    yield (
        "discourse-like comments",
        f'<!DOCTYPE html><html lang="{language}"><head><title>{name} | Corner Table</title></head><body><div class="site"><div class="login-popup modal" style="display:none"><form action="/login"><input type="password"></form></div><div class="article">{h1}<div class="article__text">{body}</div><div class="tags"><a href="/t/a">a</a></div></div><div class="reactions">Sign in to react <button>♥</button></div><div id="disqus_thread"></div><noscript>Please enable JavaScript to view the <a href="https://disqus.com/?ref_noscript">comments powered by Disqus.</a></noscript></div></body></html>',
    )


def blind_honest() -> Iterator[Honest]:
    """Posts that are posts."""
    bodies: list[tuple[str, str, str, str, str, tuple[Entry | None, ...]]] = []
    for post in BLIND_POSTS:
        note, short = f"<p>{post.note}</p>", f"<p>{post.paragraphs[0]}</p>"
        both = (Entry(title=post.title, html=note), Entry(title=post.title), None)
        bodies += [
            ("note", post.language, post.title, note, post.note[:10], both),
            (
                "short",
                post.language,
                post.title,
                short,
                post.paragraphs[0][:18],
                (Entry(title=post.title, html=f"<p>{post.summary}</p>"), Entry(title=post.title, html=short), None),
            ),
            (
                "picture",
                post.language,
                post.title,
                '<p><img src="/i/7.jpg" srcset="/i/7@2x.jpg 2x" alt="" loading="lazy"></p>',
                "",
                both,
            ),
            (
                "picture other words",
                post.language,
                post.title,
                '<div class="npf_row"><figure class="tmblr-full"><img src="/i/8.jpg" alt=""></figure></div>',
                "",
                (Entry(title=post.title, html=f"<img src='/i/8.jpg'><p>{post.summary}</p>"),),
            ),
            (
                "episode",
                post.language,
                post.title,
                f'<div class="player"><iframe src="https://player.example/e/7" title="Player"></iframe></div><p>{post.note}</p>',
                post.note[:10],
                (Entry(title=post.title, html=f"<p>{post.summary}</p>"), None),
            ),
            (
                "verse",
                post.language,
                post.title,
                "<pre>"
                + "\n".join(part.strip() for part in post.note.replace(",", ".").split(".") if part.strip())
                + "</pre>",
                post.note[:6],
                both,
            ),
            (
                "table",
                post.language,
                post.title,
                f"<table><tr><td>1</td><td>{post.note}</td></tr><tr><td>2</td><td>0</td></tr></table>",
                post.note[:10],
                both,
            ),
            (
                "untitled",
                post.language,
                "",
                note,
                post.note[:10],
                (Entry(html=note), Entry(title=post.note[:20] + "…", html=note), None),
            ),
            (
                "list",
                post.language,
                post.title,
                "<ul>"
                + "".join(
                    f'<li><a href="https://x.example/{n}">{part}</a></li>'
                    for n, part in enumerate(post.paragraphs[1].split(",")[:3])
                )
                + "</ul>",
                "",
                (
                    Entry(
                        title=post.title,
                        html="<ul>"
                        + "".join(f"<li>{part}</li>" for part in post.paragraphs[1].split(",")[:3])
                        + "</ul>",
                    ),
                    None,
                ),
            ),
        ]
    bodies += [
        (
            "about",
            "en",
            "We verify you are human: notes on CAPTCHA",
            "<p>I failed four in a row. Please enable JavaScript, it said, and then asked about bridges.</p>",
            "I failed four",
            (Entry(title="We verify you are human: notes on CAPTCHA"), None),
        ),
        (
            "about",
            "nl",
            "Inloggen",
            "<p>Mijn moeder heeft één wachtwoord en het hangt op de koelkast.</p>",
            "Mijn moeder",
            (
                Entry(title="Inloggen", html="<p>Mijn moeder heeft één wachtwoord en het hangt op de koelkast.</p>"),
                Entry(title="Inloggen"),
                None,
            ),
        ),
        (
            "about",
            "it",
            "Pagina non trovata",
            "<p>È il nome della mia nuova libreria. Apre sabato, se il muratore ritrova la porta.</p>",
            "È il nome",
            (Entry(title="Pagina non trovata"), None),
        ),
        (
            "about",
            "en",
            "Subscribe",
            "<p>A single word on a door in Porto. I did.</p>",
            "A single word",
            (
                Entry(title="Subscribe", html="<p>A single word on a door in Porto. I did.</p>"),
                Entry(title="Subscribe"),
                None,
            ),
        ),
        (
            "about",
            "uk",
            "Сторінку не знайдено",
            "<p>Так звали кота, якого ми шукали три дні.</p>",
            "Так звали",
            (Entry(title="Сторінку не знайдено"), None),
        ),
    ]
    for number, (name, language, title, body, said, entries) in enumerate(bodies):
        frames = list(_frames(title, body, language))
        for step in (0, 2):
            kind, markup = frames[(number + step) % len(frames)]
            yield Honest(name=f"{name} {language} {number} {kind}", markup=markup, entries=entries, words=said)
