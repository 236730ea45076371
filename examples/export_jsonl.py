"""Write every post of an archive, or of one blog, as a line of JSON with its newest text.

python examples/export_jsonl.py file:pressmark-data/store [a-blog.example] > posts.jsonl
"""

import json
import sys

from archive import open_archive


def main(store: str, blog: str | None = None) -> None:
    """Write the posts to standard output."""
    with open_archive(store) as archive:
        for post in archive.posts(blog=blog):
            text = archive.text(post.url)
            print(json.dumps({**post.as_json(), "text": text.text, "tags": text.tags}, ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
