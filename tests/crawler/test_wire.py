"""What is stored is what crossed the wire."""

from __future__ import annotations

import gzip
import io
import ssl
import subprocess
import zlib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import Home
from sample.raw import RawSite

from archive.warc import record as warc
from archive.warc.http_message import split_head

HTML = b"<html><head><title>T</title></head><body>" + b"<p>hello archive \xc3\xa9</p>" * 200 + b"</body></html>"
PACKED = gzip.compress(HTML, 6, mtime=0)


def chunked(body: bytes, trailer: bytes = b"") -> bytes:
    out, sizes, at, turn = b"", (7, 1, 300, 64), 0, 0
    while at < len(body):
        part = body[at : at + sizes[turn % 4]]
        out += b"%X%s\r\n%s\r\n" % (len(part), b";x=y" if turn == 1 else b"", part)
        at += len(part)
        turn += 1
    return out + b"0\r\n" + trailer + b"\r\n"


def plain(status: bytes, *headers: bytes, body: bytes = HTML) -> bytes:
    lines = (b"HTTP/1.1 " + status, b"Content-Type: text/html", *headers, b"Content-Length: %d" % len(body), b"", b"")
    return b"\r\n".join(lines) + body


ODD = plain(
    b"200 OK", b"x-zeta: 1", b"DATE: Sun, 22 Nov 2026 00:00:00 GMT", b"Set-Cookie: a=1", b"X-NoSpace:v",
    b"X-Trail:  padded \t", b"X-Latin: caf\xe9", b"set-cookie: b=2",
)  # fmt: skip
CHUNKED_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
)
FULL = plain(b"200 OK")

