"""A blog as it was at an instant, as files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner, Result
from conftest import PROJECT
from lxml import etree, html
from sample.archives import capture, keep
from sample.past_blog import EDITED, FEED_ONLY, GONE, HOST, OTHER_NAME, PNG, ROOT, make, page, text
from sqlalchemy import delete

from archive.archive import Archive
from archive.errors import LockedError
from archive.export.blog_site import LINES
from archive.export.markdown_html import Addresses, addresses_in, with_files
from archive.export.site_pictures import kind_of
from archive.index.schema import captures, texts
from archive.runtime.database import transaction
from archive.runtime.folder_in_place import folder_in_place, is_free
from archive.settings import ArchiveSettings
from schedules.cli import pressmark

TWELVE = "2026-05-02T00:00:00Z"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    opened = Archive.open(ArchiveSettings(home=tmp_path / "home"))
    make(opened)
    return opened


def run(archive: Archive, *arguments: object) -> Result:
    environment = {"PRESSMARK_HOME": str(archive.settings.home)}
    return CliRunner().invoke(pressmark, ["at", *map(str, arguments)], env=environment)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def file_of(folder: Path, title: str) -> Path:
    index = html.fromstring((folder / "index.html").read_text())
    return folder / next(a.get("href") for a in index.iterfind(".//main//a") if a.text == title)


def targets(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each relative link, and the file that it leads to."""
    for path in folder.rglob("*.html"):
        for _, _, link, _ in html.fromstring(path.read_text()).iterlinks():
            if not urlsplit(link).scheme:
                yield link, path.parent / unquote(link.partition("#")[0])


