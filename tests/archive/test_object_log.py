"""The log of sealed objects: one leaf each, continued and never forked, whatever is killed or lost."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sample.archives import capture
from sample.services import S3
from sqlalchemy import text as sql

from archive.archive import Archive
from archive.errors import DatabaseError, SpoolError, StoreBusyError
from archive.evidence.log_object import LogCommit, commits_of, read_name
from archive.evidence.signing_key import signing_key
from archive.evidence.tree import leaf_hash, root_of
from archive.extract.text import Text
from archive.index import log_rows
from archive.maintenance import join_logs as join_module
from archive.maintenance.compact import Compaction
from archive.maintenance.join_logs import FEWEST, join_logs
from archive.maintenance.reindex import Reindexing
from archive.maintenance.verification import Verification
from archive.maintenance.verify import Finding
from archive.runtime.database import transaction
from archive.settings import ArchiveSettings
from archive.writer.batch import Sealed
from archive.writer.log_catch_up import catch_up

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=3)
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)


def opened(home: Path, store: Path, database: str = "") -> Archive:
    return Archive.open(ArchiveSettings(home=home, store=f"file:{store}", database=database))


@pytest.fixture
def archive(tmp_path: Path, database: str) -> Archive:
    return opened(tmp_path / "home", tmp_path / "store", database)


@pytest.fixture
def small(tmp_path: Path) -> Archive:
    """The same in SQLite only."""
    return opened(tmp_path / "home", tmp_path / "store")


def sealed(archive: Archive, number: int = 0) -> Sealed:
    """A batch with a page and its text."""
    url = f"http://blog.example/{number}"
    made = archive.writer.batch(now=BEGAN + timedelta(minutes=number))
    made.add_text(
        made.add(capture(number, b"<p>%d</p>" % number, url=url)),
        Text(url=url, text=f"words {number}", markdown=f"words {number}", title="T"),
    )
    return made.seal()


def committed(archive: Archive, count: int, begin: int = 0) -> list[Sealed]:
    found = [sealed(archive, begin + n) for n in range(count)]
    for one in found:
        archive.writer.commit_and_release(one)
    return found


def keys_of(batches: list[Sealed]) -> list[str]:
    return [row.key for one in batches for row, _ in one.files]


def log_keys(archive: Archive) -> list[str]:
    return sorted(archive.store.keys("log/"))


def logs(archive: Archive) -> dict[str, list[LogCommit]]:
    """The commits of each log as the store has them; each log must be whole, from its first leaf on."""
    found: dict[str, list[LogCommit]] = {}
    names = sorted(filter(None, map(read_name, archive.store.keys("log/"))))
    for name in dict.fromkeys(one.log for one in names):
        data = b"".join(archive.store.read(one.key) for one in names if one.log == name)
        commits = [commit for _, commit in commits_of(data, log=name)]
        assert commits[0].first == 0
        hashes = [leaf_hash(entry.leaf.encode()) for commit in commits for entry in commit.entries]
        assert commits[-1].grown()[0].root == root_of(hashes)
        found[name] = commits
    return found


def leaves(archive: Archive) -> list[str]:
    """Keys of the objects in all logs of the store, those of one log in order."""
    found = [entry.object for one in logs(archive).values() for commit in one for entry in commit.entries]
    return [key for key in found if key]


def known(archive: Archive) -> dict[str, int]:
    return {name: head.edge.size for name, head in log_rows.heads(archive.index.engine).items()}


def findings(archive: Archive) -> list[Finding]:
    run = Verification(archive, checks={}, now=lambda: LATER)
    chosen = run.chosen(1.0)
    found = [one for row in chosen.rows for one in run.row(row)]
    return [*found, *(one for key in chosen.others for one in run.other(key)), *run.end(chosen)]


# -- what a commit adds


def test_each_object_has_one_leaf_and_a_commit_one_more_object(archive: Archive) -> None:
    batches = committed(archive, 3)
    assert leaves(archive) == keys_of(batches)
    assert len(log_keys(archive)) == 3
    (name,) = logs(archive)
    assert known(archive) == {name: 7}
    entries = {
        entry.object: json.loads(entry.leaf)
        for commits in logs(archive).values()
        for commit in commits
        for entry in commit.entries
    }
    named = {key for key in entries if key}
    assert log_rows.logged(archive.index.engine, named).keys() == named
    for one in batches:
        for row, _ in one.files:
            leaf = entries[row.key]
            assert (leaf["sha256"], leaf["bytes"]) == (row.sha256, row.length)
            assert leaf["members"] == (4 if row.key.startswith("warc/") else 3)


def test_the_hashes_of_records_are_the_same_whether_they_were_written_or_recovered(small: Archive) -> None:
    committed(small, 1)
    made = small.writer.batch(now=BEGAN + timedelta(hours=1))
    made.add(capture(1, b"<p>left behind</p>", url="http://blog.example/left"))
    wanted = made.seal().members
    made.abandon()
    done = small.writer.commit_leftovers("pressmark")
    assert done.committed == 1
    last = next(iter(logs(small).values()))[-1]
    assert {entry.object: entry.members for entry in last.entries} == wanted


def test_a_commit_that_is_repeated_adds_nothing(archive: Archive) -> None:
    one, two = sealed(archive), sealed(archive, 1)
    for batch in (one, one, two, one, two):
        archive.writer.commit(batch)
    assert leaves(archive) == keys_of([one, two])
    assert len(log_keys(archive)) == 2


def test_a_commit_that_dies_behind_its_log_object_is_continued(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = sealed(archive), sealed(archive, 1), sealed(archive, 2)
    archive.writer.commit(first)
    with monkeypatch.context() as patch:

        def dies(*_: object, **__: object) -> None:
            raise DatabaseError("gone", url="test", temporary=True)

        patch.setattr(log_rows, "add", dies)
        with pytest.raises(DatabaseError, match="gone"):
            archive.writer.commit(second)
    assert len(log_keys(archive)) == 2
    assert list(known(archive).values()) == [3]
    # Another process of this machine is faster.
    other = opened(tmp_path / "home", tmp_path / "store", archive.settings.database)
    other.writer.commit(third)
    archive.writer.commit(second)
    assert leaves(archive) == keys_of([first, second, third])
    assert findings(archive) == []


def test_a_commit_that_dies_behind_its_leaves_adds_no_second_one(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sealed(archive)
    with monkeypatch.context() as patch:

        def dies(*_: object, **__: object) -> None:
            raise DatabaseError("gone", url="test", temporary=True)

        patch.setattr(archive.writer.index, "add", dies)
        with pytest.raises(DatabaseError, match="gone"):
            archive.writer.commit(batch)
    assert archive.index.objects() == []
    archive.writer.commit(batch)
    assert leaves(archive) == keys_of([batch])


def test_nothing_is_logged_before_it_is_durable(small: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = sealed(small)
    put = small.store.put

    def busy(key: str, source: bytes | Path) -> None:
        if key.startswith("text/"):
            raise StoreBusyError("busy", location="test")
        put(key, source)

    monkeypatch.setattr(small.store, "put", busy)
    with pytest.raises(StoreBusyError):
        small.writer.commit(batch)
    assert log_keys(small) == []
    monkeypatch.undo()
    small.writer.commit(batch)
    assert leaves(small) == keys_of([batch])


# -- several processes, several machines


def test_lanes_of_one_machine_share_a_log(archive: Archive, tmp_path: Path) -> None:
    lanes = [opened(tmp_path / "home", tmp_path / "store", archive.settings.database) for _ in range(4)]
    batches = [[sealed(one, 10 * n + k) for k in range(3)] for n, one in enumerate(lanes)]

    def run(lane: Archive, mine: list[Sealed]) -> None:
        for one in mine:
            lane.writer.commit_and_release(one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, lanes, batches))
    (commits,) = logs(archive).values()
    assert sorted(leaves(archive)) == sorted(key for mine in batches for key in keys_of(mine))
    assert commits[-1].end == 25
    assert findings(archive) == []


def test_machines_with_one_store_have_a_log_each(archive: Archive, tmp_path: Path) -> None:
    other = opened(tmp_path / "other", tmp_path / "store", archive.settings.database)
    batches = committed(archive, 2) + committed(other, 2, 10)
    assert len(logs(archive)) == 2
    assert sorted(leaves(archive)) == sorted(keys_of(batches))


def test_two_homes_with_a_copy_of_one_key_never_fork_its_log(tmp_path: Path) -> None:
    one = opened(tmp_path / "home", tmp_path / "store")
    committed(one, 1)
    copy = tmp_path / "copy" / "evidence"
    copy.mkdir(parents=True)
    (copy / "log.key").write_bytes((tmp_path / "home/evidence/log.key").read_bytes())
    two = opened(tmp_path / "copy", tmp_path / "store")
    batches = [*committed(two, 1, 10), *committed(one, 1, 20), *committed(two, 2, 30), *committed(one, 2, 40)]
    (commits,) = logs(one).values()
    assert set(keys_of(batches)) < set(leaves(one))
    assert commits[-1].end == 1 + 2 * 7


def test_a_log_in_s3_is_continued_joined_and_read_again(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.settings.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{s3.bucket}/log-{os.getpid()}"
    one = Archive.open(ArchiveSettings(home=tmp_path / "home", store=store))
    batches = committed(one, 1)
    copy = tmp_path / "copy" / "evidence"
    copy.mkdir(parents=True)
    (copy / "log.key").write_bytes((tmp_path / "home/evidence/log.key").read_bytes())
    two = Archive.open(ArchiveSettings(home=tmp_path / "copy", store=store))
    batches += [*committed(two, 1, 10), *committed(one, 2, 20), *committed(two, 1, 30)]
    assert catch_up(one.store, one.index, at=NOW) == []
    assert join_logs(one.store, one.index, now=LATER, enough=lambda: False).sources == 5
    assert len(log_keys(one)) == 1
    batches += committed(one, 1, 40)
    assert leaves(one) == keys_of(batches)
    assert len(logs(one)) == 1


# -- the key


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = {one.key.line() for one in pool.map(lambda _: signing_key(tmp_path / "evidence"), range(16))}
    assert len(found) == 1
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {"log.key", "log.pub"}
    assert (tmp_path / "evidence/log.pub").read_text().strip() in found
    assert stat.S_IMODE((tmp_path / "evidence/log.key").stat().st_mode) == 0o600


def test_a_key_that_is_none_stops_with_one_clear_line(small: Archive, tmp_path: Path) -> None:
    committed(small, 1)
    (tmp_path / "home/evidence/log.key").write_text("nonsense")
    with pytest.raises(SpoolError, match=r"log\.key: is not the key of a log"):
        small.writer.commit(sealed(small, 1))


def test_a_new_key_begins_a_log_that_names_the_end_of_the_one_before(archive: Archive, tmp_path: Path) -> None:
    committed(archive, 2)
    (before,) = logs(archive).items()
    (tmp_path / "home/evidence/log.key").unlink()
    committed(archive, 1, 10)
    found = logs(archive)
    (name,) = found.keys() - {before[0]}
    said = json.loads(found[name][0].entries[0].leaf)
    last = before[1][-1].grown()[0]
    assert said["log"] == found[name][0].key.line()
    assert said["after"] == [{"log": f"pressmark/log/{before[0]}", "size": 5, "root": last.root.hex()}]
    assert (tmp_path / "home/evidence/log.pub").read_text().strip() == said["log"]
    assert findings(archive) == []


# -- what is lost


def test_reindex_reads_the_logs_from_the_store_again(archive: Archive, tmp_path: Path) -> None:
    committed(archive, 5)
    before = known(archive), log_rows.commits(archive.index.engine, next(iter(logs(archive))))
    for home in (tmp_path / "home", tmp_path / "new"):
        again = opened(home, tmp_path / "store", archive.settings.database if home.name == "home" else "")
        assert [one for one in Reindexing(again, now=lambda: LATER).run() if one] == []
        assert known(again) == before[0]
        commits = log_rows.commits(again.index.engine, next(iter(logs(archive))))
        assert [replace(one, at=NOW) for one in commits] == [replace(one, at=NOW) for one in before[1]]


def test_a_database_that_was_dropped_continues_the_log(tmp_path: Path) -> None:
    first = committed(opened(tmp_path / "home", tmp_path / "store"), 3)
    (tmp_path / "home/pressmark.db").unlink()
    archive = opened(tmp_path / "home", tmp_path / "store")
    second = committed(archive, 1, 10)
    assert leaves(archive) == keys_of([*first, *second])
    assert len(logs(archive)) == 1


def test_a_database_that_is_older_than_the_store_learns_what_it_missed(small: Archive, tmp_path: Path) -> None:
    committed(small, 2)
    old = (tmp_path / "home/pressmark.db").read_bytes()
    committed(small, FEWEST + 1, 10)
    join_logs(small.store, small.index, now=LATER, enough=lambda: False)
    small.index.engine.dispose()
    for path in (tmp_path / "home").glob("pressmark.db*"):
        path.unlink()
    (tmp_path / "home/pressmark.db").write_bytes(old)
    archive = opened(tmp_path / "home", tmp_path / "store")
    with transaction(archive.index.engine) as connection:  # the copy was made long ago
        connection.execute(sql("UPDATE logs SET at = at - 86400000001"))
    committed(archive, 1, 50)
    assert len(logs(archive)) == 1
    assert len(leaves(archive)) == 2 * (2 + FEWEST + 1 + 1)


def test_a_log_that_cannot_be_continued_ends_and_another_begins(small: Archive, tmp_path: Path) -> None:
    committed(small, 1)
    (name,) = logs(small)
    # Something else is where the next leaf belongs.
    small.store.put(f"log/{name}/{3:012d}.jsonl", b"{}\n")
    batches = committed(small, 2, 10)
    added = log_rows.logged(small.index.engine, keys_of(batches))
    assert len(added) == 4
    (other,) = {row.log for row in added.values()}
    assert other != name
    first = log_rows.commits(small.index.engine, other)[0]
    said = json.loads(small.store.read(first.key))["leaves"][0]["leaf"]
    assert [one["size"] for one in json.loads(said)["after"]] == [3]
    assert (tmp_path / f"home/evidence/log-{name}.key").exists()
    assert [(one.kind, one.key) for one in findings(small)] == [("damaged", f"log/{name}/{3:012d}.jsonl")]


def test_a_database_without_rows_does_not_fork_a_log_that_it_cannot_read(tmp_path: Path) -> None:
    archive = opened(tmp_path / "home", tmp_path / "store")
    committed(archive, FEWEST)
    join_logs(archive.store, archive.index, now=LATER, enough=lambda: False)
    (key,) = log_keys(archive)
    path = tmp_path / "store" / key
    path.write_bytes(path.read_bytes()[:-10])
    log_rows.forget(archive.index.engine)
    committed(archive, 1, 10)
    (old,) = {one.log for one in map(read_name, [key]) if one}
    assert [one for one in log_keys(archive) if one.startswith(f"log/{old}/")] == [key]


# -- verify


def test_verify_reads_the_log(small: Archive, tmp_path: Path) -> None:
    committed(small, 3)
    assert findings(small) == []
    keys = log_keys(small)
    path = tmp_path / "store" / keys[1]
    data = path.read_bytes()
    path.write_bytes(data.replace(b'\\"bytes\\":', b'\\"bytes\\":1', 1))
    (found,) = findings(small)
    assert (found.kind, found.key, found.reason) == (
        "damaged",
        keys[1],
        "its leaves are not those of its checkpoint",
    )
    path.unlink()
    (found,) = findings(small)
    assert (found.kind, found.key) == ("missing", keys[1])
    assert found.reason == "no such object: leaves 3 to 4 are in the database only"


def test_verify_compares_objects_with_their_leaves(small: Archive, tmp_path: Path) -> None:
    """Somebody changes an object, and what the index says of it too."""
    (batch,) = committed(small, 1)
    row = batch.files[0][0]
    path = tmp_path / "store" / row.key
    (other,) = committed(small, 1, 10)
    path.write_bytes((tmp_path / "store" / other.files[0][0].key).read_bytes())
    with transaction(small.index.engine) as connection:
        values = {"sha256": other.files[0][0].sha256, "length": other.files[0][0].length, "key": row.key}
        connection.execute(sql("UPDATE objects SET sha256 = :sha256, length = :length WHERE key = :key"), values)
    found = [one for one in findings(small) if one.key == row.key and one.kind == "damaged"]
    assert [one.reason for one in found] == [f"the index says otherwise than its leaf in log {next(iter(logs(small)))}"]


# -- joining


def test_old_log_objects_become_one_and_nothing_else_changes(archive: Archive) -> None:
    committed(archive, 6)
    (name,) = logs(archive)
    before, rows = logs(archive), log_rows.commits(archive.index.engine, name)
    assert join_logs(archive.store, archive.index, now=NOW, enough=lambda: False).sources == 0
    done = join_logs(archive.store, archive.index, now=LATER, enough=lambda: False)
    assert (done.sources, done.joined, done.wrong) == (6, 1, None)
    assert log_keys(archive) == [f"log/{name}/{0:012d}-{13:012d}.jsonl"]
    assert logs(archive) == before
    for row, moved in zip(rows, log_rows.commits(archive.index.engine, name), strict=True):
        line = archive.store.read(moved.key, moved.offset, moved.length)
        assert commits_of(line)[0][1].end == row.size
    assert findings(archive) == []
    committed(archive, 1, 10)
    assert len(leaves(archive)) == 14
    assert findings(archive) == []


def test_what_was_joined_is_joined_again_and_read_again(small: Archive, tmp_path: Path) -> None:
    for n in range(FEWEST):
        committed(small, FEWEST, 10 * n)
        compaction = Compaction(small, now=lambda: LATER)
        compaction.run()
        assert compaction.tally.log_objects == FEWEST + bool(n)
    assert len(log_keys(small)) < FEWEST
    whole = leaves(small)
    assert len(whole) == 2 * FEWEST * FEWEST
    again = opened(tmp_path / "again", tmp_path / "store")
    assert catch_up(again.store, again.index, at=NOW) == []
    assert known(again) == known(small)


@pytest.mark.parametrize("step", ["move", "delete"])
def test_a_join_that_dies_is_cleaned_away_by_the_next(
    small: Archive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    committed(small, 5)
    before = logs(small)
    with monkeypatch.context() as patch:

        def dies(*_: object, **__: object) -> None:
            raise DatabaseError("gone", url="test", temporary=True)

        if step == "move":
            patch.setattr(join_module.log_rows, "move", dies)
        else:
            patch.setattr(small.store, "delete", dies)
        with pytest.raises(DatabaseError):
            join_logs(small.store, small.index, now=LATER, enough=lambda: False)
    assert len(log_keys(small)) == 6
    committed(small, 1, 10)  # the joined object would have another name now
    join_logs(small.store, small.index, now=LATER, enough=lambda: False)
    assert len(log_keys(small)) <= 2
    (name,) = logs(small)
    assert logs(small)[name][:5] == before[name]
    assert findings(small) == []


def test_a_damaged_log_object_is_not_joined(small: Archive, tmp_path: Path) -> None:
    committed(small, 5)
    keys = log_keys(small)
    path = tmp_path / "store" / keys[2]
    path.write_bytes(path.read_bytes()[:-5])
    compaction = Compaction(small, now=lambda: LATER)
    compaction.run()
    assert log_keys(small) == keys
    (reason,) = (one.reason for one in compaction.tally.left_out.values())
    assert "it was to be joined with 4 others" in reason
