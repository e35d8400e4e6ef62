"""The table as text: TOML, one key a line, so that it can be reviewed and compared."""

from __future__ import annotations

import hashlib
import json

HEAD = """\
# Requests, and the signature base strings and signatures that independent implementations of
# OAuth 1.0a give for them. Made by tests/interop/signatures/make; not to be edited.
#
# What a request does not say is as in [plain]; without a form or token there it has none. `agree`
# names the implementations that give this base string and signature, `refuse` those that accept no
# such request, `unsupported` those that lack what it takes, and `differ` what the others sign;
# `why` is what decides between them. All keys, secrets and tokens are made up or published.
"""

# A longer base string of those that differ is given by its digest.
LONGEST = 500


def render(table: dict) -> str:
    parts = [HEAD, section("[implementations]", table["implementations"])]
    parts.append(section("[plain]", table["plain"]))
    for row in table["requests"]:
        differ = [shortened(found) for found in row.get("differ", [])]
        fields = {key: value for key, value in row.items() if key != "differ" and value != []}
        parts.append(section("[[requests]]", fields))
        parts += [section("[[requests.differ]]", found) for found in differ]
    return "\n".join(parts)


def shortened(found: dict) -> dict:
    """By whom, and what they sign: the signature only where the base string is not known."""
    by, text = found["by"], found.get("base_string")
    if "base_string_sha256" in found:
        return {"by": by, "base_string_sha256": found["base_string_sha256"]}
    if text is None:
        return {"by": by, "signature": found["signature"]}
    if len(text) > LONGEST:
        return {"by": by, "base_string_sha256": hashlib.sha256(text.encode()).hexdigest()}
    return {"by": by, "base_string": text}


def section(header: str, fields: dict) -> str:
    lines = [f"{key_text(key)} = {value_text(value)}" for key, value in fields.items()]
    return "\n".join([header, *lines]) + "\n"


def key_text(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else string(key)


def value_text(value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return string(value)
        case list():
            return "[" + ", ".join(map(value_text, value)) + "]"
        case dict():
            pairs = [f"{key_text(key)} = {value_text(item)}" for key, item in value.items()]
            return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    raise TypeError(type(value))


def string(text: str) -> str:
    # A basic string of TOML is one of JSON, but for this character, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
