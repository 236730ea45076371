"""A time stamp authority, asked over HTTP (RFC 3161): states when a checkpoint existed at the latest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import monotonic

import urllib3
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from archive.errors import SettingsError, TimeStampError
from archive.evidence.verify_bundle import Failure, read_stamp
from archive.limits import STAMP_BYTES, STAMP_SECONDS
from archive.runtime.console import masked

_OK = 200
_PIECE = 1 << 12


class Authority:
    """An authority that time-stamps what it is given the hash of."""

    def __init__(self, url: str, roots: Path | None, *, seconds: float = STAMP_SECONDS) -> None:
        """Nothing is sent yet.

        Args:
            url: Where it takes requests.
            roots: PEM file with the root certificates that its own must lead to; None: its signature is not verified.
            seconds: Time that it has for a response.

        Raises:
            SettingsError: The file with the certificates cannot be read.
        """
        self._url = url
        self._shown = masked(url)
        self._roots = _certificates(roots) if roots else []
        self._seconds = seconds

    def stamp(self, data: bytes) -> bytes:
        """The response that states the time of these bytes, verified.

        Raises:
            TimeStampError: There was none, or it is about something else.
        """
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._sent(request.as_bytes())
        try:
            response = decode_timestamp_response(answer)
            self._check(request, response, data, answer)
        except (Failure, ValueError, VerificationError) as e:
            raise TimeStampError(f"gives no valid time stamp: {e}", url=self._shown) from e
        return answer

    def _sent(self, request: bytes) -> bytes:
        """The body of the response."""
        until = monotonic() + self._seconds
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=self._seconds)) as pool:
                response = pool.request("POST", self._url, body=request, headers=headers, preload_content=False)
                found = bytearray()
                while piece := response.read1(_PIECE):
                    found += piece
                    if len(found) > STAMP_BYTES or monotonic() > until:
                        response.close()
                        raise TimeStampError("its response is too long, or takes too long", url=self._shown)
                if response.status != _OK:
                    raise TimeStampError(f"answers with status {response.status}", url=self._shown)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as e:
            raise TimeStampError(f"cannot be reached: {masked(str(e))}", url=self._shown) from e
        return bytes(found)

    def _check(self, request: TimeStampRequest, response: TimeStampResponse, data: bytes, answer: bytes) -> None:
        stated = read_stamp(answer)
        if (stated.algorithm, stated.imprint) != ("sha256", hashlib.sha256(data).digest()):
            raise ValueError("it is about something else")
        if response.tst_info.nonce != request.nonce:
            raise ValueError("it answers another request")
        if self._roots:
            verifier = VerifierBuilder.from_request(request)
            for root in self._roots:
                verifier = verifier.add_root_certificate(root)
            verifier.build().verify_message(response, data)


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as e:
        raise SettingsError(
            f"PRESSMARK_TIMESTAMP_ROOTS={path}: {e}", hint="Name a PEM file with the authority's root certificates."
        ) from e