def test_the_site_has_the_posts_of_that_time_and_says_what_is_not_known(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "site"
    result = run(archive, TWELVE, HOST, "--out", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{out}: 4 posts of {HOST}, 1 listed that were first seen later, 2 pictures not archived\n"
    index = html.fromstring((out / "index.html").read_text())
    posts = [link.text for link in index.xpath("//h2[text()='Posts']/following-sibling::ul[1]//a")]
    assert posts == ["No date", "Soon gone", "A new title", "Only in the feed"]
    said = " ".join(index.xpath("string(//main)").split())
    assert "2026-04-20 · Ada · seen first 2026-05-01 22:00:00 UTC, looked at last 2026-05-01 22:00:00 UTC" in said
    assert "Posts that are dated before that time, but were first looked at after it: 1." in said
    later = index.xpath("//h2[starts-with(text(), 'Published before')]/following-sibling::ul[1]//a")
    assert [link.text for link in later] == ["Found late"]
    assert "The archive saw the first post of this blog on 2026-05-01 12:00:00 UTC, and something new in it last on 2026-05-01 22:00:00 UTC." in said  # fmt: skip
    assert "2 pictures are not archived" in said
    assert "The front page itself is in the archive as it was on 2026-05-01 13:00:00 UTC; the blog's own feed as it was on 2026-05-01 13:00:00 UTC." in said  # fmt: skip


def test_every_link_within_the_site_leads_to_a_file_and_nothing_is_loaded_from_elsewhere(
    archive: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    assert run(archive, TWELVE, HOST, "--out", out).exit_code == 0
    found = list(targets(out))
    assert len(found) > 20
    assert [link for link, path in found if not path.is_file()] == []
    for path in out.rglob("*.html"):
        tree = html.fromstring(path.read_text())
        assert tree.xpath("//script | //iframe | //object | //*[@onload or @onerror or @style]") == []
        loaded = [*tree.xpath("//@src"), *tree.xpath("//link[@rel='stylesheet']/@href")]
        assert [link for link in loaded if urlsplit(link).scheme or link.startswith("/")] == []
        assert "javascript:" not in " ".join(tree.xpath("//@href"))


def test_a_post_shows_its_pictures_and_leads_to_its_neighbours(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "site"
    run(archive, TWELVE, HOST, "--out", out)
    edited = html.fromstring(file_of(out, "A new title").read_text())
    (picture,) = edited.xpath("//article//img")
    assert picture.get("alt") == "A mole"
    assert (out / "posts" / picture.get("src")).read_bytes() == PNG
    words = edited.xpath("string(//article)")
    assert "[Picture, not archived: Never held]" in words
    assert "Other words." in words
    assert "First words." not in words
    gone = html.fromstring(file_of(out, "Soon gone").read_text())
    (neighbour,) = [a.get("href") for a in gone.xpath("//article//a") if a.text == "it"]
    assert out / "posts" / neighbour == file_of(out, "A new title")
    early = tmp_path / "early"
    run(archive, "20260501150000", HOST, "--out", early)
    assert f'href="{GONE}"' in file_of(early, "Edited <b>post</b>").read_text()  # it had not been seen yet


def test_the_feed_has_the_posts_with_links_within_the_site(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "site"
    run(archive, TWELVE, HOST, "--out", out)
    feed = etree.fromstring((out / "feed.atom").read_bytes())
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}id") for one in entries] == [OTHER_NAME, GONE, EDITED, FEED_ONLY]
    for one in entries:
        assert (out / one.find(f"{ATOM}link").get("href")).is_file()
        for _, _, link, _ in html.fromstring(one.findtext(f"{ATOM}content")).iterlinks():
            assert urlsplit(link).scheme or (out / link).is_file()
    assert 'src="pictures/' in entries[2].findtext(f"{ATOM}content")


def test_the_same_archive_and_time_give_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run(archive, "20260501", f"{ROOT}/feed", "--out", tmp_path / name).exit_code == 0
    first = contents(tmp_path / "one")
    assert first == contents(tmp_path / "two")
    assert str(tmp_path).encode() not in b"".join(first.values())
    assert run(archive, "20260505", HOST, "--out", tmp_path / "three").exit_code == 0
    assert contents(tmp_path / "three") != first


def test_long_lists_come_in_pages(archive: Archive, tmp_path: Path) -> None:
    many = [f"{ROOT}/n/{n}" for n in range(LINES + 5)]
    keep(archive, *((page(3, url, f"{n}"), text(url, f"number {n}", day=1)) for n, url in enumerate(many)))
    out = tmp_path / "site"
    assert run(archive, TWELVE, HOST, "--out", out).exit_code == 0
    assert (out / "index-2.html").is_file()
    assert not (out / "index-3.html").exists()
    assert len(list((out / "posts").iterdir())) == len(many) + 4
    before = tmp_path / "before"
    assert run(archive, "20260430", HOST, "--out", before).exit_code == 0
    assert {"later.html", "later-2.html"} < contents(before).keys()
    assert [link for folder in (out, before) for link, path in targets(folder) if not path.is_file()] == []


def test_what_cannot_be_read_is_told_and_the_exit_code_says_so(archive: Archive, tmp_path: Path) -> None:
    one = next(iter(archive.index.texts(GONE).values()))[0]
    path = archive.settings.home / "store" / one.object
    data = bytearray(path.read_bytes())
    data[one.offset + 40 : one.offset + 60] = bytes(20)
    path.write_bytes(data)
    out = tmp_path / "site"
    result = run(archive, TWELVE, HOST, "--out", out, "--json")
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    assert (told["posts"], told["unreadable"], told["host"]) == (4, [GONE], HOST)
    assert f"{GONE}: its text cannot be read" in result.stderr
    assert "cannot be read from the archive" in file_of(out, "Soon gone").read_text()


def test_a_post_whose_captures_are_lost_has_a_page_that_says_so(archive: Archive, tmp_path: Path) -> None:
    with transaction(archive.index.engine) as connection:
        connection.execute(delete(captures).where(captures.c.url == GONE))
        connection.execute(delete(texts).where(texts.c.url == GONE))
    out = tmp_path / "site"
    result = run(archive, TWELVE, HOST, "--out", out)
    assert (result.exit_code, f"{GONE}: its text cannot be read" in result.stderr) == (4, True)
    assert "cannot be read from the archive" in file_of(out, "Soon gone").read_text()
    assert [link for link, path in targets(out) if not path.is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("soon", HOST, "--out", "OUT"), 2, "'soon' is not a valid time"),
        ((TWELVE, "never.example", "--out", "OUT"), 3, "never.example: no post of that blog in the archive"),
        ((TWELVE, "a blog", "--out", "OUT"), 2, "BLOG: a blog: not the address of a web page"),
        ((TWELVE, HOST), 2, "--out"),
        ((TWELVE, HOST, "--out", "FULL"), 2, "FULL: not an empty folder"),
        ((TWELVE, HOST, "--out", "FILE"), 2, "FILE: not an empty folder"),
        ((TWELVE, HOST, "--out", "FILE/below"), 1, "FILE/below: Not a directory"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    archive: Archive, tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "mine").write_text("kept")
    (tmp_path / "FILE").write_text("kept")
    before = contents(tmp_path)
    given, out = arguments[:3], arguments[3:]
    result = run(archive, *given, *(tmp_path / name for name in out))
    assert result.exit_code == code, result.output
    assert message in result.output
    assert {name for name in contents(tmp_path) if not name.startswith("home/")} == {
        name for name in before if not name.startswith("home/")
    }
    assert not (tmp_path / "OUT").exists()


def test_an_empty_folder_is_used_and_a_link_to_one_stays_a_link(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    assert run(archive, TWELVE, HOST, "--out", tmp_path / "link").exit_code == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "empty" / "index.html").is_file()


KILLED = """
import sys, time
from pathlib import Path
from archive.index.schema import captures, texts
from archive.runtime.database import transaction
from archive.runtime.folder_in_place import folder_in_place
with folder_in_place(Path(sys.argv[1])) as part:
    (part / "half").write_text("half")
    (part / "sub").mkdir()
    (part / "sub" / "deep").write_text("half")
    print("ready", flush=True)
    time.sleep(600)
"""


def test_a_kill_leaves_nothing_under_the_name_and_the_next_run_starts_anew(tmp_path: Path) -> None:
    target = tmp_path / "site"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(LockedError, match="another process is writing it"), folder_in_place(target):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert not target.exists()
    with folder_in_place(target) as part:
        assert list(part.iterdir()) == []
        (part / "whole").write_text("whole")
        assert not target.exists()
    assert contents(tmp_path) == {"site/whole": b"whole"}


def _failing(target: Path) -> None:
    with folder_in_place(target) as part:
        (part / "half").write_text("half")
        raise ZeroDivisionError


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _failing(tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def _late(target: Path) -> None:
    with folder_in_place(target) as part:
        (part / "ours").write_text("ours")
        target.mkdir()
        (target / "theirs").write_text("theirs")


def test_what_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not empty"):
        _late(tmp_path / "site")
    assert contents(tmp_path) == {"site/theirs": b"theirs"}
    assert not is_free(tmp_path / "site")
    (tmp_path / "loose").symlink_to("nowhere")
    assert not is_free(tmp_path / "loose")
    assert is_free(tmp_path / "never")


def test_what_stands_in_markdown_is_named_as_it_is_written() -> None:
    markdown = "[a](http://x.example/1) ![b](<http://x.example/2 3.png>) [![c](http://x.example/4)](http://x.example/1)"
    assert addresses_in(markdown) == Addresses(
        ("http://x.example/1",), ("http://x.example/2%203.png", "http://x.example/4")
    )
    rendered = with_files(
        markdown, links={"http://x.example/1": "one.html"}, pictures={"http://x.example/4": "p/4.png"}
    )
    assert rendered.count('href="one.html"') == 2
    assert '<img src="p/4.png" alt="c">' in rendered
    assert "[Picture, not archived: b]" in rendered


@pytest.mark.parametrize(
    "written", ["[x](../../etc/passwd)", "[x](/etc/passwd)", "[x](//other.example)", "[x](data:x)", "[x](javascript:x)"]
)
def test_markdown_leads_to_no_file_that_is_not_a_page_of_the_site(written: str) -> None:
    assert "href" not in with_files(written, links={}, pictures={})


def test_a_picture_is_what_its_bytes_say() -> None:
    assert [kind_of(one) for one in (PNG, b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF1234WEBPVP8 ", b"1234ftypavif")] == [
        "png", "jpg", "gif", "webp", "avif",
    ]  # fmt: skip
    assert [kind_of(one) for one in (b"", b"<svg onload=x>", b"<html>", b"RIFF1234WAVE")] == [None] * 4


def test_a_picture_that_is_packed_is_unpacked(archive: Archive, tmp_path: Path) -> None:
    import gzip

    packed = b"Content-Type: image/png\r\nContent-Encoding: gzip\r\n"
    keep(archive, capture(3, gzip.compress(PNG + b"2"), url=f"{ROOT}/packed.png", headers=packed),
         (page(3, f"{ROOT}/p", "x"), text(f"{ROOT}/p", f"![p]({ROOT}/packed.png)", day=3, title="Packed")))  # fmt: skip
    assert run(archive, TWELVE, HOST, "--out", tmp_path / "site").exit_code == 0
    assert PNG + b"2" in contents(tmp_path / "site").values()
