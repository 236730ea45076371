"""A time stamp authority on loopback: certificates made here, responses by OpenSSL."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
crypto_device = builtin
ess_cert_id_alg = sha256
"""


def available() -> bool:
    return shutil.which("openssl") is not None


class Authority:
    """Answers RFC 3161 requests over HTTP; `answer` may be replaced by something worse."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots = folder / "root.pem"
        self.requests = 0
        self.status = 200
        self.answer: Callable[[bytes], bytes] = self.reply
        _certificates(folder)
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder))
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.requests += 1
                assert self.headers["Content-Type"] == "application/timestamp-query"
                body = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(authority.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsr"

    def reply(self, request: bytes) -> bytes:
        query, response = self.folder / "query.tsq", self.folder / "response.tsr"
        query.write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", str(query), "-out", str(response)]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return response.read_bytes()

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _certificates(folder: Path) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample root")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sample authority")])
    now = datetime.now(UTC)

    def begun(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(root_name).public_key(public)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))

    usage = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)  # fmt: skip
    root = begun(root_name, root_key.public_key())
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    root = root.add_extension(x509.KeyUsage(**usage | {"key_cert_sign": True}), critical=True)
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
    tsa = begun(name, key.public_key())
    tsa = tsa.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    tsa = tsa.add_extension(x509.KeyUsage(**usage | {"digital_signature": True}), critical=True)
    tsa = tsa.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    tsa = tsa.add_extension(issuer, critical=False)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(pem))
    (folder / "tsa.pem").write_bytes(tsa.sign(root_key, hashes.SHA256()).public_bytes(pem))
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "tsa.key").write_bytes(key.private_bytes(pem, form, none))
