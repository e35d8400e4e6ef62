"""The requests of the table: each shape and trap once.

A case is a name and what it does not share with `PLAIN`. The order is the table's.
"""

from . import parameters, protocol, published, services, uris
from .plain import PLAIN

__all__ = ["PLAIN", "all_cases"]


def all_cases():
    named = {}
    for section in (
        published.published(),
        parameters.queries(),
        parameters.bytes_of_a_query(),
        parameters.order(),
        uris.paths(),
        uris.authorities(),
        uris.methods(),
        parameters.forms(),
        protocol.credentials(),
        protocol.stamps(),
        protocol.signature_methods(),
        services.platform(),
        services.services(),
    ):
        for name, case in section:
            assert name not in named, f"two cases are called {name}"
            named[name] = PLAIN | case
    return [{"id": name} | case for name, case in named.items()]
