"""Time stamps of checkpoints: by a real authority on loopback, and without one that can be used."""

from __future__ import annotations

import builtins
import json
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Home, missing
from sample import authority as sample
from sample.archives import POST, capture, keep
from sample.authority import Authority

from archive.archive import Archive
from archive.errors import SettingsError, TimeStampError
from archive.evidence import authority as client
from archive.evidence import verify_bundle
from archive.export.evidence_bundle import write_bundle
from archive.index import log_rows
from archive.maintenance.reindex import Reindexing
from archive.maintenance.stamping import stamp_logs
from archive.maintenance.verification import Verification
from archive.reader.log_lines import read_commit
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings

NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    if not sample.available():
        missing("OpenSSL")
    folder = tmp_path / "authority"
    folder.mkdir()
    with Authority(folder) as running:
        yield running


def archived(home: Path, authority: Authority | None, **more: Any) -> Archive:
    settings = {"timestamp_authority": authority.url, "timestamp_roots": authority.roots} if authority else {}
    return Archive.open(ArchiveSettings(home=home, **{**settings, **more}))


def page(archive: Archive, hours: float = 0) -> None:
    keep(archive, (capture(hours, b"<p>%d</p>" % hours), f"words of {hours}"))


def lines_of(bundle: Path) -> list[str]:
    lines: list[str] = []
    verify_bundle.check(str(bundle), None, lines.append)
    return lines


def test_the_newest_root_gets_a_time_stamp_once(authority: Authority, tmp_path: Path) -> None:
    archive = archived(tmp_path / "home", authority)
    assert stamp_logs(archive) == []
    page(archive)
    (done,) = stamp_logs(archive)
    assert (done.size, list(archive.store.keys("stamps/"))) == (3, [f"stamps/{done.log}/{3:012d}.tsr"])
    assert abs(done.time - datetime.now(UTC)) < timedelta(hours=1)
    assert stamp_logs(archive) == []
    assert authority.requests == 1
    page(archive, 1)
    assert [one.size for one in stamp_logs(archive)] == [5]
    run = Verification(archive, checks={}, now=lambda: NOW)
    chosen = run.chosen(1.0)
    assert [one for key in chosen.others for one in run.other(key)] == []


def test_a_bundle_has_the_earliest_time_stamp_that_covers_its_records(authority: Authority, tmp_path: Path) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    page(archive, 1)
    (first,) = stamp_logs(archive)
    page(archive, 2)
    stamp_logs(archive)
    page(archive, 3)
    bundle = tmp_path / "out.zip"
    when = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert write_bundle(archive, POST, when, bundle, now=NOW).stamped
    lines = lines_of(bundle)
    stated = f"stamps/1.tsr is about this checkpoint, and states {first.time:%Y-%m-%d %H:%M:%S} UTC"
    assert stated in lines
    assert any("signed with 3 leaves, kept up to 9" in line for line in lines)
    with zipfile.ZipFile(bundle) as opened:
        opened.extractall(tmp_path / "extracted")
    # As README.txt says: the authority's signature, with OpenSSL.
    command = ["openssl", "ts", "-verify", "-in", "stamps/1.tsr", "-data", "stamps/1.tsr.checkpoint"]
    done = subprocess.run(
        [*command, "-CAfile", str(authority.roots)], cwd=tmp_path / "extracted", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, b"Verification: OK"), done.stderr


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("stamps/1.tsr", "is about something else than its checkpoint"),
        ("stamps/1.tsr.checkpoint", "is not the checkpoint that the time stamp is about"),
        ("", "stamps/1.tsr: is missing"),
    ],
)
def test_a_changed_time_stamp_fails_with_the_reason(
    authority: Authority, tmp_path: Path, name: str, wanted: str
) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    stamp_logs(archive)
    write_bundle(archive, POST, None, tmp_path / "out.zip", now=NOW)
    with zipfile.ZipFile(tmp_path / "out.zip") as opened, zipfile.ZipFile(tmp_path / "bad.zip", "w") as made:
        for one in opened.namelist():
            data = opened.read(one)
            if one == name:
                imprint = verify_bundle.read_stamp(data).imprint if one.endswith("tsr") else data[:4]
                data = data.replace(imprint, imprint[::-1])
            if name or not one.startswith("stamps/"):
                made.writestr(one, data)
    with pytest.raises(verify_bundle.Failure, match=wanted):
        lines_of(tmp_path / "bad.zip")


def test_reindex_knows_the_time_stamps_again(authority: Authority, tmp_path: Path) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    (done,) = stamp_logs(archive)
    log_rows.forget(archive.index.engine)
    assert [one for one in Reindexing(archive, now=lambda: NOW).run() if one] == []
    assert log_rows.first_stamp(archive.index.engine, done.log, 3) is not None
    assert stamp_logs(archive) == []


