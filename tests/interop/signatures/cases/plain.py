"""What the cases share, with throw-away values."""

PLAIN = {
    "method": "GET",
    "url": "https://api.example.com/v1/items",
    "form": None,
    "consumer_key": "fake-consumer-key",
    "consumer_secret": "fake-consumer-secret",
    "token": None,
    "token_secret": None,
    "signature_method": "HMAC-SHA1",
    "timestamp": "1700000000",
    "nonce": "nonce-1",
    "version": True,
    # Protocol parameters beside the usual ones, as oauth_callback.
    "extra": {},
}

ORIGIN = "https://api.example.com"
TOKEN = {"token": "fake-token", "token_secret": "fake-token-secret"}
