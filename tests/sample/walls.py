"""First visits that are not the post: walls, shells, error pages and stubs of many makes and languages."""
# ruff: noqa: RUF001  texts in many languages

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sample import themes
from sample.posts import POSTS, Post

from archive.extract.text import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A page that stands in the place of a post."""

    name: str
    kinds: frozenset[str]
    """What it may be called; any is fine if there are none."""
    markup: str
    """`{title}` stands for the title of the post."""
    url: str | None = None
    """What answered, if not the post's URL."""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    shows_title: bool = False
    """The post's title is on it."""
    needs_entry: bool = False
    """Nothing but the feed's words shows that it is not the post."""


def page(title: str, body: str, *, language: str = "en", head: str = "") -> str:
    """A page with nothing around it."""
    return f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>{head}</head><body>{body}</body></html>'


_SCRIPT = '<script defer src="/static/js/main.8f3a.js"></script>'
_LOGINS = {
    "en": ("Sign in", "Please sign in to continue to this page.", "E-mail", "Password"),
    "de": ("Anmelden", "Bitte melden Sie sich an, um fortzufahren.", "Benutzername", "Kennwort"),
    "ja": ("ログイン", "続けるにはログインしてください。", "メールアドレス", "パスワード"),
    "ar": ("تسجيل الدخول", "يرجى تسجيل الدخول للمتابعة.", "البريد", "كلمة السر"),
    "ru": ("Вход", "Чтобы продолжить, войдите в свой аккаунт.", "Почта", "Пароль"),
    "th": ("เข้าสู่ระบบ", "โปรดเข้าสู่ระบบเพื่อดำเนินการต่อ", "อีเมล", "รหัสผ่าน"),
    "fi": ("Kirjaudu", "Kirjaudu sisään jatkaaksesi.", "Sähköposti", "Salasana"),
}
_CONSENTS = {
    "en": (
        "Before you continue",
        "We and our 812 partners store and read information on your device to show personalised advertising and to measure it. You can agree, or choose what you allow. You can change your mind at any time in the settings of this site.",
        "Agree",
        "Options",
    ),
    "de": (
        "Weiterlesen mit Werbung",
        "Wir und unsere Partner verarbeiten personenbezogene Daten, um Inhalte und Anzeigen zu messen. Sie können zustimmen oder ein Abonnement ohne Werbung abschließen. Ihre Einwilligung ist jederzeit widerrufbar.",
        "Zustimmen",
        "Abonnieren",
    ),
    "fr": (
        "Votre vie privée",
        "Nos partenaires et nous utilisons des traceurs pour mesurer l'audience et financer nos articles. Vous pouvez accepter, refuser ou paramétrer vos choix à tout moment.",
        "Tout accepter",
        "Continuer sans accepter",
    ),
    "ko": (
        "개인정보 안내",
        "당사와 제휴사는 맞춤 광고를 위해 기기의 정보를 저장하고 이용합니다. 동의 여부는 언제든지 변경할 수 있습니다.",
        "동의",
        "설정",
    ),
    "pl": (
        "Twoja prywatność",
        "My i nasi partnerzy przechowujemy informacje na urządzeniu, aby wyświetlać dopasowane reklamy. Możesz wyrazić zgodę albo zmienić ustawienia w dowolnej chwili.",
        "Zgadzam się",
        "Ustawienia",
    ),
    "tr": (
        "Çerez tercihleri",
        "Biz ve iş ortaklarımız reklam göstermek için cihazınızda bilgi saklıyoruz. Kabul edebilir ya da tercihlerinizi değiştirebilirsiniz.",
        "Kabul et",
        "Ayarlar",
    ),
}
_HUMANS = {
    "en": (
        "One moment, please",
        "Checking that the connection is secure",
        "This takes a few seconds. The site will open by itself.",
    ),
    "es": (
        "Un momento",
        "Comprobando su navegador",
        "Este proceso es automático. Será redirigido en breve a la página solicitada.",
    ),
    "zh": ("请稍候", "正在验证您是真人", "此过程是自动的，完成后您将被带到所请求的页面。"),
    "ja": ("しばらくお待ちください", "人間であることを確認しています", "数秒かかる場合があります。"),
    "ru": ("Подождите", "Проверяем, что вы не робот", "Это займёт несколько секунд."),
    "he": ("רק רגע", "בודקים שאתם לא רובוט", "התהליך אוטומטי ויימשך כמה שניות."),
    "pt": ("Só um instante", "Estamos verificando o seu navegador", "Você será redirecionado em alguns segundos."),
}
_SCRIPTS = {
    "en": "You need to enable JavaScript to run this app.",
    "de": "Bitte aktivieren Sie JavaScript, um diese Seite zu sehen.",
    "fr": "Cette page a besoin de JavaScript pour fonctionner.",
    "ja": "このページを表示するにはJavaScriptを有効にしてください。",
    "zh": "请启用 JavaScript 以继续使用本网站。",
    "ar": "يرجى تفعيل جافاسكريبت لعرض هذه الصفحة.",
    "ru": "Для работы сайта включите JavaScript в браузере.",
    "hi": "यह पृष्ठ देखने के लिए जावास्क्रिप्ट चालू करें।",
}
_LOST = {
    "en": ("404 – Page not found", "Sorry, the page you are looking for could not be found. Perhaps searching helps."),
    "de": ("Seite nicht gefunden", "Die gewünschte Seite existiert nicht oder wurde verschoben."),
    "fr": ("Page introuvable", "Cette page n'existe plus ou a changé d'adresse."),
    "ja": ("ページが見つかりません", "お探しのページは削除されたか、移動した可能性があります。"),
    "tr": ("Sayfa bulunamadı", "Aradığınız sayfa kaldırılmış ya da taşınmış olabilir."),
    "ko": ("페이지를 찾을 수 없습니다", "요청하신 페이지가 삭제되었거나 주소가 변경되었습니다."),
    "th": ("ไม่พบหน้านี้", "หน้าที่คุณต้องการอาจถูกลบหรือย้ายไปแล้ว"),
}
_BROKEN = {
    "en": ("Something went wrong", "Our engineers have been told. Please try again in a few minutes."),
    "es": ("Servicio no disponible", "Estamos realizando tareas de mantenimiento. Vuelva a intentarlo más tarde."),
    "hi": ("रखरखाव जारी है", "साइट पर काम चल रहा है, कृपया थोड़ी देर बाद आएँ।"),
}
_PAID = {
    "en": (
        "Keep reading with a membership",
        "This post is for paying members only. Join today from five a month, cancel whenever you like.",
    ),
    "de": ("Weiterlesen mit Abo", "Dieser Beitrag ist nur für Mitglieder. Jetzt einen Monat lang kostenlos testen."),
    "ja": ("この記事は有料です", "続きを読むにはメンバー登録が必要です。初月は無料でお試しいただけます。"),
    "pt": ("Exclusivo para assinantes", "Assine agora e leia este e todos os outros textos sem limites."),
}


