"""Where the server is: the names it answers to, and the pages that may ask it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudtop import net

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ANY = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Place:
    """Where the server is, and under which names it may be asked for."""

    host: str
    public_url: str | None = None
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def is_host(self, header: str) -> bool:
        """Whether a Host header names this server: a name of an attacker's that leads here does not."""
        found = _HOST.fullmatch(header)
        if not found:
            return False
        name = found[1].strip("[]").lower().rstrip(".")
        own = {self.host.lower()} - set(_ANY) | {one.lower() for one in self.hosts}
        if self.public_url:
            own.add(net.split(self.public_url).hostname or "")
        return name in own or net.is_loopback(name)

    def is_origin(self, header: str) -> bool:
        """Whether pages of this origin may ask; those of this machine only a server for it alone."""
        found = _ORIGIN.fullmatch(header)
        if not found:
            return False
        if header.lower() in {one.lower().rstrip("/") for one in self.origins}:
            return True
        if self.public_url:
            parts = net.split(self.public_url)
            if header.lower() == f"{parts.scheme}://{parts.netloc}".lower():
                return True
        return net.is_loopback(self.host) and net.is_loopback(found[2].strip("[]"))

    def resource(self, host: str) -> str:
        """The URL of the MCP endpoint as the client knows it."""
        return self.public_url or f"http://{host}{PATH}"

    def metadata(self, host: str) -> str:
        """The URL of the metadata of the protected resource (RFC 9728)."""
        parts = net.split(self.resource(host))
        return f"{parts.scheme}://{parts.netloc}{METADATA}{parts.path.rstrip('/')}"
