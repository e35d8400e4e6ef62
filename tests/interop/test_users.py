"""Other users of the machine: what the system and the daemon keep from them. Only root can play them all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import BINARY, CREDENTIALS, secret_file

# Numbers that are nobody's, so that the test depends on no account.
DAEMON, ALLOWED, OTHER = 61001, 61002, 61003

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for other users")


def as_user(uid: int, *command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    switch = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return subprocess.run(
        [*switch, *map(str, command)], text=True, capture_output=True, timeout=60, **options
    )


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody can enter, with the program; those of pytest are its user's alone."""
    with tempfile.TemporaryDirectory(prefix="undersign-users-") as directory:
        path = Path(directory)
        path.chmod(0o755)
        shutil.copy(BINARY, path / "undersign")
        yield path


@pytest.fixture
def start(place, platform) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts the daemon for a user, listening on a socket in that place."""
    started = []

    def start(uid: int, access: str = "") -> subprocess.Popen:
        own = place / "own"
        own.mkdir()
        secret = secret_file(own / "secret", CREDENTIALS.consumer_secret)
        configuration = own / "undersign.toml"
        configuration.write_text(
            f'[proxy.a]\nlisten = "unix:{place}/socket/proxy.sock"\nupstream = "{platform.url}"\n'
            f'consumer_key = "{CREDENTIALS.consumer_key}"\nconsumer_secret_file = "{secret}"\n'
            f'tls.trust = "self-signed"\naccess = {{ {access} }}\n'
        )
        (place / "socket").mkdir()
        for path in (own, secret, place / "socket"):
            os.chown(path, uid, uid)
        own.chmod(0o700)
        command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        command += [place / "undersign", "run", "--config", configuration]
        environment = {"PATH": os.environ["PATH"], "CANARY": "in the environment"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        started.append(process)
        deadline = time.monotonic() + 20
        while not (place / "socket" / "proxy.sock").exists():
            assert process.poll() is None and time.monotonic() < deadline, "it does not listen"
            time.sleep(0.01)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


def ask(uid: int, place: Path) -> str:
    """The status that this user gets, or why there is none."""
    socket = place / "socket" / "proxy.sock"
    command = ["curl", "-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}"]
    done = as_user(uid, *command, "--unix-socket", socket, "http://localhost/x")
    return done.stdout if done.returncode == 0 else f"curl: {done.returncode}"


def test_a_socket_is_its_owners_alone(start, place, platform):
    start(DAEMON)
    platform.take()
    for uid in (ALLOWED, OTHER):
        assert ask(uid, place) == "curl: 7", "could not connect"
    assert platform.take() == []
    assert ask(DAEMON, place) == "200"
    assert ask(0, place) == "200"


def test_a_socket_serves_the_listed_users_alone(start, place, platform):
    start(DAEMON, f"allowed_uids = [{ALLOWED}]")
    platform.take()
    for uid in (OTHER, DAEMON, 0):
        assert ask(uid, place) == "403"
    assert platform.take() == []
    assert ask(ALLOWED, place) == "200"
    (record,) = platform.take()
    assert record.problem == ""


def test_the_process_is_closed_even_to_its_own_user(start, place):
    process = start(DAEMON)
    for uid in (DAEMON, OTHER):
        for file in ("environ", "mem", "maps", "auxv"):
            done = as_user(uid, "head", "-c1", f"/proc/{process.pid}/{file}")
            assert done.returncode != 0 and done.stdout == "", f"{uid} reads {file}"
    # The same user's other processes are open; so it is not the system that closes all.
    command = ["setpriv", f"--reuid={DAEMON}", f"--regid={DAEMON}", "--clear-groups", "sleep", "60"]
    with subprocess.Popen(command) as sleeper:
        deadline = time.monotonic() + 20
        while as_user(DAEMON, "head", "-c1", f"/proc/{sleeper.pid}/environ").returncode:
            assert time.monotonic() < deadline
        sleeper.kill()


def test_a_secret_of_another_users_is_not_read(place):
    secret = secret_file(place / "secret", CREDENTIALS.consumer_secret)
    words = ["check", "--upstream=https://up.invalid", "--consumer-key=key"]
    done = as_user(OTHER, place / "undersign", *words, f"--consumer-secret-file={secret}")
    assert done.returncode == 78
    assert "cannot be read (Permission denied" in done.stderr
    assert str(secret) not in done.stderr


def may_mount() -> bool:
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this root may not mount anything")
@pytest.mark.parametrize(
    ("after", "code"),
    # Read-only, as systemd leaves it; and on the way there.
    [("mount -o remount,ro ramfs {directory}", 0), ("true", 78)],
)
def test_a_credential_of_systemds_is_read(place, after, code):
    """They belong to root, in a file system in memory; an ACL shows as the group's permission."""
    secret = secret_file(place / "secret", CREDENTIALS.consumer_secret)
    directory = place / "credentials"
    directory.mkdir()
    configuration = place / "undersign.toml"
    configuration.write_text(
        '[proxy.a]\nupstream = "https://up.invalid"\nconsumer_key = "key"\n'
        'consumer_secret_file = "${CREDENTIALS_DIRECTORY}/aps"\n'
    )
    script = (
        f"mount -t ramfs ramfs {directory} && install -m 440 -g {DAEMON} {secret} {directory}/aps &&"
        f" chmod 755 {directory} && {after.format(directory=directory)} &&"
        f" exec setpriv --reuid={DAEMON} --regid={DAEMON} --clear-groups"
        f" {place}/undersign check --config {configuration}"
    )
    environment = {"PATH": os.environ["PATH"], "CREDENTIALS_DIRECTORY": str(directory)}
    command = ["unshare", "--mount", "sh", "-c", script]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert CREDENTIALS.consumer_secret not in done.stdout + done.stderr
