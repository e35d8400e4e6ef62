"""A platform to sign for: HTTP/1.1 over TLS, each request verified by oauthlib.

It reads requests from the raw stream, so that what it records is what came over
the wire, byte for byte, and it is stricter than most servers: whatever a client
may not send is a refusal here, because a refusal is what a test can see.

Without credentials it verifies nothing and speaks plain TCP: that is the
recorder which shows what curl itself sends.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import random
import re
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

FORM = b"application/x-www-form-urlencoded"
KEPT_BODY = 1 << 20  # what is kept of a body; of all that is longer, length and hash alone
READ = 1 << 18
BLOCK = random.Random(5849).randbytes(1 << 20)  # what downloads are made of

FIELD_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*"
)
# RFC 5849 section 3.5.1: names and values are percent-encoded, also inside the
# quotes. oauthlib would let a raw "+" or "=" pass; strict servers do not.
PARAMETER = r'[a-z_]+="(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*"'
AUTHORIZATION = re.compile(rf'OAuth (?:realm="[^"\\]*",[ ]?)?{PARAMETER}(?:,[ ]?{PARAMETER})*')


class BadRequest(Exception):
    """What no client may send."""


@dataclass(frozen=True)
class Credentials:
    consumer_key: str
    consumer_secret: str = ""
    token: str | None = None
    token_secret: str | None = None
    public_key: str | None = None  # of the RSA methods, in PEM


@dataclass
class Record:
    """One request as it came, and what was answered."""

    request_line: bytes = b""
    header_lines: list[bytes] = field(default_factory=list)
    trailer_lines: list[bytes] = field(default_factory=list)
    framing: str = "none"
    body: bytes = b""
    body_bytes: int = 0
    body_sha256: str = ""
    problem: str = ""  # why it was refused; empty when it verified
    oauth: dict[str, str] = field(default_factory=dict)
    status: int = 0
    response_head: bytes = b""
    complete: bool = False

    @property
    def method(self) -> str:
        return self.request_line.split(b" ")[0].decode()

    @property
    def target(self) -> str:
        return self.request_line.split(b" ")[1].decode("latin-1")

    def values(self, name: str) -> list[str]:
        """The values of every header line of that name, in order."""
        pairs = (FIELD_LINE.fullmatch(line).groups() for line in self.header_lines)
        return [v.decode("latin-1") for n, v in pairs if n.lower() == name.lower().encode()]

    @property
    def is_form(self) -> bool:
        media_types = [v.split(";")[0].strip().lower() for v in self.values("content-type")]
        return media_types == [FORM.decode()]


class Validator(RequestValidator):
    """The platform's rules, on top of those that oauthlib enforces itself.

    The length of a nonce is left as oauthlib has it, 20 to 30 letters and digits:
    servers built on it mostly do not change that.
    """

    client_key_length = (32, 32)
    timestamp_lifetime = 120
    dummy_client = "0" * 32

    def __init__(self, credentials: Credentials, signature_method: str) -> None:
        super().__init__()
        self.credentials = credentials
        self.signature_method = signature_method
        self.used: set[tuple[str, ...]] = set()

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return (self.signature_method,)

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ) -> bool:
        once = (client_key, timestamp, nonce, request.resource_owner_key or "")
        if once in self.used:
            request.validator_log["problem"] = "nonce_used"
            return False
        self.used.add(once)
        return True

    def validate_client_key(self, client_key, request) -> bool:
        return client_key == self.credentials.consumer_key

    def get_client_secret(self, client_key, request) -> str:
        return self.credentials.consumer_secret

    def get_access_token_secret(self, client_key, token, request) -> str:
        return self.credentials.token_secret or ""

    def get_rsa_key(self, client_key, request) -> str:
        return self.credentials.public_key


class PlatformServer:
    """Runs on a thread of its own; use it as a context manager."""

    def __init__(
        self,
        credentials: Credentials | None,
        certificate: ssl.SSLContext | None,
        signature_method: str = "HMAC-SHA1",
    ) -> None:
        self.records: list[Record] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._taken = 0
        self._tls = certificate
        self._validator = Validator(credentials, signature_method) if credentials else None
        self._hold_until = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> PlatformServer:
        self._thread.start()
        start = asyncio.start_server(
            self._connection, "127.0.0.1", 0, ssl=self._tls, limit=READ, backlog=4096
        )
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if self._tls else 'http'}://{self.authority}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _close(self) -> None:
        self._server.close()
        # Connections that clients keep open.
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def take(self) -> list[Record]:
        """The records since the last call."""
        new = self.records[self._taken :]
        self._taken += len(new)
        return new

    def hold(self, count: int) -> None:
        """From now on, targets under /hold are answered once `count` of them wait."""
        self.most_in_flight = 0
        self._everybody = asyncio.Event()
        self._hold_until = count

    # One connection, one request after the other.

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that leaves is its own affair: an unfinished record shows it.
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            try:
                while await self._exchange(reader, writer):
                    pass
            finally:
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        record = Record()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as end:
            if end.partial:
                raise
            return False
        self.records.append(record)
        try:
            self._parse_head(record, head)
            await self._read_body(record, reader, writer)
            record.problem = self._verify(record)
        except BadRequest as fault:
            record.problem = f"malformed: {fault}"
        await self._hold(record)
        await self._answer(record, writer)
        record.complete = True
        return not record.problem.startswith("malformed")

    @staticmethod
    def _parse_head(record: Record, head: bytes) -> None:
        lines = head[:-4].split(b"\r\n")
        record.request_line, record.header_lines = lines[0], lines[1:]
        if not re.fullmatch(rb"[A-Z]+ /[^ \x00-\x1f\x7f]* HTTP/1\.1", lines[0]):
            raise BadRequest(f"request line {lines[0]!r}")
        for line in lines[1:]:
            if not FIELD_LINE.fullmatch(line):
                record.header_lines = []
                raise BadRequest(f"header line {line!r}")

    async def _read_body(
        self, record: Record, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        lengths, codings = record.values("content-length"), record.values("transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise BadRequest(f"framing {lengths} {codings}")
        if codings and codings != ["chunked"]:
            raise BadRequest(f"transfer coding {codings}")
        if lengths and not lengths[0].isdecimal():
            raise BadRequest(f"content length {lengths}")

        if record.values("expect") == ["100-continue"]:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        digest = hashlib.sha256()
        if lengths:
            record.framing = "length"
            pieces = self._exactly(reader, int(lengths[0]))
        elif codings:
            record.framing = "chunked"
            pieces = self._chunks(record, reader)
        else:
            pieces = self._exactly(reader, 0)
        async for piece in pieces:
            digest.update(piece)
            record.body_bytes += len(piece)
            if len(record.body) < KEPT_BODY:
                record.body += piece
        record.body_sha256 = digest.hexdigest()

    @staticmethod
    async def _exactly(reader: asyncio.StreamReader, left: int) -> AsyncIterator[bytes]:
        while left:
            piece = await reader.read(min(READ, left))
            if not piece:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(piece)
            yield piece

    async def _chunks(self, record: Record, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        while True:
            size = (await reader.readuntil(b"\r\n"))[:-2]
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
                raise BadRequest(f"chunk size {size!r}")
            if int(size, 16) == 0:
                break
            async for piece in self._exactly(reader, int(size, 16)):
                yield piece
            if await reader.readexactly(2) != b"\r\n":
                raise BadRequest("chunk without its end")
        while line := (await reader.readuntil(b"\r\n"))[:-2]:
            record.trailer_lines.append(line)

    # Verification.

    def _verify(self, record: Record) -> str:
        """Why the request is refused; empty when it verifies."""
        if self._validator is None:
            return ""
        if record.values("host") != [self.authority]:
            return f"host: {record.values('host')}, not {self.authority}"
        given = record.values("authorization")
        if len(given) != 1:
            return f"authorization: {len(given)} of them"
        if not AUTHORIZATION.fullmatch(given[0]):
            return "authorization: not as RFC 5849 section 3.5.1 writes it"

        # The base string is built from the target as it came. Only a form takes
        # part in it, so nothing else is handed over as a body.
        call = (
            f"https://{self.authority}{record.target}",
            record.method,
            record.body.decode("ascii", "replace") if record.is_form else "",
            {
                "Authorization": given[0],
                **({"Content-Type": FORM.decode()} if record.is_form else {}),
            },
        )
        endpoint = SignatureOnlyEndpoint(self._validator)
        try:
            verified, request = endpoint.validate_request(*call)
            record.oauth = dict(request.oauth_params) if request else {}
            # This endpoint of oauthlib's takes whatever token there is.
            if request and record.oauth.get("oauth_token") != self._validator.credentials.token:
                return "token_rejected"
            if request and not self._fits_body_hash(record):
                return "body_hash_invalid"
            if verified:
                return ""
            # oauthlib keeps the reason to itself; asked step by step, it tells.
            request_again = endpoint._create_request(*call)
            endpoint._check_mandatory_parameters(request_again)
        except OAuth1Error as fault:
            return f"{fault.error}: {fault.description}"
        except ValueError as fault:
            return f"not readable for oauthlib: {fault}"
        if problem := request.validator_log.get("problem"):
            return problem
        if not request.validator_log["client"]:
            return "consumer_key_unknown"
        return "signature_invalid"

    @staticmethod
    def _fits_body_hash(record: Record) -> bool:
        """A body hash may be left out; one that is there must fit, and no form may have one."""
        given = record.oauth.get("oauth_body_hash")
        if given is None:
            return True
        # The hash of the signature method; PLAINTEXT has none.
        algorithm = record.oauth["oauth_signature_method"].partition("-")[2].lower() or "sha1"
        digest = hashlib.new(algorithm, record.body).digest()
        return not record.is_form and given == base64.b64encode(digest).decode()

    # Answers.

    async def _hold(self, record: Record) -> None:
        if not self._hold_until or b" /hold" not in record.request_line:
            return
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if self.in_flight >= self._hold_until:
            self._everybody.set()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._everybody.wait(), 90)
        self.in_flight -= 1

    async def _answer(self, record: Record, writer: asyncio.StreamWriter) -> None:
        if record.problem:
            record.status = 400 if record.problem.startswith("malformed") else 401
            body = json.dumps({"error": "refused", "message": record.problem}).encode()
            head = [
                f"HTTP/1.1 {record.status} Refused, for a reason".encode(),
                b'WWW-Authenticate: OAuth realm="platform"',
                b"Content-Type: application/json",
            ]
            await self._send(record, writer, head, len(body), body)
            return

        record.status = 200
        head = [
            b"HTTP/1.1 200 Quite all right",
            b"Content-Type: application/json; charset=utf-8",
            b"X-APSBooster-Response: true",
            b"Set-Cookie: a=1; Path=/",
            b"x-lower-case: kept",
            b"Set-Cookie: b=2; Path=/",
        ]
        path, _, query = record.target.partition("?")
        if path == "/download":
            asked = parse_qs(query)
            chunked = asked.get("framing") == ["chunked"]
            size = int(asked["bytes"][0])
            await self._send(record, writer, head, size, None, chunked)
            return
        body = json.dumps(
            {
                "method": record.method,
                "target": record.target,
                "bytes": record.body_bytes,
                "sha256": record.body_sha256,
            }
        ).encode()
        await self._send(record, writer, head, len(body), body)

    @staticmethod
    async def _send(
        record: Record,
        writer: asyncio.StreamWriter,
        head: list[bytes],
        size: int,
        body: bytes | None,
        chunked: bool = False,
    ) -> None:
        """`body`, or `size` bytes of BLOCK where there is none."""
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        head = [*head, b"Date: " + formatdate(usegmt=True).encode(), framing]
        record.response_head = b"\r\n".join(head) + b"\r\n\r\n"
        writer.write(record.response_head)
        if record.method != "HEAD":
            for piece in [body] if body is not None else download(size):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await writer.drain()
            if chunked:
                writer.write(b"0\r\n\r\n")
        await writer.drain()


def download(size: int):
    """What GET /download?bytes=SIZE answers."""
    while size:
        piece = BLOCK[: min(size, len(BLOCK))]
        size -= len(piece)
        yield piece


def self_signed(directory: Path) -> ssl.SSLContext:
    """A certificate made on the spot, as test platforms have them."""
    certificate, key = directory / "platform.pem", directory / "platform.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", "/CN=platform.test"]
        + ["-addext", "subjectAltName=DNS:platform.test,IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
