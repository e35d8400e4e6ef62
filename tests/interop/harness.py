"""What the tests share: the daemon under test, curl, and the comparison of both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from platform_server import Credentials, PlatformServer, Record

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(
    os.environ.get("UNDERSIGN_BIN") or ROOT / "target" / "release" / "undersign"
).resolve()
PRESETS = ROOT / "config" / "presets"

# As the platform makes them: 32 characters, and secrets of up to 128.
CREDENTIALS = Credentials(
    "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE", "cccMHKhIIVupWAEWtYeQmg9DVe0DSP1x" * 4
)
# Characters that must be encoded before they go into the key.
THREE_LEGGED = Credentials(
    CREDENTIALS.consumer_key, CREDENTIALS.consumer_secret, "token+of/an=owner", "t&k%n s=cr/t+é"
)

CONFIGURATION = """\
[log]
format = "json"
file = "{log}"

[proxy.interop]
listen = "127.0.0.1:0"
upstream = "{upstream}"
consumer_key = "{consumer_key}"
consumer_secret_file = "{secret}"
{more}
[proxy.interop.tls]
trust = "self-signed"

# The platform is one Python thread: with thousands of connections to make at once, and
# all of them held until the last one is there, it is slow. That is not what we test.
[proxy.interop.timeouts]
connect = "60s"
first_byte = "120s"

[proxy.interop.limits]
connections = 4096
"""


class Daemon:
    """The release binary, with a configuration and secrets of its own."""

    def __init__(
        self,
        directory: Path,
        platform: PlatformServer,
        credentials: Credentials = CREDENTIALS,
        realm: str | None = None,
        keys: str = "",
        preset: str | None = None,
        private_key: Path | None = None,
    ) -> None:
        directory.mkdir(parents=True)
        self.platform = platform
        self.credentials = credentials
        # How many were sent through it; None where nobody can tell.
        self.exchanges: int | None = 0
        self.log_file = directory / "exchanges.log"
        self.stderr_file = directory / "stderr"
        # Only what the file says: no variable of the caller's may change it.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("UNDERSIGN_")}
        if preset is None:
            if realm is not None:
                keys += f'realm = "{realm}"\n'
            if private_key is not None:
                keys += f'private_key_file = "{private_key}"\n'
            configuration = self._write_configuration(directory, keys)
        else:
            configuration = PRESETS / f"{preset}.toml"
            environment |= self._fill_in(directory, preset, private_key)
        with self.stderr_file.open("wb") as stderr:
            self.process = subprocess.Popen(
                [BINARY, "run", "--config", configuration],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env=environment,
                cwd=directory,
            )
        self.url = f"http://{self._ready()['address']}"

    def _write_configuration(self, directory: Path, more: str) -> Path:
        credentials = self.credentials
        if credentials.token is not None:
            more += f'token = "{credentials.token}"\n'
            # Editors end a file with a newline, which belongs to no secret.
            token_secret = secret_file(directory / "token-secret", f"{credentials.token_secret}\n")
            more += f'token_secret_file = "{token_secret}"\n'
        configuration = directory / "undersign.toml"
        configuration.write_text(
            CONFIGURATION.format(
                log=self.log_file,
                upstream=self.platform.url,
                consumer_key=credentials.consumer_key,
                secret=secret_file(directory / "secret", credentials.consumer_secret),
                more=more,
            )
        )
        return configuration

    def _fill_in(self, directory: Path, preset: str, private_key: Path | None) -> dict[str, str]:
        """The variables for what a preset leaves to its user, and for what has to be local."""
        credentials = self.credentials
        keys = {
            "LISTEN": "127.0.0.1:0",
            "UPSTREAM": self.platform.url,
            "TLS__TRUST": "self-signed",
            "CONSUMER_KEY": credentials.consumer_key,
        }
        if credentials.consumer_secret:
            keys["CONSUMER_SECRET_FILE"] = secret_file(
                directory / "secret", credentials.consumer_secret
            )
        if credentials.token_secret:
            keys["TOKEN_SECRET_FILE"] = secret_file(
                directory / "token-secret", credentials.token_secret
            )
        if private_key is not None:
            keys["PRIVATE_KEY_FILE"] = private_key
        variables = {f"UNDERSIGN_PROXY__{preset.upper()}__{k}": str(v) for k, v in keys.items()}
        return {
            **variables,
            "UNDERSIGN_LOG_FILE": str(self.log_file),
            "UNDERSIGN_LOG_FORMAT": "json",
        }

    def _ready(self) -> dict:
        """The line that says it listens."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for line in self.stderr_file.read_text().splitlines():
                if '"listening"' in line:
                    return json.loads(line)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.process.kill()
        raise AssertionError(f"no ready line; stderr: {self.stderr_file.read_text()}")

    def log(self) -> list[dict]:
        """The exchange records so far."""
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [r for r in map(json.loads, lines) if r["message"] == "exchange"]

    def stop(self) -> None:
        """Ends it, and checks what holds of every run, whatever was sent."""
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(40) == 0, self.stderr_file.read_text()
        finally:
            self.process.kill()
        assert self.exchanges in (None, len(self.log())), "one record an exchange"
        written = self.stderr_file.read_text()
        written += self.log_file.read_text() if self.log_file.exists() else ""
        for secret in self._secrets():
            # The values themselves stay out of the test's own output, too.
            assert secret not in written, "a secret or a signature was written"

    def _secrets(self) -> set[str]:
        secrets = {self.credentials.consumer_secret, self.credentials.token_secret}
        for record in self.platform.records:
            secrets |= {*record.values("authorization"), record.oauth.get("oauth_signature")}
        secrets = {s for s in secrets if s}
        return secrets | {quote(s, safe="") for s in secrets}


