"""Authlib: its client's signing, with the header written by hand."""

import os

# Or it refuses http.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "true"

from authlib.oauth1.rfc5849.client_auth import ClientAuth
from authlib.oauth1.rfc5849.parameters import prepare_headers
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from driver import Unsupported, answer_all, protocol_parameters


def answer(request):
    if request["signature_method"] not in ClientAuth.SIGNATURE_METHODS:
        raise Unsupported(request["signature_method"])
    client = ClientAuth(
        request["consumer_key"],
        client_secret=request["consumer_secret"],
        token=request["token"],
        token_secret=request["token_secret"],
        signature_method=request["signature_method"],
    )
    headers = prepare_headers(protocol_parameters(request), {})
    parts = request["method"], request["url"], request["form"], headers
    base_string = generate_signature_base_string(OAuth1Request(*parts))
    method, url, form, headers = parts
    return base_string, client.get_oauth_signature(method, url, headers, form)


answer_all(answer)
