"""Short and odd posts that are what they claim to be, in themes with everything that makes a page look like a wall."""
# ruff: noqa: RUF001  texts in many languages

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sample import themes
from sample.posts import POSTS, Post

from archive.extract.text import Entry

_SCRIPT = '<script async src="https://stats.example/s.js"></script>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Honest:
    """A page that is the post."""

    name: str
    markup: str
    entries: tuple[Entry | None, ...]
    words: str
    """What its text must contain; empty if the page has no words."""


_SUBJECTS = (
    (
        "en",
        "Why I removed the login from my blog",
        "Nobody ever used the login. You had to sign in with a password to write one comment, so I deleted it and now you can send me a letter.",
    ),
    (
        "en",
        "404",
        "I hiked route 404 last weekend. It does not exist on any map, and the page in my notebook is missing too.",
    ),
    (
        "en",
        "Page not found: a short story",
        "The librarian turned the last leaf. Page not found, she wrote on the card, and nobody has been here since.",
    ),
    (
        "en",
        "Please enable JavaScript",
        "A talk about what happens to a site when you do not. Slides are on paper; ask me for a copy.",
    ),
    ("en", "Just a moment", "That is what she always said, with one glove on, looking for the other."),
    (
        "en",
        "On paywalls",
        "I will never have one. Subscribe if you like, but every post is free, and it stays that way.",
    ),
    ("en", "Cookies", "Two hundred grams of butter, oats, honey. We use cookies to apologise to the neighbours."),
    (
        "en",
        "Verifying you are human",
        "My bank asked me to click on buses. I clicked on a tram. We are still talking about it.",
    ),
    (
        "de",
        "Anmelden nicht nötig",
        "Wer mitlesen will, braucht kein Passwort. Der Garten steht offen, der Kaffee auch.",
    ),
    (
        "de",
        "Seite nicht gefunden",
        "So heißt mein neues Gedicht. Es ist nur eine Zeile lang und handelt von einem Atlas.",
    ),
    ("fr", "Introuvable", "J'ai cherché le couteau à huîtres pendant une heure. Il était dans le tiroir aux bougies."),
    ("ja", "ログインの話", "昨日、二十年ぶりに昔の掲示板へログインした。誰もいなかったが、灯りはついていた。"),
    ("ja", "ページが見つかりません", "図鑑の百二頁が抜けている。きっと祖父が切り取って、旅に持って行ったのだ。"),
    ("ru", "Не найден", "Ключ от чердака не найден, зато нашлись лыжи и письма тридцать девятого года."),
    ("ar", "عن كلمة السر", "نسيت كلمة السر فجلست أكتب لك هذه الرسالة على ورق الخبز."),
    ("es", "Galletas", "Usamos galletas para convencer al gato. No acepta condiciones ni política de privacidad."),
    ("zh", "验证码", "我看了十分钟，还是不知道哪一格里有红绿灯。"),
    ("pl", "Zaloguj się do lasu", "Hasło dnia: kurki. Wystarczy koszyk i dobre buty."),
)

_POEMS = (
    ("en", "Ferry", "salt on the rail\nthe gulls keep pace\nyou wave at no one\nin particular"),
    ("de", "Novembertag", "Rauch\nüber dem Rübenfeld,\nein Rad\nohne Fahrer."),
    ("ja", "夕立", "夕立や\n傘のない日の\n長い橋"),
    ("ru", "Окно", "Стекло запотело.\nТы пишешь: зима.\nИ сразу зима."),
    ("fr", "Quai", "Un banc,\nla pluie,\ndeux trains de retard\net ton écharpe."),
    ("ar", "ظل", "ظلك\nعلى الجدار\nأطول من الطريق"),
    ("pt", "Gaivota", "pousa no poste\ncomo quem\nguarda o mar"),
    ("ko", "새벽", "새벽 버스\n창에 기댄\n어제의 얼굴"),
)