def secret_file(path: Path, content: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(content)
    return path


@dataclass
class Answer:
    """What curl got."""

    head: bytes
    body: bytes
    status: int = field(init=False)

    def __post_init__(self) -> None:
        self.status = int(self.head.split(b" ")[1])


def curl(directory: Path, url: str, *arguments: str, stdin: Path | None = None) -> Answer:
    """One call of the real curl, which leaves the URL as it is."""
    head, body = directory / "head", directory / "body"
    body.unlink(missing_ok=True)  # curl makes none where there is no body
    command = ["curl", "-q", "-sS", "-g", "--path-as-is", "--http1.1", "--noproxy", "*"]
    command += ["--max-time", "120", "-D", str(head), "-o", str(body), *arguments, url]
    with (stdin or Path(os.devnull)).open("rb") as source:
        done = subprocess.run(command, stdin=source, capture_output=True, timeout=130)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    # Before the answer itself there may be "100 Continue".
    last_head = head.read_bytes().removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")[-1] + b"\r\n\r\n"
    return Answer(last_head, body.read_bytes() if body.exists() else b"")


@dataclass
class Bench:
    """A platform, a plain recorder, and a daemon in front of the platform."""

    directory: Path
    recorder: PlatformServer
    platform: PlatformServer
    daemon: Daemon

    def through(
        self, target: str, *arguments: str, stdin: Path | None = None
    ) -> tuple[Record, Answer]:
        """Makes the call, lets it verify, and compares it with curl's own bytes."""
        arrived, answer = self.send(target, *arguments, stdin=stdin)
        assert arrived.problem == ""
        assert answer.status == 200

        direct = curl(self.directory, self.recorder.url + target, *arguments, stdin=stdin)
        (sent,) = self.recorder.take()
        assert sent.target == target, "curl itself changed the target"
        assert arrived.request_line == sent.request_line
        assert but_for_ours(arrived) == but_for_ours(sent)
        assert (arrived.framing, arrived.trailer_lines) == (sent.framing, sent.trailer_lines)
        assert (arrived.body_bytes, arrived.body_sha256) == (sent.body_bytes, sent.body_sha256)
        assert answer.body == direct.body
        return arrived, answer

    def send(
        self, target: str, *arguments: str, stdin: Path | None = None
    ) -> tuple[Record, Answer]:
        """Makes the call; the platform may refuse it, but the answer is the platform's."""
        self.platform.take()
        if self.daemon.exchanges is not None:
            self.daemon.exchanges += 1
        answer = curl(self.directory, self.daemon.url + target, *arguments, stdin=stdin)
        records = self.platform.take()
        assert len(records) == 1, f"{len(records)} requests, not one; the answer: {answer}"
        (arrived,) = records
        assert answer.head == arrived.response_head, "the answer is passed on untouched"
        return arrived, answer


def but_for_ours(record: Record) -> list[bytes]:
    """The header lines, but for the two that a signing proxy writes itself."""
    ours = (b"host:", b"authorization:")
    return [line for line in record.header_lines if not line.lower().startswith(ours)]
