"""Names of TLS cipher suites in the IANA registry, as WARC-Cipher-Suite requires. No I/O."""

from __future__ import annotations

import re

_EXCHANGES = {
    None: "RSA",
    "ECDHE": "ECDHE_RSA",
    "ADH": "DH_anon",
    "AECDH": "ECDH_anon",
}
_NAME = re.compile(
    r"(?:(?P<exchange>(?:ECDHE|DHE)-(?:RSA|ECDSA|DSS)|ECDHE|ADH|AECDH)-)?"
    r"(?:(?P<cipher>AES|ARIA|CAMELLIA)(?P<bits>128|256)-(?P<mode>GCM-SHA\d+|CCM8?|SHA\d*)|(?P<stream>CHACHA20-POLY1305))"
)


def iana_name(openssl: str) -> str:
    """The registered name of a suite with another name in OpenSSL; others, and TLS 1.3's, are unchanged."""
    found = _NAME.fullmatch(openssl)
    if found is None:
        return openssl
    exchange = found["exchange"]
    key = _EXCHANGES.get(exchange) or exchange.replace("-", "_")
    if found["stream"]:
        return f"TLS_{key}_WITH_CHACHA20_POLY1305_SHA256"
    mode = found["mode"].replace("-", "_").replace("CCM8", "CCM_8")
    chained = "" if mode.startswith(("GCM", "CCM")) else "CBC_"
    return f"TLS_{key}_WITH_{found['cipher']}_{found['bits']}_{chained}{mode}"
