"""Evidence bundles: they check offline, and whatever is changed in one fails with the reason."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Home
from sample.archives import POST, at, capture, keep, unmodified

from archive.archive import Archive
from archive.errors import DamagedError, NotArchivedError, NotLoggedError, TooLargeError
from archive.evidence import verify_bundle
from archive.evidence.verify_bundle import Failure
from archive.export import evidence_bundle
from archive.export.evidence_bundle import OutputError, write_bundle
from archive.extract.text import Text
from archive.index import log_rows
from archive.maintenance.compact import Compaction
from archive.maintenance.join_logs import join_logs
from archive.settings import ArchiveSettings
from archive.writer.object_log import ObjectLog

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    home = tmp_path / "home"
    return Archive.open(ArchiveSettings(home=home, store=f"file:{tmp_path / 'store'}", database=database))


@pytest.fixture
def small(tmp_path: Path) -> Archive:
    return Archive.open(ArchiveSettings(home=tmp_path / "home", store=f"file:{tmp_path / 'store'}"))


def text(url: str, words: str, title: str = "A title") -> Text:
    return Text(url=url, text=words, markdown=f"# {title}\n\n{words}", title=title, author="Ada")


def edited(archive: Archive, url: str = POST, hours: float = 0) -> None:
    """Two versions of a post."""
    keep(archive, (capture(hours, b"<p>first words</p>", url=url), text(url, "first words of it\nand more")))
    keep(archive, (capture(hours + 1, b"<p>other words</p>", url=url), text(url, "other words of it\nand more", "B")))


def proved(archive: Archive, out: Path, url: str = POST, when: datetime | None = None) -> Path:
    write_bundle(archive, url, when, out, now=NOW)
    return out


def checked(bundle: Path, key: str | None = None) -> list[str]:
    lines: list[str] = []
    verify_bundle.check(str(bundle), key, lines.append)
    return lines


def reason(bundle: Path, key: str | None = None) -> str:
    with pytest.raises(Failure) as found:
        checked(bundle, key)
    return str(found.value)


def parts(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def changed(bundle: Path, out: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """A copy of a bundle, with valid checksums, in which something was changed."""
    found = parts(bundle)
    change(found)
    with zipfile.ZipFile(out, "w") as made:
        for name, data in found.items():
            made.writestr(name, data)
    return out


def said(bundle: Path, out: Path, change: Callable[[dict[str, Any]], object], name: str = "evidence.json") -> Path:
    """As `changed`, within a file of JSON."""

    def other(found: dict[str, bytes]) -> None:
        value = json.loads(found[name])
        change(value)
        found[name] = json.dumps(value).encode()

    return changed(bundle, out, other)


# -- what a bundle has


def test_a_bundle_has_records_texts_and_diff_and_checks(archive: Archive, tmp_path: Path) -> None:
    edited(archive)
    bundle = proved(archive, tmp_path / "out.zip")
    found = parts(bundle)
    assert set(found) == {
        "README.txt", "verify_bundle.py", "evidence.json", "records.warc.gz", "text.md", "text.json", "diff.json",
    }  # fmt: skip
    lines = checked(bundle)
    assert sum(" is leaf " in line for line in lines) == 4
    assert sum(" is record " in line for line in lines) == 10, "two captures of three records, two texts of two"
    assert "diff.json leads from the text before to the text" in lines
    assert json.loads(found["text.json"])["text"] == "other words of it\nand more"
    assert found["text.md"].decode().startswith("# B\n")
    diff = json.loads(found["diff.json"])
    assert (diff["from"]["title"], diff["to"]["title"]) == ("A title", "B")
    assert b"other words" in gzip.decompress(found["records.warc.gz"])
    readme = found["README.txt"].decode()
    assert POST in readme
    assert "A machine that lies when it" in readme
    key = (tmp_path / "home/evidence/log.pub").read_text()
    assert key.strip() in readme
    assert checked(bundle, key) == lines


def test_the_capture_is_the_one_nearest_to_a_time(small: Archive, tmp_path: Path) -> None:
    edited(small)
    bundle = proved(small, tmp_path / "out.zip", when=at(0.2))
    assert json.loads(parts(bundle)["text.json"])["title"] == "A title"
    assert "diff.json" not in parts(bundle)
    assert len([line for line in checked(bundle) if " is record " in line]) == 5


def test_a_later_root_contains_the_first_one(small: Archive, tmp_path: Path) -> None:
    edited(small)
    for n in range(20):
        keep(small, capture(n + 2, b"<p>%d</p>" % n, url=f"http://blog.example/{n}"))
    bundle = proved(small, tmp_path / "out.zip")
    lines = checked(bundle)
    assert any("signed with 5 leaves, kept up to 25" in line for line in lines)
    # A bundle that was made earlier is about a log with which this one is consistent.
    objects = json.loads(parts(bundle)["evidence.json"])["objects"]
    assert all(len(one["checkpoints"]) == 2 and len(one["consistency"]) == 1 for one in objects)


def test_a_revisit_comes_with_its_response(archive: Archive, tmp_path: Path) -> None:
    (row,) = keep(archive, (capture(0, b"<p>same</p>", headers=b'ETag: "1"\r\n'), text(POST, "same words")))
    made = archive.writer.batch(now=at(1))
    made.add(unmodified(capture(5, b"", 304), row.record))
    archive.writer.commit_and_release(made.seal())
    lines = checked(proved(archive, tmp_path / "out.zip"))
    assert [line.split()[0] for line in lines if " is record " in line] == [
        "revisit", "request", "metadata", "response", "request", "metadata", "conversion", "metadata",
    ]  # fmt: skip
    assert not any(line.startswith("note:") for line in lines)


def test_further_pages_of_a_post_come_with_its_first(small: Archive, tmp_path: Path) -> None:
    second = f"{POST}?page=2"
    made = small.writer.batch(now=at(0))
    first, more = made.add(capture(0, b"<p>one</p>")), made.add(capture(0, b"<p>two</p>", url=second))
    made.add_text(first, replace(text(POST, "one\ntwo"), pages=(more.record,)))
    small.writer.commit_and_release(made.seal())
    lines = checked(proved(small, tmp_path / "out.zip"))
    assert [line.split()[2] for line in lines if line.startswith("response ")] == [POST, second]


def test_a_redirect_comes_with_its_target(small: Archive, tmp_path: Path) -> None:
    old = "http://blog.example/old"
    keep(small, capture(0, b"", 301, url=old, headers=f"Location: {POST}\r\n".encode()))
    keep(small, (capture(1, b"<p>there</p>"), text(POST, "there")))
    lines = checked(proved(small, tmp_path / "out.zip", url=old))
    assert [line.split()[2] for line in lines if line.startswith("response ")] == [old, POST]


def test_a_capture_without_a_text_is_proved_alone(small: Archive, tmp_path: Path) -> None:
    keep(small, capture(0, b"\x89PNG", url="http://blog.example/i.png", headers=b"Content-Type: image/png\r\n"))
    bundle = proved(small, tmp_path / "out.zip", url="http://blog.example/i.png")
    assert {"text.json", "text.md", "diff.json"}.isdisjoint(parts(bundle))
    assert len(checked(bundle)) == 4


def test_joined_objects_are_proved_as_they_were_sealed(archive: Archive, tmp_path: Path) -> None:
    for n in range(10):
        made = archive.writer.batch(now=datetime(2026, 5, 1 + n // 5, n, tzinfo=UTC))
        url = f"http://blog.example/{n}"
        made.add_text(made.add(capture(n, b"<p>%d</p>" % n, url=url)), text(url, f"words {n}"))
        archive.writer.commit_and_release(made.seal())
    before = {n: checked(proved(archive, tmp_path / f"{n}.zip", f"http://blog.example/{n}")) for n in range(10)}
    # Days first, then the month: some objects are joined twice.
    for now in (
        datetime(2026, 5, 2, 5, tzinfo=UTC),
        datetime(2026, 5, 3, 5, tzinfo=UTC),
        datetime(2026, 6, 1, 5, tzinfo=UTC),
    ):
        Compaction(archive, now=lambda now=now: now).run()
    join_logs(archive.store, archive.index, now=LATER, enough=lambda: False)
    assert len(list(archive.store.keys("log/"))) == 1
    for n, lines in before.items():
        row = archive.find(f"http://blog.example/{n}")
        assert "-joined-" in row.object
        assert checked(proved(archive, tmp_path / f"again-{n}.zip", f"http://blog.example/{n}")) == lines


# -- what cannot be proved


def test_what_is_not_archived_or_in_no_log_gives_no_bundle(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    with pytest.raises(NotArchivedError):
        proved(archive, out)
    edited(archive)
    log_rows.forget(archive.index.engine)
    with pytest.raises(NotLoggedError, match="is in no log"):
        proved(archive, out)
    assert list(tmp_path.glob("*out.zip*")) == []


def test_a_text_that_is_in_no_log_is_left_out_and_said(
    small: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:  # it was archived by an earlier version
        patch.setattr(ObjectLog, "append", lambda _self, entries: entries)
        keep(small, (capture(0, b"<p>first words</p>"), text(POST, "first words")))
    keep(small, (capture(1, b"<p>other words</p>"), text(POST, "other words")))
    bundle = tmp_path / "out.zip"
    made = write_bundle(small, POST, None, bundle, now=NOW)
    assert len(made.left_out) == 2, "a text and its capture"
    assert "diff.json" not in parts(bundle)
    assert checked(bundle)
    assert "is in no log" in parts(bundle)["README.txt"].decode()


def test_damage_gives_an_error_and_no_bundle(small: Archive, tmp_path: Path) -> None:
    edited(small)
    row = small.find(POST)
    path = tmp_path / "store" / row.object
    data = bytearray(path.read_bytes())
    data[row.offset + row.length - 20] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedError):
        proved(small, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_a_changed_record_with_valid_digests_is_found(small: Archive, tmp_path: Path) -> None:
    """Somebody with access to the store writes another page in the same number of bytes."""
    edited(small)
    row = small.find(POST)
    path = tmp_path / "store" / row.object
    data = path.read_bytes()
    members = data[row.offset :]
    again = gzip.compress(gzip.decompress(members)[:-1] + b"\n", 1)
    path.write_bytes(data[: row.offset] + again[: row.length].ljust(row.length, b"\0"))
    with pytest.raises(DamagedError):
        proved(small, tmp_path / "out.zip")


def test_a_file_that_cannot_be_written_is_named(small: Archive, tmp_path: Path) -> None:
    edited(small)
    with pytest.raises(OutputError, match="no/such/out.zip"):
        proved(small, tmp_path / "no/such/out.zip")


def test_too_much_is_refused_before_it_is_read(small: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(small)
    monkeypatch.setattr(evidence_bundle, "EVIDENCE_BYTES", 100)
    with pytest.raises(TooLargeError):
        proved(small, tmp_path / "out.zip")


# -- tampering


def _flip(data: bytes, at_byte: int) -> bytes:
    return data[:at_byte] + bytes([data[at_byte] ^ 1]) + data[at_byte + 1 :]


def _other_base64(value: str) -> str:
    return base64.b64encode(_flip(base64.b64decode(value), 5)).decode()


def _of(number: int, name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda found: found["objects"][number].update({name: value})


def _forged_leaf(found: dict[str, Any]) -> None:
    leaf = json.loads(found["objects"][0]["leaf"])
    leaf["bytes"] += 1
    found["objects"][0]["leaf"] = json.dumps(leaf, sort_keys=True, separators=(",", ":"))


SAID: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "leaf": (_forged_leaf, "is not leaf"),
    "number": (lambda f: f["objects"][0].update(number=f["objects"][0]["number"] + 1), "is not leaf"),
    "number of a boolean": (_of(0, "number", value=True), "number is missing, or no int"),
    "path": (
        lambda f: f["objects"][0]["path"].__setitem__(0, _other_base64(f["objects"][0]["path"][0])),
        "is not leaf",
    ),
    "short path": (lambda f: f["objects"][0]["path"].pop(), "is not leaf"),
    "no list": (_of(0, "path", value="x"), "path is missing, or no list"),
    "no hashes": (_of(0, "path", value=["eA=="]), "is no list of hashes"),
    "consistency": (lambda f: f["objects"][0]["consistency"][0].pop(), "does not begin with that of"),
    "no consistency": (_of(0, "consistency", value=[]), "checkpoints and 0 proofs"),
    "no checkpoint": (lambda f: f["objects"][0].update(checkpoints=[], consistency=[]), "has 0 checkpoints"),
    "size": (
        lambda f: f["objects"][0]["checkpoints"][0].update(
            note=f["objects"][0]["checkpoints"][0]["note"].replace("\n5\n", "\n6\n")
        ),
        "the signature of a checkpoint with 6 leaves is not by the key",
    ),
    "signature": (
        lambda f: f["objects"][0]["checkpoints"][1].update(
            note=f["objects"][0]["checkpoints"][1]["note"][:-9] + "AAAAAAA=\n"
        ),
        "signature",
    ),
    "old root": (
        lambda f: f["objects"][0].update(checkpoints=f["objects"][0]["checkpoints"][::-1]),
        "is not leaf",
    ),
    "key": (
        lambda f: f["objects"][0].update(key="pressmark/log/" + "0" * 16 + f["objects"][0]["key"][30:]),
        "is not that of its key",
    ),
    "record id": (lambda f: f["records"][0].update(record="<urn:uuid:x>"), "the record is <urn:uuid:"),
    "member": (lambda f: f["records"][0].update(member=2), "is not record 2 of"),
    "object": (lambda f: f["records"][0].update(object=1), "as it was sealed"),
    "no such object": (lambda f: f["records"][0].update(object=99), "is of an object that is not in the bundle"),
    "member path": (
        lambda f: f["records"][0]["path"].__setitem__(0, _other_base64(f["records"][0]["path"][0])),
        "as it was sealed",
    ),
    "order": (lambda f: f["records"].reverse(), "is not where it should be"),
    "record left out": (lambda f: f["records"].pop(), "bytes that are no record"),
    "length": (lambda f: f["records"][-1].update(length=10**9), "is not where it should be"),
    "url": (lambda f: f.update(url="http://other.example/"), "no record in the bundle is of this URL"),
    "text": (lambda f: f["text"].update(conversion=f["before"]["conversion"]), "was not made from the capture"),
    "metadata": (lambda f: f["text"].update(metadata=f["before"]["metadata"]), "has the metadata of another one"),
    "no text": (lambda f: f.update(text=None), "is there without a text"),
    "no text before": (lambda f: f.update(before=None), "is there without two texts"),
    "format": (lambda f: f.update(format="pressmark-evidence/9"), "is of another format"),
    "records": (lambda f: f.update(records={}), "records is missing, or no list"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_changed_description_fails_with_the_reason(name: str, bundle: Path, tmp_path: Path) -> None:
    change, wanted = SAID[name]
    assert wanted in reason(said(bundle, tmp_path / "changed.zip", change))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a post with two versions, in a log that has grown since."""
    folder = tmp_path_factory.mktemp("bundle")
    archive = Archive.open(ArchiveSettings(home=folder / "home"))
    edited(archive)
    keep(archive, capture(3, b"<p>later</p>", url="http://blog.example/later"))
    return proved(archive, folder / "out.zip")


