"""Requests whose signatures are printed in specifications."""


def published():
    photos = {"consumer_key": "dpf43f3p2l4k3l03", "consumer_secret": "kd94hf93k423kf44"}
    photo = photos | {
        "url": "http://photos.example.net/photos?file=vacation.jpg&size=original",
        "token": "nnch734d00sl2jdk",
        "token_secret": "pfkkdhi9sl3r4s00",
    }
    yield "rfc5849-1.2-temporary-credentials", photos | {
        "method": "POST",
        "url": "https://photos.example.net/initiate",
        "timestamp": "137131200",
        "nonce": "wIjqoS",
        "version": False,
        "extra": {"oauth_callback": "http://printer.example.com/ready"},
    }
    yield "rfc5849-1.2-token", photos | {
        "method": "POST",
        "url": "https://photos.example.net/token",
        "token": "hh5s93j4hdidpola",
        "token_secret": "hdhd0244k9j7ao03",
        "timestamp": "137131201",
        "nonce": "walatlh",
        "version": False,
        "extra": {"oauth_verifier": "hfdp7dh39dks9884"},
    }
    yield "rfc5849-1.2-photo", photo | {
        "timestamp": "137131202",
        "nonce": "chapoH",
        "version": False,
    }
    # The secrets are in the RFC's errata; the signature it prints does not verify.
    yield "rfc5849-3.4.1.1", {
        "method": "POST",
        "url": "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        "form": "c2&a3=2+q",
        "consumer_key": "9djdj82h48djs9d2",
        "consumer_secret": "j49sk3j29djd",
        "token": "kkk9d7dh3k39sjv7",
        "token_secret": "dh893hdasih9",
        "timestamp": "137131201",
        "nonce": "7d8f3e4a",
        "version": False,
    }
    yield "oauth-core-a.5", photo | {"timestamp": "1191242096", "nonce": "kllo9940pd9333jh"}
    yield "x-creating-a-signature", {
        "method": "POST",
        "url": "https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
        "form": "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
        "consumer_key": "xvz1evFS4wEEPTGEFPHBog",
        "consumer_secret": "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
        "token_secret": "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        "timestamp": "1318622958",
        "nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
    }
    # RFC 5849 3.4.1.2 has the two URIs only.
    yield "rfc5849-3.4.1.2-http", {"url": "http://EXAMPLE.COM:80/r%20v/X?id=123"}
    yield "rfc5849-3.4.1.2-https", {"url": "https://www.example.net:8080/?q=1"}