def honest_posts() -> Iterator[Honest]:
    """All of them, each in another theme."""
    for number, one in enumerate(_bodies()):
        name, language, title, body, words, entries = one
        for theme in (themes.THEMES[number % len(themes.THEMES)], themes.THEMES[(number * 5 + 3) % len(themes.THEMES)]):
            has_title = bool(title) and name != "microblog"
            markup = theme(title or "Sam Rye", body, language=language, heading=has_title)
            yield Honest(
                name=f"{name} {language} {number} {theme.__name__}", markup=markup, entries=entries, words=words
            )


_Body = tuple[str, str, str, str, str, tuple[Entry | None, ...]]


def _bodies() -> Iterator[_Body]:
    for language, title, words in _SUBJECTS:
        body = f"<p>{words}</p>"
        yield "about walls", language, title, body, words[:20], _entries(title, body)
    for language, title, verse in _POEMS:
        body = "<p>" + verse.replace("\n", "<br>") + "</p>"
        yield "poem", language, title, body, verse.split("\n")[0], _entries(title, body)
    for post in POSTS:
        yield from _of_a_post(post)


def _of_a_post(post: Post) -> Iterator[_Body]:
    language, title = post.language, post.title
    note = f"<p>{post.note}</p>"
    yield "note", language, title, note, post.note[:12], _entries(title, note)
    yield "microblog", language, "", note, post.note[:12], (Entry(html=note), Entry(title=post.note, html=note), None)
    photo = f'<figure><img src="/2025/05/harbour.jpg" width="1200" height="800" alt=""><figcaption>{post.note}</figcaption></figure>'
    yield "photo", language, title, photo, "", _entries(title, photo)
    bare = '<p><a href="/2025/05/big.jpg"><img class="aligncenter size-full" src="/2025/05/small.jpg" alt=""></a></p>'
    yield "photo without words", language, title, bare, "", _entries(title, bare)
    link = f'<p><a href="https://elsewhere.example/essay">{post.paragraphs[0][:60]}</a> ({post.note})</p>'
    yield "link", language, title, link, "", _entries(title, link)
    quote = f"<blockquote><p>{post.paragraphs[1]}</p></blockquote><p>— {post.note}</p>"
    yield "quote", language, title, quote, post.paragraphs[1][:20], _entries(title, quote)
    player = '<audio controls src="https://media.example/e12.mp3"></audio>'
    yield (
        "podcast",
        language,
        title,
        player,
        "",
        (Entry(title=title), Entry(title=title, html=f"<p>{post.summary}</p>"), None),
    )
    video = (
        '<div class="video"><iframe src="https://www.youtube.com/embed/abc" width="560" height="315"></iframe></div>'
    )
    yield (
        "video",
        language,
        title,
        video,
        "",
        (Entry(title=title), Entry(title=title, html=f"<p>{post.note}</p>"), None),
    )
    whole = "".join(f"<p>{paragraph}</p>" for paragraph in post.paragraphs)
    yield (
        "other summary",
        language,
        title,
        whole,
        post.paragraphs[0][:20],
        (Entry(title=title, html=f"<p>{post.summary}</p>"),),
    )
    short = f"<p>{post.paragraphs[2]}</p>"
    yield (
        "short with another summary",
        language,
        title,
        short,
        post.paragraphs[2][:20],
        (Entry(title=title, html=f"<p>{post.summary}</p>"),),
    )
    asked = (
        short
        + '<form class="wp-polls" action="/vote" method="post"><label><input type="radio" name="a"> 1</label><button>OK</button></form>'
    )
    yield "poll", language, title, asked, post.paragraphs[2][:20], _entries(title, short)
    commented = (
        short
        + '<div id="commentform"><form action="/comment"><input type="password" name="p"><textarea></textarea><button>OK</button></form></div><div class="g-recaptcha" data-sitekey="1"></div>'
        + '<script src="https://www.google.com/recaptcha/api.js"></script>'
    )
    yield "comment form with a captcha", language, title, commented, post.paragraphs[2][:20], _entries(title, short)


def _entries(title: str, body: str) -> tuple[Entry | None, ...]:
    return Entry(title=title, html=body), Entry(title=title), None