def test_a_time_stamp_that_another_machine_stored_is_taken(authority: Authority, tmp_path: Path) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    (first,) = stamp_logs(archive)
    stored = archive.store.read(f"stamps/{first.log}/{3:012d}.tsr")
    other = archived(tmp_path / "other", authority, store=archive.store.location)
    list(Reindexing(other, now=lambda: NOW).run())
    with transaction(other.index.engine) as connection:
        connection.exec_driver_sql("DELETE FROM log_stamps")
    assert stamp_logs(other) == [first]
    assert archive.store.read(f"stamps/{first.log}/{3:012d}.tsr") == stored


# -- authorities that are no use


def _refused(_request: bytes) -> bytes:
    return bytes.fromhex("30053003020102")  # PKIStatus 2: rejection


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (lambda _: b"", "gives no valid time stamp"),
        (lambda _: b"<html>busy</html>", "gives no valid time stamp"),
        (_refused, "gives no valid time stamp"),
        (lambda _: b"0" * 100_000, "its response is too long"),
    ],
)
def test_an_authority_that_talks_nonsense_is_named_in_one_line(
    authority: Authority, tmp_path: Path, answer: Any, wanted: str
) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    authority.answer = answer
    with pytest.raises(TimeStampError, match=wanted) as found:
        stamp_logs(archive)
    assert str(found.value).startswith(authority.url)
    assert "\n" not in str(found.value)
    assert list(archive.store.keys("stamps/")) == []
    authority.answer = authority.reply
    assert len(stamp_logs(archive)) == 1, "nothing is lost"


def test_the_answer_to_another_request_is_refused(authority: Authority, tmp_path: Path) -> None:
    archive = archived(tmp_path / "home", authority)
    page(archive)
    kept: list[bytes] = []

    def again(request: bytes) -> bytes:
        kept.append(authority.reply(request))
        return kept[0]

    authority.answer = again
    stamp_logs(archive)
    with pytest.raises(TimeStampError, match="something else"):
        client.Authority(authority.url, authority.roots).stamp(b"other bytes")
    note = log_rows.newest(archive.index.engine, next(iter(log_rows.heads(archive.index.engine))))
    assert note
    said = read_commit(archive.store, archive.index, note).note
    with pytest.raises(TimeStampError, match="another request"):
        client.Authority(authority.url, authority.roots).stamp(said.encode())


def test_an_authority_with_other_roots_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    with Authority(folder) as second:
        archive = archived(tmp_path / "home", authority, timestamp_roots=second.roots)
        page(archive)
        with pytest.raises(TimeStampError, match="gives no valid time stamp"):
            stamp_logs(archive)
    open_to_all = archived(tmp_path / "home", authority, timestamp_roots=None)
    assert len(stamp_logs(open_to_all)) == 1


def test_settings_that_cannot_be_used_are_named(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="PRESSMARK_TIMESTAMP_ROOTS"):
        client.Authority(authority.url, tmp_path / "none.pem")
    archive = archived(tmp_path / "home", authority)
    page(archive)
    load = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name == "archive.evidence.authority":
            raise ModuleNotFoundError("No module named 'rfc3161_client'", name="rfc3161_client")
        return load(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match="rfc3161_client is not installed") as found:
        stamp_logs(archive)
    assert "pressmark[timestamps]" in (found.value.hint or "")


def test_an_authority_that_is_down_never_holds_up_a_commit(home: Home, authority: Authority) -> None:
    archive = archived(home.path, None)
    done = home.pressmark("stamp")
    assert (done.code, done.err) == (0, "no time stamp authority is set\n")
    home.settings |= {"PRESSMARK_TIMESTAMP_AUTHORITY": "http://127.0.0.1:9/tsr"}
    page(archived(home.path, authority, timestamp_authority="http://127.0.0.1:9/tsr"))
    assert len(archive.index.objects()) == 2
    done = home.pressmark("stamp")
    assert done.code == 1
    error, hint = done.err.splitlines()
    assert "http://127.0.0.1:9/tsr: cannot be reached" in error
    assert "the log is complete without it" in hint.lower()
    authority.status = 503
    home.settings |= {"PRESSMARK_TIMESTAMP_AUTHORITY": authority.url}
    assert "answers with status 503" in home.pressmark("stamp").err
    authority.status = 200
    done = home.pressmark("stamp", "--json")
    assert (done.code, json.loads(done.out)["size"]) == (0, 3)
    assert home.pressmark("stamp").out == "nothing to stamp\n"
    home.settings |= {"PRESSMARK_TIMESTAMP_AUTHORITY": "ftp://x"}
    assert home.pressmark("stamp").code == 2
