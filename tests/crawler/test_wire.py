"""What is stored is what crossed the wire."""

from __future__ import annotations

import gzip
import io
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import Home
from sample.raw import RawSite

from archive import warc

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
    # Equal payloads would become revisits, so that each case has its own.
    cases = {
        path: tuple(part.replace(b"<title>T", b"<title>%c" % (65 + n)) for part in case)
        for n, (path, case) in enumerate(CASES.items())
    }
    with RawSite() as site:
        site.answers = {path: sent for path, (sent, _) in cases.items()}
        site.answers["/feed"] = feed(site.url, list(cases))
        site.closing = {"/close", "/short"}
        done = home.crawl(f"url={site.url}/feed")
        assert done.code == 0, done.err
        stored = responses(home)
        for path, (_, wanted) in cases.items():
            records = stored[site.url + path]
            first = next(record for record in records if record.kind in {"response", "revisit"})
            head, body = warc.split_http(wanted)
            assert first.block == (wanted if first.kind == "response" else head), path
            assert next(record.block for record in records if record.kind == "request") in site.received[path]
            if path == "/short":
                assert first.get("WARC-Truncated") == "disconnect"
            assert body is not None


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
            assert set(warc.split_http(first.block)[1]) <= set(b"xy")


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
