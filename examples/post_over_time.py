"""Print every version of a post: when it was seen, and what changed since the version before.

python examples/post_over_time.py file:pressmark-data/store https://a-blog.example/a-post
"""

import sys

from archive import NotArchivedError, open_archive


def main(store: str, url: str) -> None:
    """Print the versions of one post, oldest first."""
    with open_archive(store) as archive:
        try:
            versions = archive.versions(url)
        except NotArchivedError as e:
            sys.exit(str(e))
        for version in versions:
            print(f"{version.first:%Y-%m-%d %H:%M} to {version.last:%Y-%m-%d %H:%M}: {version.text.title}")
            if version.number == 1:
                continue
            for change in archive.diff(url, versions[version.number - 2].first, version.first).changes:
                for run in change.runs:
                    if run.kind != "same":
                        print("   ", "-" if run.kind == "gone" else "+", run.text.strip())


if __name__ == "__main__":
    main(*sys.argv[1:])
