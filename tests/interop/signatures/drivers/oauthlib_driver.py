"""oauthlib: the functions its client and its server share."""

from urllib.parse import urlsplit

from driver import answer_all, protocol_parameters
from oauthlib.common import extract_params
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import parameters, signature


def answer(request):
    # As its client does; what follows would leave such a form out.
    if request["form"] is not None and extract_params(request["form"]) is None:
        raise ValueError("the form is not decodable")
    # Its client always sends a version and never an empty token: the header is written by hand.
    headers = parameters.prepare_headers(protocol_parameters(request), {})
    collected = signature.collect_parameters(
        uri_query=urlsplit(request["url"]).query, body=request["form"], headers=headers
    )
    base_string = signature.signature_base_string(
        request["method"],
        signature.base_string_uri(request["url"]),
        signature.normalize_parameters(collected),
    )
    client = Client(
        request["consumer_key"],
        client_secret=request["consumer_secret"],
        resource_owner_key=request["token"],
        resource_owner_secret=request["token_secret"],
        signature_method=request["signature_method"],
    )
    return base_string, client.SIGNATURE_METHODS[request["signature_method"]](base_string, client)


answer_all(answer)
