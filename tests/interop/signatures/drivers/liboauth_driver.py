"""liboauth (C), called through its shared library."""

import ctypes
from functools import cmp_to_key

from driver import Unsupported, answer_all

lib = ctypes.CDLL("liboauth.so.0")
TEXT = ctypes.c_char_p
TEXTS = ctypes.POINTER(TEXT)
for name in ("oauth_serialize_url_parameters", "oauth_catenc", "oauth_sign_hmac_sha1"):
    getattr(lib, name).restype = TEXT
# OAuthMethod of oauth.h
METHODS = {"HMAC-SHA1": 0, "PLAINTEXT": 2}


def answer(request):
    if not request["version"]:
        raise Unsupported("a request without oauth_version")
    if request["signature_method"] not in METHODS:
        raise Unsupported(request["signature_method"])
    count, parameters = ctypes.c_int(), TEXTS()

    def add(name, value):
        lib.oauth_add_param_to_array(
            ctypes.byref(count), ctypes.byref(parameters), f"{name}={value}".encode()
        )

    count.value = lib.oauth_split_url_parameters(request["url"].encode(), ctypes.byref(parameters))
    if request["form"] is not None:
        pieces = TEXTS()
        fields = lib.oauth_split_post_paramters(request["form"].encode(), ctypes.byref(pieces), 5)
        for field in range(fields):
            lib.oauth_add_param_to_array(
                ctypes.byref(count), ctypes.byref(parameters), pieces[field]
            )
    add("oauth_timestamp", request["timestamp"])
    add("oauth_nonce", request["nonce"])
    for name, value in request["extra"].items():
        add(name, value)
    lib.oauth_sign_array2_process(
        ctypes.byref(count),
        ctypes.byref(parameters),
        None,
        METHODS[request["signature_method"]],
        request["method"].encode(),
        *(
            value and value.encode()
            for value in (
                request["consumer_key"],
                request["consumer_secret"],
                request["token"],
                request["token_secret"],
            )
        ),
    )
    signed = [parameters[index] for index in range(count.value)]
    signature = signed[-1].removeprefix(b"oauth_signature=").decode()
    return base_string(request["method"], signed), signature


def base_string(method, signed):
    """It keeps its base string to itself; the same steps with the same functions make it again."""
    def compare(one, other):
        return lib.oauth_cmpstringp(ctypes.byref(TEXT(one)), ctypes.byref(TEXT(other)))

    # The first is the URL and the last the signature.
    ordered = [signed[0], *sorted(signed[1:-1], key=cmp_to_key(compare))]
    array = (TEXT * len(ordered))(*ordered)
    normalised = lib.oauth_serialize_url_parameters(len(ordered), array)
    return lib.oauth_catenc(3, method.upper().encode(), ordered[0], normalised).decode()


answer_all(answer)
