"""Bodies stream through in either direction, whatever their size and framing."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from platform_server import download

SIZE = 100 << 20
UPLOAD = "/aps/2/resources/1000017/upload?vendorId=a(b)+c"


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("big") / "big"
    noise = random.Random(1)
    with path.open("wb") as out:
        for _ in range(SIZE >> 20):
            out.write(noise.randbytes(1 << 20))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_binary_body_is_forwarded_byte_for_byte(bench, tmp_path):
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 300)
    kind = ["-H", "Content-Type: application/octet-stream"]
    arrived, _ = bench.through(UPLOAD, *kind, "--data-binary", f"@{blob}")
    assert arrived.body == blob.read_bytes()


def test_100_mib_are_uploaded_with_their_length(bench, big_file):
    arrived, _ = bench.through(UPLOAD, "-T", str(big_file))
    assert (arrived.method, arrived.framing) == ("PUT", "length")
    assert (arrived.body_bytes, arrived.body_sha256) == (SIZE, sha256(big_file))


def test_100_mib_are_uploaded_in_chunks(bench, big_file):
    arrived, _ = bench.through(UPLOAD, "-X", "POST", "-T", "-", stdin=big_file)
    assert (arrived.method, arrived.framing) == ("POST", "chunked")
    assert (arrived.body_bytes, arrived.body_sha256) == (SIZE, sha256(big_file))


def test_a_body_that_is_waited_for_with_100_continue_arrives(bench, tmp_path):
    blob = tmp_path / "blob"
    blob.write_bytes(b"x" * 100_000)
    arrived, _ = bench.through(UPLOAD, "-H", "Expect: 100-continue", "-T", str(blob))
    assert arrived.body == blob.read_bytes()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_100_mib_are_downloaded(bench, framing):
    arrived, answer = bench.through(f"/download?bytes={SIZE}&framing={framing}")
    expected = hashlib.sha256()
    for piece in download(SIZE):
        expected.update(piece)
    assert hashlib.sha256(answer.body).hexdigest() == expected.hexdigest()
    assert arrived.complete


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_empty_answer_stays_empty(bench, framing):
    _, answer = bench.through(f"/download?bytes=0&framing={framing}")
    assert answer.body == b""