def _login_form(words: tuple[str, ...]) -> str:
    return f'<form action="/session" method="post"><label>{words[2]}<input name="user"></label><label>{words[3]}<input type="password" name="pass"></label><button type="submit">{words[0]}</button></form>'


def walls() -> Iterator[Wall]:
    """All of them."""
    yield from _script_shells()
    yield from _challenges()
    yield from _logins()
    yield from _consents()
    yield from _errors()
    yield from _paywalls()
    yield from _stubs()


def _script_shells() -> Iterator[Wall]:
    kinds = frozenset({"script"})
    for language, words in _SCRIPTS.items():
        yield Wall(
            name=f"react {language}",
            kinds=kinds,
            markup=page("App", f'<noscript>{words}</noscript><div id="root"></div>{_SCRIPT}', language=language),
        )
    yield Wall(
        name="titled shell",
        kinds=kinds,
        markup=page(
            "{title} | Low Tide", f'<div id="app"></div>{_SCRIPT}', head='<meta property="og:title" content="{title}">'
        ),
    )
    yield Wall(
        name="words without noscript",
        kinds=frozenset(),
        markup=page("Reader", f'<div id="app"><p>{_SCRIPTS["en"]}</p></div>{_SCRIPT}'),
    )
    yield Wall(
        name="words without noscript zh",
        kinds=frozenset(),
        markup=page("加载中", f'<div id="app"><p>{_SCRIPTS["zh"]}</p></div>{_SCRIPT}', language="zh"),
    )
    yield Wall(
        name="spinner",
        kinds=kinds,
        markup=page(
            "{title}",
            f'<div id="boot"><img class="spinner" src="/s.svg" alt=""><span>Loading…</span></div><div id="mount"></div>{_SCRIPT}',
        ),
    )
    yield Wall(
        name="angular",
        kinds=kinds,
        markup=page("Notebook", f"<app-root></app-root><noscript>{_SCRIPTS['fr']}</noscript>{_SCRIPT}", language="fr"),
    )
    yield Wall(
        name="frame without a middle",
        kinds=frozenset(),
        needs_entry=True,
        shows_title=False,
        markup=page(
            "{title} · Low Tide",
            f'<header class="site-header"><a href="/">Low Tide</a><nav><a href="/posts">Posts</a><a href="/about">About</a></nav></header><main id="content"></main><footer><p>Low Tide is made in a small room with a big window by two people who like slow trains and fast ferries.</p></footer>{_SCRIPT}',
        ),
    )
    yield Wall(
        name="title without a body",
        kinds=frozenset(),
        shows_title=True,
        needs_entry=True,
        markup=page(
            "{title}",
            f'<header><a href="/">Low Tide</a></header><main><h1>{{title}}</h1><div id="post-body"><div class="skeleton"></div></div></main>{_SCRIPT}',
        ),
    )
    yield Wall(
        name="cookie reload",
        kinds=frozenset({"script"}),
        markup="<html><head><script>document.cookie='seen=1;path=/';location.reload();</script></head><body></body></html>",
    )


