"""The presets, each in front of a platform that verifies as the service's documentation says."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from harness import CREDENTIALS, PRESETS
from platform_server import Credentials, PlatformServer
from rsa_keys import verify_by_openssl

KEY, SECRET = CREDENTIALS.consumer_key, CREDENTIALS.consumer_secret
# The token is the one that stands in the files until their users fill in their own.
TWO_LEGGED, EMPTY = Credentials(KEY, SECRET), Credentials(KEY, SECRET, "", "")
TOKEN = Credentials(KEY, SECRET, "YOUR-TOKEN", "t&k%n s=cr/t+")
RSA, RSA_TOKEN = Credentials(KEY), Credentials(KEY, "", "YOUR-TOKEN")


@dataclass(frozen=True)
class Service:
    method: str
    credentials: Credentials
    requests: list[list[str]]
    realm: str | None = None
    body_hash: bool = False


def json(content: str) -> list[str]:
    return ["-H", "Content-Type: application/json", "--data-raw", content]


RESTLET = "/app/site/hosting/restlet.nl?script=1&deploy=1"
SERVICES = {
    "aps": Service(
        "HMAC-SHA1",
        TWO_LEGGED,
        [
            ["/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0)"],
            ["/aps/2/services/order-manager/orders?like(orderNumber,*CL000058),sort(+id)"],
        ],
    ),
    "cardmarket": Service(
        "HMAC-SHA1",
        TOKEN,
        [["/ws/v2.0/users/karmacrow/articles?start=0&maxResults=2"], ["/ws/v2.0/account"]],
        realm="uri",
    ),
    "jira": Service(
        "RSA-SHA1",
        RSA_TOKEN,
        [
            ["/rest/api/2/issue", *json('{"fields":{"summary":"värde"}}')],
            ["/rest/api/2/search?jql=project%20%3D%20TEST+order+by+created"],
        ],
    ),
    "magento": Service(
        "HMAC-SHA256",
        TOKEN,
        [
            # oauthlib reads brackets only where they are encoded; a server of PHP takes them raw, too.
            ["/rest/V1/orders?searchCriteria%5BpageSize%5D=10"],
            ["/rest/V1/products/24-MB01", "-X", "PUT", *json('{"product":{"price":35}}')],
        ],
    ),
    "mastercard": Service(
        "RSA-SHA256",
        RSA,
        [
            ["/fraud/v1/inquiry?Format=JSON&PageOffset=0", *json('{"name":"bår"}')],
            ["/locations/v1/atms?Latitude=38.53&Longitude=-90.28"],
        ],
        body_hash=True,
    ),
    "netsuite": Service(
        "HMAC-SHA256", TOKEN, [[RESTLET], [RESTLET, *json('{"id":"1"}')]], realm="1234567_SB1"
    ),
    "schoology": Service(
        "HMAC-SHA1", EMPTY, [["/v1/users?start=0&limit=20"]], realm="Schoology API"
    ),
    "x": Service(
        "HMAC-SHA1",
        TOKEN,
        [
            ["/1.1/statuses/update.json?include_entities=true"]
            + ["--data-urlencode", "status=Hello Ladies + Gentlemen, a signed OAuth request!"],
            ["/2/tweets", *json('{"text":"Hello"}')],
        ],
    ),
}


def test_there_is_no_preset_but_those():
    assert {path.stem for path in PRESETS.iterdir()} == SERVICES.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_preset_is_verified(bench_with, certificate, tmp_path, rsa_key, name):
    service = SERVICES[name]
    is_rsa = service.method.startswith("RSA")
    credentials = replace(service.credentials, public_key=rsa_key.public if is_rsa else None)
    with PlatformServer(credentials, certificate, service.method) as platform:
        private_key = rsa_key.any if is_rsa else None
        bench = bench_with(platform, credentials=credentials, preset=name, private_key=private_key)
        for request in service.requests:
            arrived, _ = bench.through(*request)
            header = arrived.values("authorization")[0]
            path = arrived.target.partition("?")[0]
            realm = platform.url + path if service.realm == "uri" else service.realm
            assert ("realm=" in header) == (realm is not None)
            assert realm is None or header.startswith(f'OAuth realm="{realm}", oauth_')
            assert ("oauth_token" in arrived.oauth) == (credentials.token is not None)
            assert ("oauth_body_hash" in arrived.oauth) == service.body_hash
            if is_rsa:
                verify_by_openssl(tmp_path, platform, arrived, rsa_key.public)
