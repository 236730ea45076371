"""Search all versions of all posts.

python examples/search.py file:pressmark-data/store '"low tide" title:harbour'
"""

import sys

from archive import open_archive


def main(store: str, query: str) -> None:
    """Print the best hits with the passage that matches."""
    with open_archive(store) as archive:
        for hit in archive.search(query, limit=20):
            words = "".join(f"[{piece.text}]" if piece.found else piece.text for piece in hit.passage)
            print(f"{hit.title or hit.url}\n  {hit.url} (seen {hit.version.first:%Y-%m-%d})\n  {words}")


if __name__ == "__main__":
    main(*sys.argv[1:])