def _challenges() -> Iterator[Wall]:
    kinds = frozenset({"challenge"})
    for language, (title, heading, words) in _HUMANS.items():
        yield Wall(
            name=f"turnstile {language}",
            kinds=kinds,
            headers={"cf-mitigated": "challenge"},
            markup=page(
                title,
                f'<div class="main-wrapper" role="main"><div class="main-content"><h1>blog.example</h1><h2>{heading}</h2><div id="x" class="cf-turnstile"></div><p>{words}</p></div></div><script>window._cf_chl_opt={{}};</script>',
                language=language,
                head='<meta name="robots" content="noindex,nofollow">',
            ),
        )
        yield Wall(
            name=f"unknown maker {language}",
            kinds=frozenset(),
            needs_entry=True,
            markup=page(title, f"<div><h1>blog.example</h1><h2>{heading}</h2><p>{words}</p></div>", language=language),
        )
    yield Wall(
        name="datadome",
        kinds=kinds,
        headers={"x-datadome": "protected"},
        markup=page(
            "blog.example",
            '<p id="cmsg">Please enable JS and disable any ad blocker</p><script>var dd={"rt":"c"}</script><script src="https://ct.captcha-delivery.com/c.js"></script>',
        ),
    )
    yield Wall(
        name="incapsula",
        kinds=kinds,
        markup='<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"><meta name="viewport" content="initial-scale=1.0"></head><body style="margin:0px;height:100%"><iframe id="main-iframe" src="/_Incapsula_Resource?SWUDNSAI=31" frameborder=0 width="100%" height="100%">Request unsuccessful. Incapsula incident ID: 1-2</iframe></body></html>',
    )
    yield Wall(
        name="anubis",
        kinds=kinds,
        markup=page(
            "Making sure you&#39;re not a bot!",
            '<main><h1 id="title" class="centered-div">Making sure you&#39;re not a bot!</h1><div class="centered-div"><img id="image" style="width:100%;max-width:256px;" src="/.within.website/x/cmd/anubis/static/img/pensive.webp"><p id="status">Loading...</p><details><summary>Why am I seeing this?</summary><p>You are seeing this because the administrator of this website has set up Anubis to protect the server against the scourge of AI companies aggressively scraping websites. This can and does cause downtime for the websites, which makes their resources inaccessible for everyone.</p><p>Anubis is a compromise. It uses a proof of work scheme in the vein of Hashcash.</p></details></div></main><script id="anubis_challenge" type="application/json">{}</script><script src="/.within.website/x/cmd/anubis/static/js/main.mjs"></script>',
        ),
    )
    yield Wall(
        name="aws",
        kinds=kinds,
        headers={"x-amzn-waf-action": "challenge"},
        markup='<!DOCTYPE html><html lang="en"><head><title></title><script src="https://x.token.awswaf.com/x/challenge.js"></script></head><body><div id="challenge-container"></div><noscript><h1>JavaScript is disabled</h1>In order to continue, we need to verify that you&#39;re not a robot. This requires JavaScript.</noscript></body></html>',
    )
    yield Wall(
        name="captcha form",
        kinds=kinds,
        markup=page(
            "Confirm",
            '<form method="post" action="/verify"><p>Unusual traffic comes from your network. Solve this to go on.</p><div class="h-captcha" data-sitekey="1"></div><button>Continue</button></form><script src="https://js.hcaptcha.com/1/api.js"></script>',
        ),
    )
    yield Wall(
        name="refused",
        kinds=kinds,
        status=403,
        headers={"cf-mitigated": "challenge"},
        markup=page("Just a moment...", "<p>Enable JavaScript and cookies to continue</p>"),
    )
    yield Wall(name="busy", kinds=frozenset({"error"}), status=503, markup=page("503", "<h1>Service Unavailable</h1>"))


