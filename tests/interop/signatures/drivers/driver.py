"""What the Python drivers share: requests in, answers out, a line of JSON each."""

import json
import sys


class Unsupported(Exception):
    """What the implementation has no means to express, whatever the request."""


def protocol_parameters(request):
    pairs = [
        ("oauth_consumer_key", request["consumer_key"]),
        ("oauth_token", request["token"]),
        ("oauth_signature_method", request["signature_method"]),
        ("oauth_timestamp", request["timestamp"]),
        ("oauth_nonce", request["nonce"]),
        ("oauth_version", "1.0" if request["version"] else None),
        *request["extra"].items(),
    ]
    return [(name, value) for name, value in pairs if value is not None]


def answer_all(answer):
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"id": request["id"]}
        try:
            reply["base_string"], reply["signature"] = answer(request)
        except Unsupported as reason:
            reply["unsupported"] = str(reason)
        # Whatever an implementation raises is its refusal.
        except Exception as error:
            reply["refusal"] = f"{type(error).__name__}: {error}"
        print(json.dumps(reply))
