"""One `verify` names everything that is damaged, missing or misplaced, and nothing else."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest
from conftest import Home
from sample.archives import unmodified
from test_archive import T0, capture

from archive.archive import Archive
from archive.extract.text import Text
from archive.maintenance.verify import unknown, verify
from archive.settings import ArchiveSettings

BATCHES = 65


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """130 objects: in each batch two captures, a revisit and two texts."""
    made = Archive.open(ArchiveSettings(home=tmp_path_factory.mktemp("archive")))
    for n in range(BATCHES):
        batch = made.writer.batch(now=T0)
        rows = []
        for m in range(2):
            row = batch.add(capture(n, b"<p>%d %d</p>" % (n, m) * 20, url=f"http://blog.example/{n}/{m}"))
            rows.append(row)
            batch.add_text(row, Text(url=row.url, text=f"text {n} {m}", markdown="x", title="T"))
        batch.add(unmodified(capture(n + 0.5, b"", 304, url=rows[0].url), rows[0].record))
        sealed = batch.seal()
        made.writer.commit(sealed)
        made.writer.release(sealed)
    return made


def findings(archive: Archive) -> list[tuple[str, str]]:
    known = archive.index.objects()
    found = [finding for row in known for finding in verify(archive.store, archive.index, row)]
    found += unknown(archive.store, [row.key for row in known])
    return sorted((finding.kind, finding.key) for finding in found)


def test_nothing_is_wrong_with_what_was_written(archive: Archive) -> None:
    assert len(archive.index.objects()) == 2 * BATCHES
    assert findings(archive) == []


def test_every_damage_is_named_and_nothing_else(archive: Archive) -> None:
    chance = random.Random(5)
    store = Path(archive.store.location.removeprefix("file:"))
    keys = [row.key for row in archive.index.objects()]
    chance.shuffle(keys)
    flipped, cut, gone, altered = keys[:100], keys[100:110], keys[110:120], keys[120:130]
    for key in flipped:
        data = bytearray((store / key).read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (store / key).write_bytes(data)
    for key in cut:
        data = (store / key).read_bytes()
        (store / key).write_bytes(data[: chance.randrange(len(data))])
    for key in gone:
        (store / key).unlink()
    with sqlite3.connect(archive.settings.home / "pressmark.db") as database:
        for n, key in enumerate(altered):
            number = database.execute("SELECT id FROM objects WHERE key = ?", (key,)).fetchone()[0]
            table = "captures" if key.startswith("warc") else "texts"
            change = (
                "offset = offset + 1",
                "length = length - 1",
                "digest = 'sha1:A'",
                "date = date + 1",
                "url = url || 'x'",
            )[n % 5]
            database.execute(
                f"UPDATE {table} SET {change} WHERE record = (SELECT record FROM {table} WHERE object_id = ? LIMIT 1)",
                (number,),
            )
    (store / "warc" / "stranger.warc.gz").write_bytes(b"?")
    wanted = [("damaged", key) for key in (*flipped, *cut)] + [("missing", key) for key in gone]
    wanted += [("index", key) for key in altered] + [("unknown", "warc/stranger.warc.gz")]
    assert findings(archive) == sorted(wanted)


def test_the_command_names_damage_and_ends_with_code_4(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    made = Archive.open(ArchiveSettings(home=home.path))
    batch = made.writer.batch(now=T0)
    batch.add(capture())
    sealed = batch.seal()
    made.writer.commit(sealed)
    made.writer.release(sealed)
    good = home.pressmark("verify")
    assert (good.code, good.out.startswith("verified 1 of 1 objects,")) == (0, True)
    assert home.pressmark("verify", "--sample", "5%").code == 0
    path = home.objects("warc")[0]
    path.write_bytes(path.read_bytes()[:-5])
    bad = home.pressmark("verify", "--json")
    lines = [json.loads(line) for line in bad.out.splitlines()]
    assert bad.code == 4
    assert (lines[0]["kind"], lines[0]["object"]) == ("damaged", sealed.files[0][0].key)
    assert lines[-1]["damaged"] == 1
    wrong = home.pressmark("verify", "--sample", "lots")
    assert (wrong.code, "'lots' is not a percentage" in wrong.err) == (2, True)