CASES = {
    "/odd": (ODD, ODD),
    "/gzip": (plain(b"200 OK", b"Content-Encoding: gzip", body=PACKED),) * 2,
    "/chunked": (
        CHUNKED_HEAD + chunked(PACKED, b"X-Sum: 9\r\n"),
        CHUNKED_HEAD.replace(b"Transfer-Encoding", b"X-Archive-Orig-Transfer-Encoding") + PACKED,
    ),
    "/early": (b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n" + FULL, FULL),
    "/no-reason": (plain(b"200"),) * 2,
    "/odd-reason": (plain(b"200 D'accord\xc3\xa9"),) * 2,
    "/folded": (plain(b"200 OK", b"X-Fold: one\r\n two"),) * 2,
    "/missing": (plain(b"404 Nope Nope", body=b"gone"),) * 2,
    "/empty": (plain(b"200 OK", body=b""),) * 2,
    "/close": (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML,) * 2,
    "/short": (FULL.replace(b"%d" % len(HTML), b"%d" % (len(HTML) + 500)),) * 2,
    "/two-interim": (
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n" + FULL,
        FULL,
    ),
    "/bare-line-feeds": (FULL.replace(b"\r\n", b"\n"),) * 2,
    "/tab-fold": (plain(b"200 OK", b"X-Fold: one\r\n\ttwo\r\n   three"),) * 2,
    "/same-twice": (plain(b"200 OK", b"X-Same: 1", b"x-same: 1", b"X-SAME: 1"),) * 2,
    "/empty-value": (plain(b"200 OK", b"X-Empty:", b"X-Blank:   ", b"X-Colon: a:b:c"),) * 2,
    "/long-header": (plain(b"200 OK", b"X-Long: " + b"y" * 8_000),) * 2,
    "/many-headers": (plain(b"200 OK", *(b"X-%d: %d" % (n, n) for n in range(200))),) * 2,
    "/bytes-in-header": (plain(b"200 OK", b"X-Bytes: \x80\xff\xfe", "X-Utf: žluťoučký".encode()),) * 2,
    "/spaced-status": (plain(b"200   OK  then "),) * 2,
    "/lower-version": (FULL.replace(b"HTTP/1.1", b"HTTP/1.0"),) * 2,
    "/wrong-coding": (plain(b"200 OK", b"Content-Encoding: gzip"),) * 2,
    "/unknown-coding": (plain(b"200 OK", b"Content-Encoding: x-snow"),) * 2,
    "/torn-gzip": (plain(b"200 OK", b"Content-Encoding: gzip", body=PACKED[:-20]),) * 2,
    "/deflate": (plain(b"200 OK", b"Content-Encoding: deflate", body=zlib.compress(HTML)),) * 2,
    "/nul": (plain(b"200 OK", body=b"\x00\x01<p>nul</p>\xff" * 40),) * 2,
    "/odd-case-chunks": (
        b"HTTP/1.1 200 OK\r\ntransfer-ENCODING: Chunked\r\nContent-Type: text/html\r\n\r\n" + chunked(HTML),
        b"HTTP/1.1 200 OK\r\nX-Archive-Orig-transfer-ENCODING: Chunked\r\nContent-Type: text/html\r\n\r\n" + HTML,
    ),
    "/redirect-to-full": (
        b"HTTP/1.1 302 Found elsewhere\r\nlocation:/early\r\nX-Z: 1\r\nContent-Length: 4\r\n\r\nmove",
    )
    * 2,
    "/gone": (plain(b"410 So long", body=b"so long"),) * 2,
    "/teapot": (plain(b"418 I'm a teapot", body=b"teapot"),) * 2,
    "/unavailable": (plain(b"503 Later", b"Retry-After: 0", body=b"later"),) * 2,
    "/long-status": (plain(b"99999999999999999999 OK"),) * 2,
    "/mixed-line-ends": (FULL.replace(b"\r\n\r\n", b"\r\n\n") + b"",) * 2,
    "/blank-line-in-body": (plain(b"200 OK", body=b"<p>one</p>\r\n\r\n<p>two</p>").replace(b"\r\n", b"\n", 3),) * 2,
    "/line-feeds-then-blank": (
        b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 20\n\r\n<p>a</p>\n\n<p>b</p>..",
    )
    * 2,
    "/no-content": (b"HTTP/1.1 204 Nothing here\r\nX-Why: none\r\n\r\n",) * 2,
    "/close-empty": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n",) * 2,
}
"""What the server sends, and the block of the record that is to be stored."""


def feed(root: str, paths: list[str]) -> bytes:
    items = "".join(f"<item><guid>{path}</guid><link>{root}{path}</link></item>" for path in paths)
    body = f"<rss version='2.0'><channel><title>Raw</title>{items}</channel></rss>".encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def responses(home: Home) -> dict[str, list[warc.Record]]:
    found: dict[str, list[warc.Record]] = {}
    for path in home.objects("warc"):
        for record in warc.read(io.BytesIO(path.read_bytes())):
            found.setdefault(record.url, []).append(record)
    return found


def test_every_byte_is_stored_as_it_came_and_as_it_was_sent(home: Home) -> None:
    # Equal payloads would become revisits; some do, and the test takes both.
    cases = {
        path: tuple(part.replace(b"<title>T", b"<title>%c" % (65 + n)) for part in case)
        for n, (path, case) in enumerate(CASES.items())
    }
    with RawSite() as site:
        site.answers = {path: sent for path, (sent, _) in cases.items()}
        site.answers["/feed"] = feed(site.url, list(cases))
        site.closing = {"/close", "/short", "/close-empty"}
        done = home.crawl(f"url={site.url}/feed")
        assert done.code == 0, done.err
        stored = responses(home)
        for path, (_, wanted) in cases.items():
            records = stored[site.url + path]
            first = next(record for record in records if record.kind in {"response", "revisit"})
            head, body = split_head(wanted)
            assert first.block == (wanted if first.kind == "response" else head), path
            assert next(record.block for record in records if record.kind == "request") in site.received[path]
            assert head + body == wanted
            if path == "/short":
                assert first.get("WARC-Truncated") == "disconnect"


def test_retried_requests_are_recorded_once_for_each_answer(home: Home) -> None:
    with RawSite() as site:
        site.answers = {"/short": CASES["/short"][0], "/feed": feed(site.url, ["/short"])}
        site.closing = {"/short"}
        home.crawl(f"url={site.url}/feed")
        kinds = [record.kind for record in responses(home)[f"{site.url}/short"]]
        assert kinds.count("request") == len(site.received["/short"])


def test_a_response_that_never_ends_is_cut_kept_and_marked(home: Home) -> None:
    home.settings["PRESSMARK_MAX_BYTES"] = "20000"
    with RawSite() as site:
        site.answers = {
            "/big": plain(b"200 OK", body=b"x" * 300_000),
            "/chunks": CHUNKED_HEAD.replace(b"Content-Encoding: gzip\r\n", b"") + chunked(b"y" * 300_000),
            "/feed": feed(site.url, ["/big", "/chunks"]),
        }
        done = home.crawl(f"url={site.url}/feed")
        assert "2 failed" in done.out
        stored = responses(home)
        for path in ("/big", "/chunks"):
            first = next(record for record in stored[site.url + path] if record.kind == "response")
            assert first.get("WARC-Truncated") == "length"
            assert set(split_head(first.block)[1]) <= set(b"xy")


def test_a_response_that_decodes_to_nothing_is_cut_kept_and_marked(home: Home) -> None:
    """Long before the limit on its bytes; the next page of the host is archived."""
    size = 40_000_000
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % size
    with RawSite() as site:
        site.answers = {
            "/nothing": head + b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * (size // 5 - 2),
            "/feed": feed(site.url, ["/nothing", "/next"]),
            "/next": plain(b"200 OK", body=b"<article><h1>T</h1>" + b"<p>Words of a post, told at length.</p>" * 20),
        }
        done = home.crawl(f"url={site.url}/feed")
        assert "kept 1 new post, 1 failed" in done.out, done.err
        assert "its bytes decode to next to nothing" in done.err
        stored = responses(home)[f"{site.url}/nothing"]
        first = next(record for record in stored if record.kind == "response")
        assert first.get("WARC-Truncated") == "length"
        assert len(split_head(first.block)[1]) < size // 4


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(path), "-out", str(tmp_path / "c.pem"),
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + (tmp_path / "c.pem").read_bytes())
    return path


def test_tls_is_verified_and_its_protocol_and_cipher_recorded(home: Home, certificate: Path) -> None:
    import threading

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<rss version='2.0'><channel><title>T</title></channel></rss>" if self.path == "/feed" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}/feed"
    try:
        refused = home.crawl(f"url={url}")
        assert refused.code == 1
        assert "TLS failed" in refused.err
        home.settings["SSL_CERT_FILE"] = str(certificate.with_name("c.pem"))
        done = home.crawl(f"url={url}")
        assert done.code == 0, done.err
    finally:
        server.shutdown()
        server.server_close()
    record = next(record for record in responses(home)[url] if record.kind == "response")
    assert [value for name, value in record.headers if name == "WARC-Protocol"] == ["http/1.1", "tls/1.3"]
    assert (record.get("WARC-Cipher-Suite") or "").startswith("TLS_")
    assert record.get("WARC-IP-Address") in {"127.0.0.1", "::1"}


def test_a_head_that_never_ends_is_not_waited_for(home: Home) -> None:
    with RawSite() as site:
        endless = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1_000) for n in range(3_000))
        site.answers = {"/endless": endless, "/feed": feed(site.url, ["/endless"])}
        done = home.crawl(f"url={site.url}/feed")
        assert done.out.startswith("kept 0 new posts, 1 failed;"), done.err
        assert "head is too long" in done.err


def test_what_a_server_says_oddly_can_be_read_back_and_indexed_anew(home: Home) -> None:
    with RawSite() as site:
        site.answers = {path: sent for path, (sent, _) in CASES.items() if path not in {"/close", "/short"}}
        site.answers["/feed"] = feed(site.url, list(site.answers))
        site.closing = {"/close-empty"}
        assert home.crawl(f"url={site.url}/feed").code == 0
    assert home.pressmark("verify").out.endswith("no problems\n")
    for path in home.path.glob("pressmark.db*"):
        path.unlink()
    assert home.pressmark("reindex").code == 0
    assert home.pressmark("verify").out.endswith("no problems\n")
