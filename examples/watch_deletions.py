"""Print posts that were found to be gone since the last call, one line each; run it from cron.

    python examples/watch_deletions.py seen.txt

The crawler keeps the ledger of deletions, so this asks its command; PRESSMARK_HOME names the archive.
"""

import json
import subprocess
import sys
from pathlib import Path


def main(seen: str) -> None:
    """Print what is new, and remember it in a file."""
    memory = Path(seen)
    known = set(memory.read_text().splitlines()) if memory.exists() else set()
    answer = subprocess.run(["pressmark", "deletions", "--json"], check=True, capture_output=True, text=True)
    for line in answer.stdout.splitlines():
        deletion = json.loads(line)
        name = f"{deletion['since']} {deletion['url']}"
        if name not in known:
            print(f"{deletion['kind']}: {name}")
            known.add(name)
    memory.write_text("".join(f"{name}\n" for name in sorted(known)))


if __name__ == "__main__":
    main(*sys.argv[1:])
