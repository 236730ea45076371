"""What happens to posts that are held: unchanged, edited, gone, back again; and what is evidence of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Home
from sample.blogs import EDIT, TIDE
from sample.prose import POST as PROSE
from sample.server import Answer, Site
from sample.visits import page_visit

from archive.extract.judge import same_page_everywhere
from archive.extract.text import Entry
from archive.extract.walls import names_error
from archive.warc.page_identity import page_key
from crawler.decide import deleted_posts
from crawler.decide.deleted_posts import Seen
from crawler.frontier.deletions import Deletion
from crawler.frontier.frontier import Frontier
from crawler.limits import VANISHED_BYTES
from crawler.model.visits import FeedVisit, Page, PageVisit, SeenEntry

T0 = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATHS = [TIDE.url_of(post) for post in TIDE.posts]
LAST_WORDS = "Both were paid for by the same rate"
"""Of the first post."""
ROOT = "http://blog.example"
POST = f"{ROOT}/2026/05/a-post/"
LIVING = (
    "The ferry carries eleven kinds of rope and nine kinds of knot, and the crew could not tell you any of their names."
)
"""What a post said."""


class Everywhere(dict[str, Answer]):
    """Pages of a server that has an answer for every path."""

    def __init__(self, pages: dict[str, Answer], other: Answer) -> None:
        super().__init__(pages)
        self.other = other

    def get(self, path: str, default: object = None) -> Answer:
        return super().get(path) or self.other


@pytest.fixture
def kept(home: Home, site: Site) -> Site:
    """A blog of which all four posts are held."""
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/feed/").out.startswith("kept 4 new posts;")
    site.log.clear()
    return site


def ask(home: Home, statement: str) -> list[tuple]:
    with sqlite3.connect(home.path / "pressmark.db") as database:
        return database.execute(statement).fetchall()


def recheck(home: Home, *paths: str) -> str:
    """Let these posts come up, or all, and look at what is due; gives the summary."""
    where = " OR ".join(f"url LIKE '%{path}'" for path in paths) or "1"
    ask(home, f"UPDATE pages SET due = CASE WHEN {where} THEN 0 ELSE due END")
    done = home.crawl("only=rechecks", "force=1")  # by force it does not wait for what may become due
    assert done.code == 0, done.err
    return done.out


def ledger(home: Home) -> list[Deletion]:
    return Frontier.open(f"sqlite:///{home.path / 'pressmark.db'}").deletions()


def stored(home: Home) -> list[dict]:
    """Lines of the ledger in the store, the oldest first."""
    files = sorted((home.path / "store" / "state" / "deletions").glob("*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def captured(home: Home, record: str | None) -> tuple | None:
    """URL, status and kind of a capture."""
    rows = ask(home, f"SELECT url, status, kind FROM captures WHERE record = '{record}'")
    return rows[0] if rows else None


def page_of(words: str, title: str = "Tide Table", more: str = "") -> Answer:
    body = f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{title}</title></head><body><main><h1>{title}</h1>{more}<p>{words}</p></main></body></html>"
    return Answer(body.encode())


def moved(target: str) -> Answer:
    return Answer(b"", status=302, headers={"Location": target}, validators=False)


ERROR_PAGE = page_of(
    "The tide has carried off whatever you were looking for. Try the list of all our posts, the search box, or a walk along the quay, where most things are washed up in the end."
)
"""Says nothing that rules could know an error page by."""
NOT_FOUND = page_of("We looked everywhere for it, in the drawers and under the chart table.", "Page not found")
LOGIN = page_of(
    "Members may read on.",
    "Welcome back",
    "<form><input name=u><input type='password' name=p><button>Go</button></form>",
)


# -- as before, or edited


def test_a_post_that_is_held_is_asked_for_with_validators_and_a_304_is_a_revisit(home: Home, kept: Site) -> None:
    assert recheck(home).startswith("kept 0 new posts, 4 unchanged; 0 feeds visited;")
    assert sorted(kept.asked) == sorted(PATHS)
    for entry in kept.log:
        assert (entry.status, entry.headers["if-none-match"]) == (304, kept.pages[entry.path].etag)
    for path in PATHS:
        rows = ask(home, f"SELECT status, kind FROM captures WHERE url LIKE '%{path}' ORDER BY date")
        assert rows == [(200, "response"), (304, "revisit")]
    checks = ask(home, "SELECT checks, alive = visited, due > visited FROM pages")
    assert checks == [(1, 1, 1)] * 4
    assert ledger(home) == []


def test_a_post_comes_up_by_itself_when_the_plan_says(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.settings["PRESSMARK_RECHECK_PLAN"] = "1s 1h"
    home.crawl(f"url={site.url}/feed/")
    ask(home, "UPDATE pages SET due = due - 1000000")
    assert home.crawl().out.startswith("kept 0 new posts, 4 unchanged;")
    assert home.crawl().out.startswith("kept 0 new posts; 0 feeds visited;"), "the second wait is an hour"


def test_an_edited_post_has_a_new_text(home: Home, kept: Site) -> None:
    slug, before, after = EDIT
    kept.pages.update(TIDE.edited(slug, before, after).pages(kept.url))
    assert recheck(home).startswith("kept 0 new posts, 1 changed, 3 unchanged;")
    path = next(path for path in PATHS if slug in path)
    assert after in home.pressmark("get", kept.url + path).out
    assert len(ask(home, f"SELECT 1 FROM texts WHERE url LIKE '%{path}'")) == 2
    assert ledger(home) == []


def test_a_post_that_was_written_anew_is_no_deletion(home: Home, kept: Site) -> None:
    """Though it has no word of what was there, and is shorter than the error pages of other sites."""
    kept.pages[PATHS[0]] = page_of("Gulls nest upon chimneys again, seven pairs; ospreys returned yesterday.", "Birds")
    assert recheck(home, PATHS[0]).startswith("kept 0 new posts, 1 changed;")
    assert ledger(home) == []
    assert "Gulls nest upon chimneys" in home.pressmark("get", kept.url + PATHS[0]).out


def test_a_post_that_moved_is_no_deletion(home: Home, kept: Site) -> None:
    kept.pages["/archive/surveys/"] = kept.pages[PATHS[0]]
    kept.pages[PATHS[0]] = moved("/archive/surveys/")
    recheck(home, PATHS[0])
    assert ledger(home) == []
    assert ask(home, f"SELECT kept, error FROM pages WHERE url LIKE '%{PATHS[0]}'") == [(1, None)]


# -- gone


@pytest.mark.parametrize("status", [404, 410])
def test_a_deletion_is_entered_with_what_proves_it_and_ended_when_the_post_is_back(
    home: Home, kept: Site, status: int
) -> None:
    page, url = kept.pages[PATHS[0]], kept.url + PATHS[0]
    recheck(home, PATHS[0])
    kept.pages[PATHS[0]] = Answer(b"<h1>no</h1>", status=status, validators=False)
    assert recheck(home, PATHS[0]).startswith("kept 0 new posts, 1 no longer there; 0 feeds visited;")
    (one,) = ledger(home)
    assert (one.url, one.kind, one.status, one.restored) == (url, "gone", status, None)
    assert captured(home, one.proof) == (url, status, "response")
    assert captured(home, one.alive_record) == (url, 304, "revisit"), "the last visit that found it"
    assert ask(home, f"SELECT count(*) FROM captures WHERE date = {_micros(one.alive)} AND status = 304") == [(1,)]
    assert [(line["url"], line["proof"], line["restored"]) for line in stored(home)] == [(url, one.proof, None)]
    told = json.loads(home.pressmark("deletions", "--json").out)
    assert (told["url"], told["kind"], told["proof"]) == (url, "gone", one.proof)

    recheck(home, PATHS[0])
    assert ledger(home) == [one], "it is entered once, with the first proof"
    kept.pages[PATHS[0]] = page
    assert recheck(home, PATHS[0]).startswith("kept 0 new posts, 1 unchanged;")
    (back,) = ledger(home)
    assert (back.since, back.proof, back.restored > one.since) == (one.since, one.proof, True)
    assert captured(home, back.restored_record)[0] == url
    assert stored(home)[-1]["restored"] is not None

    kept.pages[PATHS[0]] = Answer(b"<h1>no</h1>", status=status, validators=False)
    recheck(home, PATHS[0])
    assert [found.restored is None for found in ledger(home)] == [False, True], "it went twice"


def _micros(moment: datetime | None) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) if moment else -1


def to_front_page(site: Site) -> None:
    site.pages[PATHS[0]] = moved("/")


def to_login(site: Site) -> None:
    site.pages["/login?next=" + PATHS[0]] = page_of("Say who you are.", "Tide Table")
    site.pages[PATHS[0]] = moved("/login?next=" + PATHS[0])


def to_password(site: Site) -> None:
    site.pages[PATHS[0]] = LOGIN


def to_unauthorized(site: Site) -> None:
    site.pages[PATHS[0]] = Answer(LOGIN.body, status=401, validators=False)


def to_words(site: Site) -> None:
    site.pages[PATHS[0]] = NOT_FOUND


def to_one_error_page(site: Site) -> None:
    pages = {path: page for path, page in site.pages.items() if path != PATHS[0]}
    site.pages = Everywhere(pages, ERROR_PAGE)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (to_front_page, "home"),
        (to_login, "login"),
        (to_password, "login"),
        (to_unauthorized, "login"),
        (to_words, "soft-404"),
        (to_one_error_page, "soft-404"),
    ],
)
def test_what_stands_in_the_place_of_a_post_is_a_deletion_and_not_its_text(
    home: Home, kept: Site, change: Callable[[Site], None], kind: str
) -> None:
    change(kept)
    for _ in range(2):  # a second look at the same error page tells nothing else
        assert recheck(home, PATHS[0]).startswith("kept 0 new posts, 1 no longer there;")
    (one,) = ledger(home)
    assert (one.url, one.kind, one.restored) == (kept.url + PATHS[0], kind, None)
    assert captured(home, one.proof) is not None
    assert captured(home, one.alive_record) == (kept.url + PATHS[0], 200, "response")
    assert LAST_WORDS in home.pressmark("get", kept.url + PATHS[0]).out
    assert len(ask(home, f"SELECT 1 FROM texts WHERE url LIKE '%{PATHS[0]}'")) == 1


def test_posts_beside_an_error_page_for_every_path_are_not_gone(home: Home, kept: Site) -> None:
    kept.pages = Everywhere(dict(kept.pages), ERROR_PAGE)
    kept.pages[PATHS[0]] = page_of("Gulls nest upon chimneys again, seven pairs; ospreys returned yesterday.", "Birds")
    assert recheck(home).startswith("kept 0 new posts, 1 changed, 3 unchanged;")
    probes = [path for path in kept.asked if path not in PATHS]
    assert len(probes) == 1, "one address that cannot exist, for the one post of which nothing is left"
    assert ledger(home) == []


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_an_error_is_no_deletion(home: Home, kept: Site, status: int) -> None:
    kept.pages[PATHS[0]] = Answer(NOT_FOUND.body, status=status, validators=False)
    assert recheck(home, PATHS[0]).startswith("kept 0 new posts, 1 failed;")
    assert ledger(home) == []
    assert ask(home, f"SELECT kept, failures, due > visited FROM pages WHERE url LIKE '%{PATHS[0]}'") == [(1, 1, 1)]


def test_no_answer_is_no_deletion(home: Home, kept: Site) -> None:
    home.settings["PRESSMARK_TIMEOUT"] = "0.5"
    kept.delay = 1.5
    recheck(home, PATHS[0])
    kept.delay = 0.0
    kept.__exit__()
    recheck(home, PATHS[0])
    kept._server.server_close = kept._server.shutdown = lambda: None
    assert ledger(home) == []
    assert ask(home, "SELECT count(*), sum(failures) FROM pages WHERE kept") == [(4, 2)]


# -- how much, and what


def test_no_more_of_a_host_are_looked_at_again_within_a_day_than_its_budget(home: Home, kept: Site) -> None:
    home.settings["PRESSMARK_RECHECK_BUDGET"] = "3"
    assert recheck(home).startswith("kept 0 new posts, 3 unchanged;")
    assert ask(home, "SELECT count(*) FROM pages WHERE due = 0") == [(1,)]
    assert home.crawl("only=rechecks").out.startswith("kept 0 new posts; 0 feeds visited;"), "spent for today"
    assert len(kept.log) == 3
    ask(home, "UPDATE pages SET visited = visited - 86400000000 WHERE checks > 0")
    ask(home, "UPDATE rechecks SET due = 0")  # the host is looked at again an hour after its budget was found spent
    assert home.crawl("only=rechecks").out.startswith("kept 0 new posts, 1 unchanged;")


def test_posts_that_are_new_need_no_budget(home: Home, site: Site) -> None:
    site.pages.update(TIDE.pages(site.url))
    home.settings["PRESSMARK_RECHECK_BUDGET"] = "0"
    assert home.crawl(f"url={site.url}/feed/").out.startswith("kept 4 new posts;")
    assert recheck(home).startswith("kept 0 new posts; 0 feeds visited;")


def test_a_crawl_of_feeds_alone_or_of_rechecks_alone_leaves_the_other_due(home: Home, kept: Site) -> None:
    ask(home, "UPDATE pages SET due = 0")
    ask(home, "UPDATE feeds SET due = 0")
    assert home.crawl("only=rechecks", "force=1").out.startswith("kept 0 new posts, 4 unchanged; 0 feeds visited;")
    assert "/feed/" not in kept.asked
    ask(home, "UPDATE pages SET due = 0")
    kept.log.clear()
    assert home.crawl("only=feeds").out.startswith("kept 0 new posts; 1 feed visited (1 not modified);")
    assert kept.asked == ["/feed/"]
    assert ask(home, "SELECT count(*) FROM pages WHERE due = 0") == [(4,)]


# -- made anew


def anew(home: Home) -> None:
    for path in home.path.glob("pressmark.db*"):
        path.unlink()
    done = home.pressmark("reindex")
    assert done.code == 0, done.err


def test_the_ledger_comes_back_from_the_store(home: Home, kept: Site) -> None:
    first, pages = kept.pages[PATHS[0]], dict(kept.pages)
    kept.pages[PATHS[0]] = Answer(b"<h1>no</h1>", status=404, validators=False)
    kept.pages[PATHS[1]] = NOT_FOUND
    kept.pages[PATHS[2]] = moved("/")
    recheck(home)
    kept.pages[PATHS[0]] = first
    recheck(home, PATHS[0])
    wanted = ledger(home)
    assert {one.kind: one.restored is None for one in wanted} == {"gone": False, "soft-404": True, "home": True}
    anew(home)
    assert ledger(home) == wanted
    kept.pages = pages
    recheck(home)
    assert [one.restored is None for one in ledger(home)] == [False] * 3


def test_what_was_said_of_a_deletion_stands_when_the_database_is_made_anew(home: Home, kept: Site) -> None:
    """Also where the site goes on to say 200 to what it had called gone, and where that was the last visit."""
    kept.pages[PATHS[0]] = Answer(b"<h1>no</h1>", status=404, validators=False)
    recheck(home, PATHS[0])
    kept.pages[PATHS[0]] = NOT_FOUND
    recheck(home, PATHS[0])
    wanted = ledger(home)
    alive = ask(home, "SELECT url, alive, alive_record FROM pages ORDER BY url")
    anew(home)
    assert ledger(home) == wanted
    assert ask(home, "SELECT url, alive, alive_record FROM pages ORDER BY url") == alive


# -- the rules


def seen(**changes: object) -> Seen:
    return Seen(**{"asked": POST, "url": POST, "status": 200, "site": f"{ROOT}/", "before": LIVING, **changes})


@pytest.mark.parametrize(
    ("asked", "came", "wanted"),
    [
        (POST, POST, None),
        (POST, f"{ROOT}/", "home"),
        (POST, ROOT, "home"),
        (POST, "https://www.blog.example/", "home"),
        (POST, "https://other.example/", "home"),
        (POST, f"{ROOT}/?utm_source=gone", "home"),
        (f"{ROOT}/?p=12", f"{ROOT}/", "home"),
        (f"{ROOT}/index.php?p=12", f"{ROOT}/?p=12", None),
        (f"{ROOT}/?p=12", POST, None),
        (POST, "https://blog.example/2026/05/a-post/", None),
        (POST, f"{ROOT}/posts/a-post", None),
        (POST, f"{ROOT}/login?next=/2026/05/a-post/", "login"),
        (POST, f"{ROOT}/wp-login.php?redirect_to=x", "login"),
        (POST, "https://accounts.example/sign-in/", "login"),
        (POST, f"{ROOT}/users/sign_in", "login"),
        (POST, f"{ROOT}/SignIn", "login"),
        (f"{ROOT}/how-to-sign-in/", f"{ROOT}/posts/how-to-sign-in/", None),
        (f"{ROOT}/?p=12", f"{ROOT}/2026/how-to-register-a-domain/", None),
        (POST, f"{ROOT}/posts/the-blogin-story/", None),
    ],
)
def test_where_a_redirect_ends_tells_whether_the_post_is_there(asked: str, came: str, wanted: str | None) -> None:
    assert deleted_posts.by_address(seen(asked=asked, url=came)) == wanted


def test_a_blog_below_a_path_has_its_front_page_there() -> None:
    site = f"{ROOT}/blog"
    assert deleted_posts.by_address(seen(asked=f"{site}/a-post", url=f"{site}/", site=site)) == "home"
    assert deleted_posts.by_address(seen(asked=f"{site}/a-post", url=f"{site}/", site=None)) is None
    assert deleted_posts.by_address(seen(asked=f"{site}/", url=site, site=site)) is None, "the front page itself"


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_no_redirect_to_an_error_is_judged_by_its_address(status: int) -> None:
    assert deleted_posts.by_address(seen(url=f"{ROOT}/", status=status)) is None
    assert deleted_posts.by_address(seen(url=f"{ROOT}/login", status=status)) is None


@pytest.mark.parametrize(
    "title",
    ["404", "Error 404 - Blog", "Page not found", "Not Found | Tide Table", "This page doesn\u2019t exist", "This page does not exist",
     "No longer available", "We can't find that page", "The page could not be found", "Nothing here", "Seite nicht gefunden",
     "Diese Seite existiert nicht", "Nicht mehr verf\u00fcgbar", "Pagina niet gevonden", "Page introuvable", "Cette page n\u2019existe plus",
     "P\u00e1gina no encontrada", "La p\u00e1gina no existe", "P\u00e1gina n\u00e3o encontrada", "Pagina non trovata",
     "\u0421\u0442\u0440\u0430\u043d\u0438\u0446\u0430 \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u0430",
     "\u30da\u30fc\u30b8\u304c\u898b\u3064\u304b\u308a\u307e\u305b\u3093", "\u627e\u4e0d\u5230\u9875\u9762", "\u9875\u9762\u4e0d\u5b58\u5728",
     "\ud398\uc774\uc9c0\ub97c \ucc3e\uc744 \uc218 \uc5c6\uc2b5\ub2c8\ub2e4", "This post has been deleted"],
)  # fmt: skip
def test_an_error_page_says_so(title: str) -> None:
    assert names_error(title)


@pytest.mark.parametrize(
    "title",
    ["A post", "Lost and found", "Route 4040", "What exists and what does", "Gefunden: ein Schl\u00fcssel", "Trouver un mot", "\u627e\u5230\u4e86"],
)  # fmt: skip
def test_an_ordinary_page_is_no_error_page(title: str) -> None:
    assert not names_error(title)


@pytest.mark.parametrize(
    ("markup", "wanted"),
    [
        (b"<input type=password>", True),
        (b"<INPUT name='p' TYPE = 'PassWord'>", True),
        (b'<input class="x"\n type="password" required>', True),
        (b"<input type=text name=password>", False),
        (b"<p>type=password</p>", False),
        (b"x" * VANISHED_BYTES + b"<input type=password>", False),
    ],
)
def test_a_field_for_a_password_is_seen(markup: bytes, wanted: bool) -> None:
    assert deleted_posts.asks_password(markup) is wanted


def test_a_page_with_the_posts_own_words_is_the_post_whatever_else_it_has() -> None:
    assert not deleted_posts.is_other(seen(text=LIVING + " An update follows."))
    assert not deleted_posts.is_other(seen(text=" ".join(LIVING.split()[:12]))), "half of it was cut"
    assert deleted_posts.is_other(seen(text="Members may read on."))
    assert deleted_posts.is_other(seen(text=""))
    assert not deleted_posts.is_other(seen(text="", before=None)), "there is nothing to compare with"
    assert not deleted_posts.is_other(seen(text="anything", before=""))


def test_error_pages_that_name_what_was_asked_for_are_one() -> None:
    words = ERROR_PAGE.body.decode()
    assert same_page_everywhere(f"{words} /a-post", f"{words} /pressmark-0a1b")
    assert not same_page_everywhere(words, LIVING)
    assert not same_page_everywhere(words, f"{words} {LIVING}"), "a post around the same boilerplate is another text"


# -- what follows


def page(**changes: object) -> Page:
    return Page(**{"url": POST, "feed_id": 1, "kept": True, "etag": '"1"', "checks": 2, **changes})


def visit(found: Page, **answer: object) -> PageVisit:
    return page_visit(found, at=T0, plan=(HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR), **answer)


@pytest.mark.parametrize("status", [404, 410, 451])
def test_only_what_was_kept_can_be_gone(status: int) -> None:
    assert visit(page(), status=status, error="x").gone == "gone"
    assert visit(page(kept=False, checks=0), status=status, error="x").gone is None


def test_what_is_gone_is_looked_for_again_by_the_plan() -> None:
    found = visit(page(), status=404, error="answered 404", record="r")
    assert (found.due, found.checks, found.failures, found.record) == (T0 + 4 * HOUR, 3, 0, "r")
    assert not found.kept


@pytest.mark.parametrize("gone", ["home", "login", "soft-404"])
def test_an_error_pages_validators_are_not_the_posts(gone: str) -> None:
    found = visit(page(), status=200, etag='"of the error page"', gone=gone)
    assert (found.kept, found.gone, found.etag) == (False, gone, None)
    assert visit(page(), status=404, etag='"of the error page"').etag == '"1"'


@pytest.mark.parametrize("status", [None, 403, 429, 500, 503])
def test_a_failure_does_not_use_up_the_plan(status: int | None) -> None:
    found = visit(page(), status=status, error="x")
    assert (found.gone, found.checks, found.failures) == (None, 2, 1)
    last = visit(page(failures=7), status=status, error="x")
    assert (last.gone, last.checks, last.due) == (None, 3, T0 + 4 * HOUR), "it is given up until the next turn"


# -- the ledger


@pytest.fixture
def frontier(database: str) -> Frontier:
    return Frontier.open(database)


def commit(frontier: Frontier, *, hours: int, **changes: object) -> None:
    at = T0 + hours * HOUR
    values = {
        "feed_id": 1, "due": at + HOUR, "status": 200, "error": None, "failures": 0, "etag": None,
        "last_modified": None, "record": f"urn:{hours}",
    }  # fmt: skip
    frontier.commit([], [PageVisit(url=POST, at=at, **{**values, **changes})])


def test_the_ledger_tells_each_absence_from_first_to_last(frontier: Frontier) -> None:
    feed = frontier.subscribe(f"{ROOT}/feed", seed=None, now=T0)
    entry = SeenEntry(key="k", id="k", digest="d", url=POST, entry=Entry(), fetch=True)
    frontier.commit(
        [FeedVisit(feed_id=feed.id, at=T0, due=T0, status=200, error=None, failures=0, etag=None, last_modified=None, entries=(entry,))],
        [],
    )  # fmt: skip
    gone = {"kept": False, "gone": "gone", "status": 404}
    commit(frontier, hours=0, kept=True)
    for hours in (1, 2):
        commit(frontier, hours=hours, **gone)
    commit(frontier, hours=3, kept=False, status=500)
    commit(frontier, hours=4, kept=True)
    commit(frontier, hours=5, kept=True)
    commit(frontier, hours=6, kept=False, gone="home")
    told = [
        (one.since - T0, one.kind, one.proof, one.alive_record, one.restored_record) for one in frontier.deletions()
    ]
    assert told == [(HOUR, "gone", "urn:1", "urn:0", "urn:4"), (6 * HOUR, "home", "urn:6", "urn:5", None)]
    assert len(frontier.deletions([page_key(POST)])) == 2
    assert frontier.deletions(["another"]) == []
    commit(frontier, hours=6, kept=False, gone="home")
    assert len(frontier.deletions()) == 2, "a commit may be repeated"


def test_a_restoration_is_taken_over_whatever_the_order_of_lines(frontier: Frontier) -> None:
    one = Deletion(key="k", url=POST, since=T0, kind="gone", status=404, proof="p", alive=T0 - HOUR, alive_record="a")
    back = replace(one, restored=T0 + HOUR, restored_record="b")
    for lines in ([one, back], [back, one], [one]):
        frontier.enter_deletions(lines)
        assert frontier.deletions() == [back]


def test_edits_are_found_although_the_site_is_better_known_meanwhile(home: Home, site: Site) -> None:
    """What recurs on a site decides what belongs to its posts, and which of two witnesses is believed."""

    def post(n: int, *, title: str = "", miller: str = "Anna Berg") -> Answer:
        said = "".join(f"<p>{p.replace('the miller', f'the miller {miller}')} ({n})</p>" for p in PROSE)
        title = title or f"Flood day {n}"
        return Answer(f"<title>{title} - B</title><article><h1>{title}</h1>{said}</article>".encode())

    items = "".join(
        f"<item><guid>{n}</guid><link>{site.url}/{n}</link><title>Flood day {n}</title></item>" for n in range(8)
    )
    rss = f"<rss version='2.0'><channel><title>B</title>{items}</channel></rss>"
    site.pages = {"/feed": Answer(rss.encode(), "application/rss+xml"), **{f"/{n}": post(n) for n in range(8)}}
    assert home.crawl(f"url={site.url}/feed").out.startswith("kept 8 new posts")
    site.pages["/3"] = post(3, miller="Anna Holm")
    site.pages["/4"] = post(4, title="The great flood")
    site.pages["/feed"] = Answer(rss.replace("Flood day 4", "The great flood").encode(), "application/rss+xml")
    assert home.crawl("force=1").code == 0
    recheck(home, "/3", "/4")
    versions = [home.pressmark("versions", f"{site.url}/{n}", "--json").out.splitlines() for n in (2, 3, 4)]
    assert [len(one) for one in versions] == [1, 2, 2]
    assert [json.loads(one[1])["changed"] for one in versions[1:]] == [["text"], ["title"]]
