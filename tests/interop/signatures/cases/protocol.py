"""Credentials and other protocol parameters, and signature methods."""

from .plain import PLAIN, TOKEN


def credentials():
    query = {"url": f"{PLAIN['url']}?a=1"}
    yield "token", query | TOKEN
    yield "token-empty", query | {"token": "", "token_secret": ""}
    yield "token-empty-with-secret", query | {"token": "", "token_secret": "fake-token-secret"}
    yield "token-without-secret", query | {"token": "fake-token", "token_secret": ""}
    reserved = "a&b=c+d/e%f g"
    yield "consumer-key-reserved", query | {"consumer_key": reserved}
    yield "consumer-key-escape", query | {"consumer_key": "a%41b"}
    yield "consumer-key-utf-8", query | {"consumer_key": "clé"}
    yield "consumer-secret-reserved", query | {"consumer_secret": reserved}
    yield "consumer-secret-more-reserved", query | {"consumer_secret": "!*'()~-._"}
    yield "consumer-secret-escape", query | {"consumer_secret": "a%26b"}
    yield "consumer-secret-utf-8", query | {"consumer_secret": "geheim-ü€🔑"}
    yield "consumer-secret-empty", query | {"consumer_secret": ""}
    yield "consumer-secret-128", query | {"consumer_secret": "0123456789abcdef" * 8}
    yield "consumer-secret-spaces-around", query | {"consumer_secret": " s "}
    yield "token-reserved", query | TOKEN | {"token": reserved}
    yield "token-escape", query | TOKEN | {"token": "a%41b"}
    yield "token-utf-8", query | TOKEN | {"token": "жетон"}
    yield "token-secret-reserved", query | TOKEN | {"token_secret": reserved}
    yield "token-secret-utf-8", query | TOKEN | {"token_secret": "geheim-ü€🔑"}
    yield "secrets-empty", query | TOKEN | {"consumer_secret": "", "token_secret": ""}
    yield "consumer-secret-ampersand-at-end", query | {"consumer_secret": "secret&"}


def stamps():
    yield "timestamp-one", {"timestamp": "1"}
    yield "timestamp-zero", {"timestamp": "0"}
    yield "timestamp-after-2038", {"timestamp": "4102444800"}
    yield "nonce-reserved", {"nonce": "a+b/c=="}
    yield "nonce-long", {"nonce": "0123456789abcdef" * 4}
    yield "version-none", {"version": False}
    yield "version-none-with-token", TOKEN | {"version": False}
    yield "callback-oob", {"method": "POST", "extra": {"oauth_callback": "oob"}}
    yield "callback-with-query", {
        "method": "POST",
        "extra": {"oauth_callback": "https://client.example.com/cb?a=1&b=%20+c"},
    }
    yield "verifier", TOKEN | {"method": "POST", "extra": {"oauth_verifier": "473f82d3"}}


def signature_methods():
    for method in ("HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"):
        signed = {"signature_method": method}
        name = method.lower()
        yield f"{name}", signed | {"url": f"{PLAIN['url']}?a=1&b=two%20words"}
        yield f"{name}-token", signed | TOKEN
        yield f"{name}-form", signed | TOKEN | {"method": "POST", "form": "a=b+c&d=%C3%A9"}
        yield f"{name}-secrets-reserved", signed | {
            "token": "t",
            "consumer_secret": "a&b=c+d/e%f g",
            "token_secret": "!*'()",
        }
        yield f"{name}-secrets-utf-8", signed | {
            "token": "t",
            "consumer_secret": "geheim-ü",
            "token_secret": "🔑",
        }
        yield f"{name}-secrets-empty", signed | {"consumer_secret": ""}
        yield f"{name}-version-none", signed | {"version": False}
