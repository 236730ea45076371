"""What a crawl left in the spool: outages wait, only a batch's own fault sets it aside, and the operator is told."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import Home
from sample.blogs import TIDE
from sample.server import Answer, Site
from sqlalchemy import text
from sqlalchemy.engine import make_url

from archive.archive import Archive
from archive.errors import ArchiveError
from archive.runtime.database import connect
from archive.settings import ArchiveSettings
from schedules.health import parts
from schedules.runs import Runs


def run(url: str, *commands: str) -> None:
    engine = connect(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for command in commands:
            connection.execute(text(command))
    engine.dispose()


def spool(home: Home) -> list[str]:
    folder = home.path / "spool"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def alarms(home: Home) -> list[dict[str, str]]:
    return [json.loads(line) for line in home.pressmark("alarms", "--json").out.splitlines()]


READ_ONLY = ("ALTER DATABASE {name} SET default_transaction_read_only = on",), (
    "SET default_transaction_read_only = off", "ALTER DATABASE {name} RESET ALL",
)  # fmt: skip
USED_UP = (
    ("SELECT setval('objects_id_seq', seqmax) FROM pg_sequence WHERE seqrelid = 'objects_id_seq'::regclass",),
    ("SELECT setval('objects_id_seq', 1 + (SELECT coalesce(max(id), 0) FROM objects))",),
)
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"


@pytest.mark.parametrize(("begin", "end"), [READ_ONLY, USED_UP], ids=["a standby", "a sequence is used up"])
def test_a_database_that_cannot_write_for_a_while_costs_nothing(
    home: Home, site: Site, postgres_database: str, begin: tuple[str, ...], end: tuple[str, ...]
) -> None:
    home.settings |= {"PRESSMARK_DATABASE": postgres_database, "PRESSMARK_OUTAGE_SECONDS": "0"}
    name = make_url(postgres_database).database or ""
    site.pages.update(TIDE.pages(site.url))
    path = next(path for path in site.pages if path.startswith("/20"))
    page = site.pages[path]
    assert isinstance(page, Answer)
    begun: list[str] = []

    def fail_over(headers: dict[str, str]) -> Answer:
        if not begun:
            begun.append(path)
            run(postgres_database, *(command.format(name=name) for command in (*begin, CUT)))
        return page

    site.pages[path] = fail_over
    assert home.crawl(f"url={site.url}/").code == 1
    waiting = spool(home)
    assert any(one.startswith("warc-") for one in waiting)
    sealed = home.pressmark("seal")
    assert sealed.code == 1
    assert "Traceback" not in sealed.err
    assert spool(home) == waiting, "it waits, as it is"
    run(postgres_database, *(command.format(name=name) for command in end))
    assert home.pressmark("seal").code == 0
    assert spool(home) == []
    assert home.pressmark("get", site.url + path).code == 0
    assert home.pressmark("verify").code == 0
    assert alarms(home) == []


def taken(home: Home, site: Site) -> str:
    """A batch in the spool, in whose place the store has an object with other bytes; returns its name."""
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/").code == 0
    name = "pressmark-20260101000000000000-00000000"
    (home.path / "spool" / f"warc-{name}.warc.gz").write_bytes(home.objects("warc")[0].read_bytes())
    held = home.path / "store" / "warc" / "2026" / "01" / "01"
    held.mkdir(parents=True)
    (held / f"{name}.warc.gz").write_bytes(b"other bytes")
    return name


def test_what_is_set_aside_is_told_until_it_is_committed(home: Home, site: Site) -> None:
    name = taken(home, site)
    sealed = home.pressmark("seal")
    assert sealed.code == 1
    assert "pressmark seal --again tries it again" in sealed.err
    assert spool(home) == [f"aside/reason-{name}.json", f"aside/warc-{name}.warc.gz"]
    (alarm,) = alarms(home)
    assert alarm["kind"] == "aside"
    assert "holds other bytes" in alarm["detail"]
    archive = Archive.open(ArchiveSettings(home=home.path))
    check = parts(archive, Runs.open(archive.settings.database))["spool"]
    with pytest.raises(ArchiveError, match=r"1 batch set aside in .*aside: .*other bytes.*seal --again"):
        check()

    assert home.pressmark("seal").code == 0, "it does not come back by itself"
    assert len(alarms(home)) == 1, "nor is it told twice"
    again = home.pressmark("seal", "--again")
    assert (again.code, again.out) == (0, "committed 1 batches\n"), again.err
    check()
    assert alarms(home) == []
    assert spool(home) == []


def test_a_crawl_goes_on_after_it_has_set_a_batch_aside(home: Home, site: Site) -> None:
    taken(home, site)
    done = home.crawl(f"url={site.url}/")
    assert (done.code, done.out[:33]) == (0, "kept 0 new posts; 1 feed visited "), done.err
    assert [alarm["kind"] for alarm in alarms(home)] == ["aside"]


def test_imports_that_were_set_aside_are_tried_again_as_well(home: Home, site: Site) -> None:
    name = taken(home, site).replace("pressmark", "import")
    folder = home.path / "spool" / "aside"
    folder.mkdir()
    for path in (home.path / "spool").glob("warc-*"):
        path.rename(folder / f"warc-{name}.warc.gz")
    again = home.pressmark("seal", "--again")
    assert (again.code, again.out) == (0, "committed 1 batches\n"), again.err
    assert spool(home) == []


@pytest.mark.parametrize("command", ["seal", "crawl"])
def test_damage_in_the_spool_ends_with_exit_code_4_and_the_rest_is_committed(
    home: Home, site: Site, command: str
) -> None:
    site.pages.update(TIDE.pages(site.url))
    assert home.crawl(f"url={site.url}/").code == 0
    data = bytearray(home.objects("warc")[0].read_bytes())
    data[len(data) // 2] ^= 8
    shutil.rmtree(home.path / "store")
    (home.path / "pressmark.db").unlink()
    path = home.path / "spool" / "warc-pressmark-20260101000000000000-00000000.warc.gz"
    path.write_bytes(data)
    done = home.pressmark("seal") if command == "seal" else home.crawl(f"url={site.url}/")
    assert done.code == 4, done.err
    assert "damaged spool file: bytes " in done.err
    assert spool(home) == [f"damaged/{path.name}"]
    assert home.pressmark("verify").code == 0
    assert home.pressmark("history", f"{site.url}/").code == 0
