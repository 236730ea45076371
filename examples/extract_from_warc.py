"""Extract the text of every HTML page in a WARC, ARC or WACZ file.

python examples/extract_from_warc.py crawl.warc.gz
"""

import sys

from archive import Broken, ExtractError, decoded_payload, is_capture, parse_warc
from archive.extract import extract


def main(path: str) -> None:
    """Print title and text of each page."""
    for record in parse_warc(path):
        if isinstance(record, Broken):
            print(record.line(), file=sys.stderr)
            continue
        if not is_capture(record) or record.kind == "revisit":
            continue
        try:
            payload, content_type = decoded_payload(record)
            if "html" not in (content_type or ""):
                continue
            text = extract(payload, url=record.url, content_type=content_type)
        except (ExtractError, ValueError, OverflowError) as e:
            print(f"{record.url}: {e}", file=sys.stderr)
            continue
        print(f"# {text.title or record.url}", text.text, sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