def _logins() -> Iterator[Wall]:
    kinds = frozenset({"login"})
    for language, words in _LOGINS.items():
        yield Wall(
            name=f"login {language}",
            kinds=kinds,
            markup=page(
                words[0], f"<main><h1>{words[0]}</h1><p>{words[1]}</p>{_login_form(words)}</main>", language=language
            ),
        )
        theme = themes.THEMES[len(language + words[0]) % len(themes.THEMES)]
        yield Wall(
            name=f"login in a theme {language}",
            kinds=kinds,
            markup=theme(words[0], f"<p>{words[1]}</p>{_login_form(words)}", language=language),
        )
    words = _LOGINS["en"]
    yield Wall(
        name="login elsewhere",
        kinds=kinds,
        url="https://blog.example/login?next=%2Fpost",
        markup=page(
            "Welcome back", "<h1>Welcome back</h1><p>Good to see you.</p><button>Continue with a link by mail</button>"
        ),
    )
    yield Wall(
        name="login by accounts",
        kinds=kinds,
        markup=page(
            "Members",
            '<main><h1>Members</h1><p>Choose how to go on.</p><a href="https://id.example/authorize?client_id=1&amp;redirect_uri=x&amp;response_type=code">Go on with Example</a></main>',
        ),
    )
    yield Wall(
        name="password of one post",
        kinds=kinds,
        shows_title=True,
        markup=themes.wordpress(
            "{title}",
            '<form action="https://blog.example/wp-login.php?action=postpass" class="post-password-form" method="post"><p>This content is password protected. To view it please enter your password below:</p><p><label>Password: <input name="post_password" type="password"></label> <input type="submit" name="Submit" value="Enter"></p></form>',
        ),
    )
    yield Wall(name="unauthorized", kinds=kinds, status=401, markup=page("401", "<h1>Authorization required</h1>"))


def _consents() -> Iterator[Wall]:
    kinds = frozenset({"consent"})
    for language, words in _CONSENTS.items():
        yield Wall(
            name=f"consent {language}",
            kinds=kinds,
            markup=page(
                words[0],
                f'<div class="wall"><h1>{words[0]}</h1><p>{words[1]}</p><form method="post" action="/consent/save"><input type="hidden" name="csrf" value="1"><button name="agree" value="1">{words[2]}</button><button name="more">{words[3]}</button></form></div>',
                language=language,
            ),
        )
        yield Wall(
            name=f"consent elsewhere {language}",
            kinds=kinds,
            url="https://consent.service.example/collect?return=https%3A%2F%2Fblog.example%2Fpost",
            markup=page(
                words[0], f"<h1>{words[0]}</h1><p>{words[1]}</p><button>{words[2]}</button>", language=language
            ),
        )
    words = _CONSENTS["en"]
    yield Wall(
        name="consent by a vendor",
        kinds=kinds,
        markup=page(
            "Low Tide",
            f'<div id="onetrust-consent-sdk"><h2>{words[0]}</h2><p>{words[1]}</p><button>{words[2]}</button></div><script src="https://cdn.cookielaw.org/scripttemplates/otSDKStub.js"></script>',
        ),
    )
    yield Wall(
        name="age",
        kinds=frozenset(),
        needs_entry=True,
        markup=page(
            "Low Tide",
            '<div class="gate"><h1>Are you over 18?</h1><p>This blog may contain content that is not for everybody.</p><form method="post"><button>Yes</button><button>No</button></form></div>',
        ),
    )


