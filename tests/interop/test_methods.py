"""Every signature method, and body hashes, as oauthlib and openssl understand them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from harness import THREE_LEGGED
from oauthlib.common import Request
from oauthlib.oauth1 import Client
from platform_server import PlatformServer
from rsa_keys import verify_by_openssl

JSON = ["-H", "Content-Type: application/json", "--data-raw", '{"name":"värde","a":"b&c=d"}']
REQUESTS = [
    ["/aps/2/resources?like(name,*abc*),sort(+name)&a=1&a=%C3%A9"],
    ["/form?a=0&b=x+y", "--data-raw", "a=1&b=x+y&c=%2B"],
    ["/orders?id=1", *JSON],
]


def methods(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("method", names)


@methods("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT")
def test_a_method_with_secrets_is_verified(bench_with, certificate, method):
    with PlatformServer(THREE_LEGGED, certificate, method) as platform:
        keys = f'signature_method = "{method}"\n'
        bench = bench_with(platform, credentials=THREE_LEGGED, keys=keys)
        for request in REQUESTS:
            arrived, _ = bench.through(*request)
            assert arrived.oauth["oauth_signature_method"] == method
            assert arrived.oauth["oauth_token"] == THREE_LEGGED.token


@methods("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
@pytest.mark.parametrize("form", ["PKCS #8", "PKCS #1", "PKCS #12, unpacked"])
def test_an_rsa_method_is_verified(bench_with, certificate, tmp_path, rsa_key, method, form):
    credentials = replace(THREE_LEGGED, public_key=rsa_key.public)
    with PlatformServer(credentials, certificate, method) as platform:
        keys = f'signature_method = "{method}"\n'
        private_key = rsa_key.forms[form]
        bench = bench_with(platform, credentials=credentials, keys=keys, private_key=private_key)
        for request in REQUESTS:
            arrived, _ = bench.through(*request)
            assert arrived.oauth["oauth_signature_method"] == method
            verify_by_openssl(tmp_path, platform, arrived, rsa_key.public)


def test_a_signature_by_another_key_is_refused(bench_with, certificate, rsa_key, other_rsa_key):
    credentials = replace(THREE_LEGGED, public_key=other_rsa_key.public)
    with PlatformServer(credentials, certificate, "RSA-SHA256") as platform:
        keys = 'signature_method = "RSA-SHA256"\n'
        bench = bench_with(platform, credentials=credentials, keys=keys, private_key=rsa_key.any)
        arrived, answer = bench.send("/aps/2/resources")
        assert (arrived.problem, answer.status) == ("signature_invalid", 401)


@methods("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512")
def test_a_body_that_is_no_form_is_hashed(bench_with, certificate, method):
    with PlatformServer(THREE_LEGGED, certificate, method) as platform:
        keys = f'signature_method = "{method}"\nbody_hash = true\n'
        bench = bench_with(platform, credentials=THREE_LEGGED, keys=keys)
        # That it fits is a rule of the platform's.
        for request in (
            ["/orders?id=1", *JSON],
            ["/orders", *JSON, "-H", "Transfer-Encoding: chunked"],
            ["/orders", "-X", "DELETE"],
        ):
            arrived, _ = bench.through(*request)
            assert "oauth_body_hash" in arrived.oauth
        arrived, _ = bench.through("/form", "--data-raw", "a=1&b=x+y")
        assert "oauth_body_hash" not in arrived.oauth


def test_a_body_hash_is_the_one_of_oauthlibs_client(bench_with, certificate):
    with PlatformServer(THREE_LEGGED, certificate) as platform:
        bench = bench_with(platform, credentials=THREE_LEGGED, keys="body_hash = true\n")
        arrived, _ = bench.through("/orders", *JSON)
    request = Request(platform.url, "POST", JSON[-1], {"Content-Type": "application/json"})
    expected = dict(Client("key").get_oauth_params(request))["oauth_body_hash"]
    assert arrived.oauth["oauth_body_hash"] == expected
    assert expected == base64.b64encode(hashlib.sha1(JSON[-1].encode()).digest()).decode()
