"""Verifies OAuth 1.0a signatures with HMAC-SHA1, written from RFC 5849 alone.

It shares nothing with the program that it judges; `check` holds it against a published
example before it judges anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from urllib.parse import quote, unquote_to_bytes

Parameters = list[tuple[bytes, bytes]]
Fields = list[tuple[bytes, bytes]]

# How far a timestamp may be from the clock, in seconds. Both are on this machine.
MAX_SKEW = 60


class Refused(Exception):
    """Why a request is not accepted."""


def encode(value: bytes) -> str:
    """§3.6; what is unreserved there is what `quote` leaves alone."""
    return quote(value, safe="")


def decode(text: bytes) -> Parameters:
    """§3.4.1.3.1: application/x-www-form-urlencoded; a bad escape is a literal percent."""
    pairs = []
    for piece in text.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def base_string(method: bytes, uri: str, parameters: Parameters) -> str:
    """§3.4.1.1, with the parameters normalised as §3.4.1.3.2 says."""
    pairs = sorted((encode(name), encode(value)) for name, value in parameters)
    normalised = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join(encode(part) for part in (method.upper(), uri.encode(), normalised.encode()))


def signature(base: str, secret: bytes, token_secret: bytes = b"") -> str:
    """§3.4.2."""
    key = f"{encode(secret)}&{encode(token_secret)}"
    digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def header_parameters(value: bytes) -> dict[bytes, bytes]:
    """§3.5.1; a parameter that stands there twice makes it ambiguous."""
    scheme, _, rest = value.partition(b" ")
    if scheme.lower() != b"oauth":
        raise Refused(f"the scheme is {scheme!r}")
    parameters: dict[bytes, bytes] = {}
    for piece in rest.split(b","):
        name, equals, quoted = piece.strip().partition(b"=")
        if not equals or len(quoted) < 2 or quoted[:1] + quoted[-1:] != b'""':
            raise Refused(f"{piece!r} is no parameter")
        # A strict server takes nothing that should have been encoded.
        if encode(unquote_to_bytes(quoted[1:-1])).encode() != quoted[1:-1]:
            raise Refused(f"{name!r} is not encoded as it should be")
        if name in parameters:
            raise Refused(f"{name!r} stands there twice")
        parameters[unquote_to_bytes(name)] = unquote_to_bytes(quoted[1:-1])
    return parameters


class Verifier:
    """Judges requests of one consumer without a token, and refuses a nonce that it has seen."""

    def __init__(self, authority: str, key: str, secret: str) -> None:
        self.authority = authority
        self.key = key.encode()
        self.secret = secret.encode()
        self.nonces: set[bytes] = set()
        self.lock = threading.Lock()

    def verify(self, method: bytes, target: bytes, fields: Fields, form: bytes) -> None:
        """Raises `Refused` unless the signature is right; `form` is empty for other content."""
        hosts = [value for name, value in fields if name == b"host"]
        if hosts != [self.authority.encode()]:
            raise Refused(f"Host is {hosts}")
        values = [value for name, value in fields if name == b"authorization"]
        if len(values) != 1:
            raise Refused(f"there are {len(values)} Authorization fields")
        given = header_parameters(values[0])
        given.pop(b"realm", None)
        signed = given.pop(b"oauth_signature", b"").decode()
        if given.get(b"oauth_consumer_key") != self.key:
            raise Refused("the consumer key is another one")
        if given.get(b"oauth_signature_method") != b"HMAC-SHA1":
            raise Refused("the signature method is another one")
        if given.get(b"oauth_version", b"1.0") != b"1.0" or b"oauth_token" in given:
            raise Refused("the version is wrong, or there is a token")
        if abs(int(given[b"oauth_timestamp"]) - time.time()) > MAX_SKEW:
            raise Refused("the timestamp is too far off")

        path, _, query = target.partition(b"?")
        # The authority has a port that is not 443, and is in lower case as it is.
        uri = f"https://{self.authority}{path.decode()}"
        parameters = [*given.items(), *decode(query), *decode(form)]
        base = base_string(method, uri, parameters)
        if not hmac.compare_digest(signature(base, self.secret), signed):
            raise Refused(f"the signature is wrong; the base string is {base}")
        with self.lock:
            if given[b"oauth_nonce"] in self.nonces:
                raise Refused("the nonce was used before")
            self.nonces.add(given[b"oauth_nonce"])


def check() -> None:
    """The example of RFC 5849 §3.4.1.1; its printed signature is an erratum."""
    parameters = [
        (b"oauth_consumer_key", b"9djdj82h48djs9d2"),
        (b"oauth_token", b"kkk9d7dh3k39sjv7"),
        (b"oauth_signature_method", b"HMAC-SHA1"),
        (b"oauth_timestamp", b"137131201"),
        (b"oauth_nonce", b"7d8f3e4a"),
        *decode(b"b5=%3D%253D&a3=a&c%40=&a2=r%20b"),
        *decode(b"c2&a3=2+q"),
    ]
    base = base_string(b"POST", "http://example.com/request", parameters)
    if signature(base, b"j49sk3j29djd", b"dh893hdasih9") != "r6/TJjbCOr97/+UU0NsvSne7s5g=":
        raise SystemExit(f"the verifier itself is wrong: {base}")
