"""RSA keys made on the spot by openssl, in the forms in which people have them."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

from oauthlib.oauth1.rfc5849 import signature
from platform_server import PlatformServer, Record


@dataclass(frozen=True)
class RsaKey:
    forms: dict[str, Path]  # the private key
    public: str

    @property
    def any(self) -> Path:
        return self.forms["PKCS #8"]


def make_key(directory: Path) -> RsaKey:
    """A key in each form, each readable by its owner alone."""
    pkcs8, pkcs1 = directory / "pkcs8.pem", directory / "pkcs1.pem"
    store, unpacked = directory / "store.p12", directory / "unpacked.pem"
    certificate = directory / "certificate.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", pkcs8)
    openssl("rsa", "-traditional", "-in", pkcs8, "-out", pkcs1)
    # As Mastercard hands keys out: unpacked, they have lines of text in front.
    openssl("req", "-x509", "-key", pkcs8, "-subj", "/CN=key", "-out", certificate)
    openssl(
        *("pkcs12", "-export", "-inkey", pkcs8, "-in", certificate),
        *("-passout", "pass:keystore", "-out", store),
    )
    openssl(
        *("pkcs12", "-in", store, "-passin", "pass:keystore"),
        *("-nocerts", "-nodes", "-out", unpacked),
    )
    assert "BEGIN RSA PRIVATE KEY" in pkcs1.read_text()
    assert not unpacked.read_text().startswith("-----BEGIN")
    forms = {"PKCS #8": pkcs8, "PKCS #1": pkcs1, "PKCS #12, unpacked": unpacked}
    for path in forms.values():
        path.chmod(0o600)
    return RsaKey(forms, openssl("pkey", "-in", pkcs8, "-pubout").decode())


def openssl(*arguments: str | Path) -> bytes:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    return done.stdout


def verify_by_openssl(
    directory: Path, platform: PlatformServer, record: Record, public_key: str
) -> None:
    """Checks an RSA signature without oauthlib's own check of it."""
    base_string, signed = directory / "base-string", directory / "signature"
    base_string.write_text(base_string_of(platform, record))
    signed.write_bytes(base64.b64decode(record.oauth["oauth_signature"], validate=True))
    key = directory / "public.pem"
    key.write_text(public_key)
    digest = record.oauth["oauth_signature_method"].removeprefix("RSA-").lower()
    openssl("dgst", f"-{digest}", "-verify", key, "-signature", signed, base_string)


def base_string_of(platform: PlatformServer, record: Record) -> str:
    parameters = signature.collect_parameters(
        uri_query=record.target.partition("?")[2],
        body=record.body.decode() if record.is_form else "",
        headers={"Authorization": record.values("authorization")[0]},
    )
    return signature.signature_base_string(
        record.method,
        signature.base_string_uri(platform.url + record.target),
        signature.normalize_parameters(parameters),
    )