FILES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "record": (lambda f: f.update({"records.warc.gz": _flip(f["records.warc.gz"], 200)}), "as it was sealed"),
    "records cut": (lambda f: f.update({"records.warc.gz": f["records.warc.gz"][:-5]}), "is not where it should be"),
    "more records": (lambda f: f.update({"records.warc.gz": f["records.warc.gz"] * 2}), "bytes that are no record"),
    "no records": (lambda f: f.pop("records.warc.gz"), "records.warc.gz: is missing"),
    "markdown": (lambda f: f.update({"text.md": b"other"}), "text.md: differs"),
    "text.json": (lambda f: f.update({"text.json": f["text.json"].replace(b"words", b"wards")}), "text.json: differs"),
    "no text.json": (lambda f: f.pop("text.json"), "text.json: is missing"),
    "diff": (lambda f: f.update({"diff.json": f["diff.json"].replace(b"first", b"burst")}), "its paragraphs are not"),
    "kind of a diff": (
        lambda f: f.update(
            {"diff.json": f["diff.json"].replace(b'"kind": "same",\n   "runs"', b'"kind": "gone",\n   "runs"')}
        ),
        "diff.json",
    ),
    "side of a diff": (
        lambda f: f.update({"diff.json": f["diff.json"].replace(b"Ada", b"Eve")}),
        "differs from the record",
    ),
    "no JSON": (lambda f: f.update({"evidence.json": b"{"}), "is no JSON"),
    "deep JSON": (lambda f: f.update({"evidence.json": b"[" * 100_000}), "is no JSON"),
    "other JSON": (lambda f: f.update({"evidence.json": b"[]"}), "format is missing"),
    "no UTF-8": (lambda f: f.update({"text.md": b"\xff"}), "is not UTF-8"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_fails_with_the_reason(name: str, bundle: Path, tmp_path: Path) -> None:
    change, wanted = FILES[name]
    assert wanted in reason(changed(bundle, tmp_path / "changed.zip", change))


def test_another_machine_with_the_same_words_has_another_key(bundle: Path, tmp_path: Path) -> None:
    other = Archive.open(ArchiveSettings(home=tmp_path / "other"))
    edited(other)
    forged = proved(other, tmp_path / "forged.zip")
    assert checked(forged)
    key = (bundle.parent / "home/evidence/log.pub").read_text()
    assert "has another key than the one given" in reason(forged, key)


def test_a_bundle_that_was_cut_short_or_is_none_says_so(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "cut.zip"
    data = bundle.read_bytes()
    for length in (0, 10, len(data) // 2, len(data) - 1):
        out.write_bytes(data[:length])
        assert "cannot be read, perhaps it was cut short" in reason(out)
    assert "cannot be read" in reason(tmp_path / "none.zip")


def test_no_byte_of_the_content_can_change_unseen(bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    data = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as opened:
        spans = [(one.header_offset + 30 + len(one.filename), one.compress_size) for one in opened.infolist()]
    chance, known = random.Random(1), parts(bundle)
    for begin, size in spans:
        for _ in range(5):
            out.write_bytes(_flip(data, begin + chance.randrange(size)))
            with suppress(zipfile.BadZipFile, zlib.error):
                if parts(out) == known:  # bits that only fill the last byte of what is compressed
                    continue
            assert reason(out)


def test_traps_in_the_zip_are_refused(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.zip"
    changed(bundle, out, lambda found: None)
    with zipfile.ZipFile(out, "a") as more, pytest.warns(UserWarning, match="Duplicate name"):
        more.writestr("text.md", b"other")
    assert "several files of one name" in reason(out)
    changed(bundle, out, lambda found: found.update({f"{n}": b"" for n in range(verify_bundle.MOST_FILES)}))
    assert "more than 10000" in reason(out)
    # A file that grows: no more of it is read than the limit.
    monkeypatch.setattr(verify_bundle, "MOST_BYTES", 1 << 16)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts(bundle).items():
            made.writestr(name, content)
        made.writestr("bomb", b"\0" * (1 << 20))
    out.write_bytes(stream.getvalue())
    monkeypatch.setattr(verify_bundle.Bundle.read, "__defaults__", (1 << 16,))
    assert "bomb: has more than" in reason(out)
    monkeypatch.undo()
    for most, wanted in ((2_000, "all files together more than 2000"), (60_000, "has more than")):
        monkeypatch.setattr(verify_bundle, "MOST_IN_ALL", most)
        assert wanted in reason(bundle if most < 60_000 else out)


def test_a_record_that_grows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_bundle, "MOST_BYTES", 1 << 16)
    with pytest.raises(Failure, match="cut short, too large"):
        verify_bundle.read_record(gzip.compress(b"\0" * (1 << 20)))


# -- the commands


def run_script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script as a reader runs it: alone, without this project."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify_bundle.py", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def test_a_reader_checks_a_bundle_with_nothing_but_python(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "verify_bundle.py").write_bytes(parts(bundle)["verify_bundle.py"])
    key = bundle.parent / "home/evidence/log.pub"
    done = run_script(tmp_path, str(bundle), "--key", str(key))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("everything agrees, signed by the key that was given\n")
    done = run_script(tmp_path, str(bundle))
    assert done.stdout.endswith("compare it with --key\n")
    bad = changed(bundle, tmp_path / "bad.zip", FILES["record"][0])
    done = run_script(tmp_path, str(bad), "--key", key.read_text())
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1].startswith("FAILED: <urn:uuid:")
    done = run_script(tmp_path, str(bundle), "--key", "no-such-file")
    assert done.returncode == 1
    assert "neither a key nor a file" in done.stdout


def test_the_command_writes_a_bundle_and_says_what_it_is(home: Home, tmp_path: Path) -> None:
    archive = Archive.open(ArchiveSettings(home=home.path))
    edited(archive)
    out = tmp_path / "out.zip"
    done = home.pressmark("prove", POST, str(out))
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{out}: {POST} of 2026-05-01 13:00:00Z, 10 records, signed with 5 leaves, no time stamp\n"
    done = home.pressmark("prove", POST, "--at", "2026-05-01T12:00:00Z", str(out), "--json")
    assert json.loads(done.out) == {
        "out": str(out), "url": POST, "date": "2026-05-01T12:00:00Z", "records": 5, "checkpoint": 5, "stamped": False,
        "left_out": [],
    }  # fmt: skip
    assert checked(out)
    done = home.pressmark("prove", "http://blog.example/none", str(out))
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert checked(out), "a bundle that is there stays"


def test_a_hundred_posts_are_proved_and_a_hundred_forgeries_found(small: Archive, tmp_path: Path) -> None:
    chance = random.Random(7)
    urls = [f"http://blog.example/{n}" for n in range(100)]
    for begin in range(0, 100, 10):
        keep(
            small,
            *(
                (capture(n, b"<p>page %d</p>" % n, url=url), text(url, f"words of {n}"))
                for n, url in enumerate(urls[begin : begin + 10], begin)
            ),
        )
    key = (tmp_path / "home/evidence/log.pub").read_text()
    reasons = set()
    for url in urls:
        bundle = proved(small, tmp_path / "out.zip", url)
        assert checked(bundle, key)
        name, table = chance.choice([("said", SAID), ("files", FILES)])
        wanted = {
            "text",
            "metadata",
            "no text before",
            "diff",
            "kind of a diff",
            "side of a diff",
            "consistency",
            "no consistency",
            "size",
            "signature",
            "old root",
        }
        chosen = chance.choice(sorted(table.keys() - wanted))
        change = table[chosen][0]
        bad = (said if name == "said" else changed)(bundle, tmp_path / "bad.zip", change)  # type: ignore[operator]
        reasons.add(reason(bad, key))
    assert len(reasons) > 50
