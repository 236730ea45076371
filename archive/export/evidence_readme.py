"""README.txt of an evidence bundle: what it proves, in plain words, and what it does not. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a bundle has."""

    url: str
    date: datetime
    """When the first of its captures was made; aware, UTC."""
    made: datetime
    keys: tuple[str, ...]
    """Verifier keys of its logs."""
    stamped: bool
    """Whether there is a time stamp."""
    left_out: tuple[str, ...]


def readme(found: Contents) -> str:
    """The text of the file."""
    keys = "\n".join(f"    {key}" for key in found.keys)
    left = "".join(f"\n- {one}" for one in found.left_out)
    return _TEXT.format(
        url=found.url,
        date=f"{found.date:%Y-%m-%d %H:%M:%S} UTC",
        made=f"{found.made:%Y-%m-%d %H:%M:%S} UTC",
        keys=keys,
        time=_STAMPED if found.stamped else _UNSTAMPED,
        left=f"\nNot in this bundle, because no log has it:\n{left}\n" if left else "",
    )


_TEXT = """\
Evidence of {url}
as it was captured at {date}. This bundle was made at {made}.

How to check it
---------------
Python 3.9 or newer is enough; no network is used:

    python3 verify_bundle.py BUNDLE.zip --key KEY

KEY is the public key of the log. Get it from the archive's operator, not from here. The bundle was made with:

{keys}

Without --key, the script checks only that everything in the bundle fits together.

What is in it
-------------
records.warc.gz     what was sent and received, and the texts made of it, as WARC/1.1 records
text.md, text.json  the text of the post, with what is known about it
diff.json           what changed since the version before, if there is one
evidence.json       the proofs: from each record to the signed roots of a log
stamps/             time stamps of signed roots (RFC 3161), if there are any

What it proves
--------------
- These records were in the archive when the first signed root was made, byte for byte, and belong to the objects named.
- The log has only grown since then: its newest root in this bundle still contains the first one.
- The texts were made from these captures, and the diff leads from one text to the other.
{time}
What it does not prove
----------------------
- That the server sent this. The archiving machine wrote the records and holds the key. A machine that lies when it
  captures a page makes a valid bundle of a lie.
- That the log was shown to everybody alike. Whoever holds the key could keep two logs. Compare the newest root with one
  that somebody else has noted.
- When the page was captured: the dates in the records are by the clock of that machine.
- Who wrote the page, or that what it says is true.
- What README.txt says, or who made verify_bundle.py: get the script from Pressmark if you do not trust this copy.
{left}"""

_STAMPED = """\
- An independent authority states when one of the roots existed at the latest. The script shows that the time stamp is
  about that root. To check the authority's signature as well:

      openssl ts -verify -in stamps/1.tsr -data stamps/1.tsr.checkpoint -CAfile ROOTS.pem
"""

_UNSTAMPED = """\
- There is no time stamp: nobody but the operator states when the roots were made.
"""
