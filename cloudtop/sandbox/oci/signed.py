"""Whose requests the sandbox answers: the accounts, and the check of Oracle's signatures.

A request is signed over its date, target and host, and one with a body over that too; the sandbox checks the
signature as Oracle does. Both accounts share one key pair, which was made for this sandbox and opens nothing.
An account is also whoever shows its token, as sessions and principals do.
Source: Oracle's documentation of request signatures. Imported late: cryptography.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

KEY = """\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDMaNVsJv8RgpU/
obCkcBowpxk07V/+M5yZn5QomLAjCi0++d13yJj6Rdgc3LbxrDt34VeHSwu+3oDd
m2tYgN5Fwn4F2MWoFAAHjeCjBcDe+xHJYhtarNmY6M+1o6bi9NT69Ojf5mlx/qv+
BQLt5TQfFc4EjN5b7IofUWvai+Br0QbznqABJ/0q+13ikMTR1AH6wYdPiMQ1MhNr
i2j7xux2VWhVGAflV9KtggzEI0f/SQ+DOjWaVwFgAMgxAGsRsdoqwRCRSIEBKRJ6
ZLplDqVyUi+yoB+tZzSJdz7W4uUvBJdiQ74Ijst/4BETQH6P+46G+VqODOcAKdZx
KRME187TAgMBAAECggEAUhxSjy1jDM+d0H/NC2EUxDJ7h61LADwPTg6yX1RmfMzb
vA53DmUAPpjL5VwsCQycnt1gYbKdt0B+F4cVKeoqX29vXD3luEzAbkhp0lK/VVMZ
pAHK5zPD/Q6YUWi54zViUKUM3tQZy3b39ARjVtjZhRsnNOC5ecec/FOitZm2vtfy
vTLpqKcWyYPdkjCGBfHC17+6hWobke5Y1GDWgYhHavhYnxx3fPRNztwsQ4S/lUD/
dpFieDsbctzWbP9tEa39ce2TjQlCWuW5Q9ef6Aes4a/3AG0oJlOaWuiRt4WHzX8U
Ial10uXK6l/reSGxpQQ4ICiDtVjmzlDIZ7RhAj9r8QKBgQDtyRmwzEkq9OSCHFaQ
d6/C/P0GSqDt6YORArdrMAXBcnFqN3ylQ6mSgXZGvwg3TTo9vga5E3vymEFds454
z2muj/dUV+ybGj1z0VWdxf21rAQ2YVwKWtCUK1qWIWpJay+wqYOw1doPFFQ4j6et
GE3yAYXINs7EVYVk+hRtE4WczQKBgQDcET1bEmaEuQeFxdFqBnn3mcwHJN9tAFbU
EQWEm+dbBXLiaClpWM8wXlv8yi+/ZqaMnad3iEKVwLla3+ALGnDxW3kvUGXDq9XR
BEN9KrXK1CnBEZcVbMS2b8gXT7RmSoriUbJiYPpEHD8uclC8FjQvAN14QwKpGhYD
40jDXLEaHwKBgFRmkwXcHQRwVEOSh29T7EELx0vaZXDM9/QawLv9Ga3mTzdiZo3K
jIACD9dgqyvl74xGzOAYeGBNhrYZq7JZ/KsHUsTPSJ5tG+7mGLudsUYwvnYG7MKI
JYzSLp8nUTCqKQ1Nvf6giXvcvWAuLVgVTmVeAPxl59JsgKKs2V82FLDpAoGBAIq9
+7a9JREsLkfybZKwvpiRyAYBAzOPcS6GBLqUKApEpyeCkAkwyn8uHkSDnBLJvtsM
UhaUO5Z6SOG4H2Igq3AfQYnI4D+6yDTcwUfac36KwEBOvLfvOR3j33yC7bNH78O7
ygEoLuBeBp9bxvat8PxpSTeW18iQ/6w30RoKCEX1AoGACqsQ1UFCKnUPiFSi++2Z
0to150rxnowmvP3/DNQUUOSDFZqo3FSFCqmdNN816N4W3LQr9ZqQW59gpCYlZ1sf
oon7g/+6xtLvbDPJXJVxwSusH/X2KZK9MiGWWwqvkivpmVNnxSmIApiA2xTKJiHM
NIGKEUxer4OwULacl+POUZA=
-----END PRIVATE KEY-----
"""
FINGERPRINT = "62:a4:89:d7:a6:d0:f6:bb:47:9a:4b:0e:1f:5b:fe:b1"
ACCOUNTS = {
    "prod": {
        "user": "ocid1.user.oc1..brightwatercloudtop",
        "tenancy": "ocid1.tenancy.oc1..brightwater",
        "fingerprint": FINGERPRINT,
        "key_content": KEY,
    },
    "sandbox": {
        "user": "ocid1.user.oc1..brightwaterlabcloudtop",
        "tenancy": "ocid1.tenancy.oc1..brightwaterlab",
        "fingerprint": FINGERPRINT,
        "key_content": KEY,
    },
}
SIGNED = ("date", "(request-target)", "host")
SIGNED_BODY = ("content-length", "content-type", "x-content-sha256")
PARTS = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Asked:
    """A request as it came; names of headers are lower case, `target` is its path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Refusal(Exception):
    """An error as Oracle tells it: its code, its words, its status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def account(asked: Asked) -> str:
    """The account whose key signed a request; Refusal for a signature that is wrong or nobody's."""
    told = dict(PARTS.findall(asked.headers.get("authorization", "")))
    shown = told.get("keyId")
    owner = next(
        (name for name, keys in ACCOUNTS.items() if shown in (_key_id(keys), f"ST${token(name)}")), None
    )
    wanted = SIGNED + (SIGNED_BODY if asked.method == "POST" else ())
    names = tuple(told.get("headers", "").split())
    digest = base64.b64encode(hashlib.sha256(asked.body).digest()).decode()
    whole = asked.method != "POST" or asked.headers.get("x-content-sha256") == digest
    if owner is None or names != wanted or not whole or not _valid(asked, names, told.get("signature", "")):
        said = "The required information to complete authentication was not provided or was incorrect."
        raise Refusal("NotAuthenticated", said, 401)
    return owner


def token(name: str) -> str:
    """The token of an account, whose claims name its tenancy; nobody looks at its signature."""
    claims = {"res_tenant": ACCOUNTS[name]["tenancy"], "exp": 4_102_444_800}
    parts = (base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in ({"alg": "none"}, claims))
    return ".".join((*(one.rstrip("=") for one in parts), "none"))


def _key_id(keys: Mapping[str, str]) -> str:
    return "/".join((keys["tenancy"], keys["user"], keys["fingerprint"]))


def _valid(asked: Asked, names: tuple[str, ...], signature: str) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    values = {**asked.headers, "(request-target)": f"{asked.method.lower()} {asked.target}"}
    text = "\n".join(f"{name}: {values.get(name, '')}" for name in names)
    try:
        _public().verify(base64.b64decode(signature), text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


@cache
def _public() -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(KEY.encode(), None).public_key()