def _errors() -> Iterator[Wall]:
    for language, words in _LOST.items():
        kinds = frozenset({"error"}) if language not in ("tr", "th") else frozenset()
        yield Wall(
            name=f"soft 404 {language}",
            kinds=kinds,
            needs_entry=not kinds,
            markup=themes.wordpress(words[0], f"<p>{words[1]}</p>", language=language)
            .replace("hentry", "error404")
            .replace("article:", ""),
        )
        yield Wall(
            name=f"bare soft 404 {language}",
            kinds=kinds,
            needs_entry=not kinds,
            markup=page(words[0], f"<h1>{words[0]}</h1><p>{words[1]}</p>", language=language),
        )
    for language, words in _BROKEN.items():
        yield Wall(
            name=f"broken {language}",
            kinds=frozenset(),
            needs_entry=True,
            markup=page(words[0], f"<h1>{words[0]}</h1><p>{words[1]}</p>", language=language),
        )


def _paywalls() -> Iterator[Wall]:
    kinds = frozenset({"paywall"})
    for language, words in _PAID.items():
        data = '<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"x","isAccessibleForFree":false,"hasPart":{"@type":"WebPageElement","isAccessibleForFree":false,"cssSelector":".paywall"}}</script>'
        yield Wall(
            name=f"paywall {language}",
            kinds=kinds,
            shows_title=True,
            needs_entry=True,
            markup=themes.ghost(
                "{title}",
                f'<div class="paywall"><h2>{words[0]}</h2><p>{words[1]}</p><a href="#/portal/signup">+</a></div>',
                language=language,
                head=data,
            ),
        )
        yield Wall(
            name=f"members only {language}",
            kinds=kinds,
            shows_title=True,
            needs_entry=True,
            markup=themes.ghost(
                "{title}",
                f'<aside class="gh-post-upgrade-cta"><div class="gh-post-upgrade-cta-content"><h2>{words[0]}</h2><p>{words[1]}</p></div></aside>',
                language=language,
            ),
        )


def _stubs() -> Iterator[Wall]:
    yield Wall(
        name="refresh",
        kinds=frozenset({"refresh"}),
        markup='<html><head><meta http-equiv="refresh" content="5; url=/posts/2025/other/"><title>Moved</title></head><body>This page has moved. <a href="/posts/2025/other/">Go there</a></body></html>',
    )
    yield Wall(
        name="refresh without words",
        kinds=frozenset({"refresh"}),
        markup='<html><head><meta http-equiv="Refresh" content="0;URL=\'/elsewhere\'"></head><body></body></html>',
    )
    listing = "".join(
        f'<article class="post"><h2><a href="/{n}/">Day {n} at the allotment</a></h2><p>Beans, slugs, a borrowed spade and the usual conversation over the fence about rain, number {n}.</p></article>'
        for n in range(1, 8)
    )
    yield Wall(
        name="front page",
        kinds=frozenset({"front"}),
        url="https://blog.example/",
        markup=page("Weather Vane", f"<main>{listing}</main>"),
    )
    yield Wall(
        name="front page at the post's URL",
        kinds=frozenset({"front", "other"}),
        needs_entry=True,
        markup=page(
            "Weather Vane", f"<main>{listing}</main>", head='<link rel="canonical" href="https://blog.example/">'
        ),
    )
    yield Wall(
        name="parked",
        kinds=frozenset(),
        needs_entry=True,
        markup=page(
            "blog.example",
            '<h1>blog.example</h1><p>This domain may be for sale. Make an offer now, our brokers answer within one working day.</p><ul><li><a href="/s?q=shoes">Shoes</a></li><li><a href="/s?q=loans">Loans</a></li></ul>',
        ),
    )
    yield Wall(
        name="default page of a server",
        kinds=frozenset(),
        needs_entry=True,
        markup=page(
            "Welcome to nginx!",
            "<h1>Welcome to nginx!</h1><p>If you see this page, the web server is successfully installed and working. Further configuration is required.</p>",
        ),
    )
    yield Wall(name="nothing", kinds=frozenset({"empty"}), markup="")
    yield Wall(
        name="empty body",
        kinds=frozenset({"empty", "script"}),
        markup="<html><head><title>x</title></head><body></body></html>",
    )


def entries(post: Post) -> dict[str, Entry | None]:
    """What feeds say about a post, from everything to nothing."""
    whole = "".join(f"<p>{paragraph}</p>" for paragraph in post.paragraphs)
    return {
        "whole": Entry(title=post.title, html=whole),
        "summary": Entry(title=post.title, html=f"<p>{post.paragraphs[0]} […]</p>"),
        "title": Entry(title=post.title),
        "none": None,
    }


def post_for(wall: Wall) -> Post:
    """The post that a wall stands in front of: of another language or the same, by chance."""
    return POSTS[sum(map(ord, wall.name)) % len(POSTS)]
