"""Bearer tokens: what opens, and what is said when one is refused. They are of a `token_file` or an `issuer`.

A token itself is never kept: the file's are known by their SHA-256, a JWT's verdict by that of the token.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from cloudtop.errors import CloudtopError
from mcp_server.limits import SCOPES, Caller

if TYPE_CHECKING:
    from mcp_server.issuer import Issuer
    from mcp_server.token_file import TokenFile

LONGEST = 8_192
"""Characters of any token."""

PLAIN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a bearer token is written in (RFC 6750)."""


class Denied(CloudtopError):
    """A token that opens nothing: 401, or 503 when it could not be checked."""

    def __init__(self, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


def digest(token: str) -> str:
    """The SHA-256 of a token, as it may stand in the file."""
    return hashlib.sha256(token.encode()).hexdigest()


class Doors:
    """Everything that opens: the file's tokens, the issuer's, or both."""

    def __init__(self, tokens: TokenFile | None, issuer: Issuer | None) -> None:
        self._tokens, self.issuer = tokens, issuer

    async def caller(self, header: str | None) -> Caller:
        """The caller of an Authorization header; Denied says why there is none."""
        scheme, _, token = (header or "").strip().partition(" ")
        token = token.strip()
        if not header:
            raise Denied("")
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST or not PLAIN.fullmatch(token):
            raise Denied("The Authorization header is not: Bearer and a token.")
        found = self._tokens.caller(digest(token)) if self._tokens else None
        if found is not None:
            return found
        if self.issuer is not None and token.count(".") == 2:
            return await self.issuer.caller(token)
        raise Denied("The token is not known here.")

    def metadata(self, resource: str) -> dict[str, Any]:
        """Protected-resource metadata (RFC 9728)."""
        said: dict[str, Any] = {
            "resource": resource,
            "resource_name": "cloudtop",
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
        }
        if self.issuer is not None:
            said["authorization_servers"] = [self.issuer.url]
        return said


def challenge(metadata: str, error: str | None = None, words: str = "", scope: str = "") -> str:
    """A WWW-Authenticate header. Without any token sent there is no error in it (RFC 6750)."""
    parts = {"error": error, "error_description": words if error else "", "scope": scope}
    said = [f'{name}="{_quoted(value)}"' for name, value in parts.items() if value]
    return "Bearer " + ", ".join([*said, f'resource_metadata="{_quoted(metadata)}"'])


def _quoted(text: str) -> str:
    return re.sub(r'[^ -~]|["\\]', "", text)
