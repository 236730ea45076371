"""Clients of web archives that others wrote, as they are, on one server; runs in an environment of its own.

Usage: clients.py NAME BASE URL. Prints what the client found as JSON.
"""

import datetime as dt
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
BASE, URL = sys.argv[2], sys.argv[3]
MIDDLE = dt.datetime(2026, 5, 1, 18, 0)  # noqa: DTZ001  the clients want it so


def memento_client():
    import requests
    from memento_client import MementoClient

    live = requests.Response()  # it asks the live site first, which is not there
    live.status_code, live.url = 200, URL
    client = MementoClient(timegate_uri=f"{BASE}/web/", check_native_timegate=False)
    found = client.get_memento_info(URL, MIDDLE, req_uri_response=live)["mementos"]
    return {name: str(found[name]["datetime"]) for name in ("first", "last", "closest")} | {
        "uri": found["closest"]["uri"][0]
    }


def edgi():
    import wayback._client as client
    import wayback._utils as utils

    client.CDX_SEARCH_URL = f"{BASE}/cdx/search/cdx"
    utils.MEMENTO_URL_TEMPLATE = BASE + "/web/{timestamp}{mode}/{url}"
    utils.MEMENTO_URL_PATTERN = re.compile("^" + re.escape(BASE) + r"/web/(\d+)(\w\w_)?/(.+)$")
    session = client.WaybackClient()
    records = list(session.search(URL, limit=2))  # more pages than one
    mementos = [session.get_memento(record) for record in records]
    return {
        "stamps": [record.timestamp.strftime("%Y%m%d%H%M%S") for record in records],
        "bodies": [memento.text for memento in mementos],
        "status": [memento.status_code for memento in mementos],
        "server": [memento.headers.get("Server") for memento in mementos],
    }


def cdx_toolkit():
    import cdx_toolkit as toolkit

    by_web = toolkit.CDXFetcher(source=f"{BASE}/cdx/search/cdx", wb=f"{BASE}/web")
    found = by_web.get(URL, limit=5)
    by_file = toolkit.CDXFetcher(source=f"{BASE}/outback", warc_download_prefix=f"{BASE}/warcs")
    one = by_file.get(URL, limit=1)[0]
    return {
        "stamps": [one["timestamp"] for one in found],
        "bodies": [one.content.decode() for one in found],
        "all": len(list(by_web.iter("blog.example", matchType="domain", limit=50))),
        "size": by_web.get_size_estimate("blog.example/*", as_pages=True),
        "record": one.fetch_warc_record().rec_headers.get_header("WARC-Target-URI"),
        "payload": one.content.decode(),
    }


def waybackpy():
    from waybackpy import WaybackMachineAvailabilityAPI, WaybackMachineCDXServerAPI

    def cdx(url, **options):
        made = WaybackMachineCDXServerAPI(url, "tests", **options)
        made.endpoint = f"{BASE}/cdx/search/cdx"
        return made

    availability = WaybackMachineAvailabilityAPI(URL, "tests")
    availability.endpoint = f"{BASE}/wayback/available"
    return {
        "stamps": [one.timestamp for one in cdx(URL, limit=2).snapshots()],
        "domain": len(list(cdx("blog.example", match_type="domain", limit=1).snapshots())),
        "near": cdx(URL).near(year=2026, month=5, day=1, hour=18).timestamp,
        "newest": cdx(URL).newest().timestamp,
        "oldest": cdx(URL).oldest().timestamp,
        "available": availability.near(year=2026, month=5, day=1, hour=18).archive_url,
    }


def cdxsummary():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cdxsummary")), "-j", "-a", "matchType=domain", "blog.example"],
        capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "CDXAPI": f"{BASE}/cdx/search/cdx", "REPLAYURL": f"{BASE}/web"},
    )  # fmt: skip
    told = json.loads(done.stdout)
    return {"captures": told["captures"], "urls": told["urls"]}


CLIENTS = {run.__name__: run for run in (memento_client, edgi, cdx_toolkit, waybackpy, cdxsummary)}
print(json.dumps(CLIENTS[sys.argv[1]]()))
