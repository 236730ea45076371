"""Archive pages that another crawler fetches: exchanges byte for byte, and the text of each.

python examples/archive_your_crawl.py my-archive http://a-blog.example/a-post ...
"""

import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from archive import Capture, ExtractError, Origin, open_archive
from archive.extract import extract


def fetch(url: str) -> Capture:
    """Your crawler: it must give the request and the response as they went over the wire."""
    parts = urlsplit(url)
    date = datetime.now(UTC)
    request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return Capture(url=url, date=date, request=request, head=head + b"\r\n\r\n", body=body)


def main(home: str, *urls: str) -> None:
    """Fetch pages and commit them as one batch."""
    folder = Path(home).absolute()
    database = f"sqlite:///{folder / 'pressmark.db'}"
    with open_archive(f"file:{folder / 'store'}", database, home=folder) as archive:
        origin = Origin(user_agent="example/1.0", description="An example")
        batch = archive.writer.batch(now=datetime.now(UTC), origin=origin)
        for url in urls:
            capture = fetch(url)
            row = batch.add(capture)
            try:
                text = extract(capture.body, url=url, date=capture.date)
            except ExtractError as e:
                print(e, file=sys.stderr)
            else:
                batch.add_text(row, text)
        sealed = batch.seal()
        archive.writer.commit(sealed)
        archive.writer.release(sealed)
        for url in urls:
            print(url, len(archive.captures(url)), "captures")


if __name__ == "__main__":
    main(*sys.argv[1:])
