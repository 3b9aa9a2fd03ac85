"""Who asks: a token for each account, out of what is configured or what Google's own tools keep.

`access_token` is used as it is. `key_file` (of a service account, of a person, of a workload identity), the
file that GOOGLE_APPLICATION_CREDENTIALS names, gcloud's application default credentials and ~/.gcp are read
by google-auth, which renews tokens before they end; its requests pass the door like all others. The
machine's own service account is asked for only where the settings say `method: service_account` without a
key_file: nobody else waits for an address that is not there.
Imported late: google.auth, with the first account that has no token.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized
from cloudtop.settings import variable

if TYPE_CHECKING:
    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.gcp_door import GoogleDoor
    from connectors.http import Http

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
"""Several APIs accept no narrower one; what may be done is said by roles."""
READERS = {
    "service_account": ("google.oauth2.service_account", "from_service_account_info"),
    "authorized_user": ("google.oauth2.credentials", "from_authorized_user_info"),
    "impersonated_service_account": (
        "google.auth.impersonated_credentials",
        "from_impersonated_service_account_info",
    ),
    "external_account": ("google.auth.identity_pool", "from_info"),
}
"""What reads a file, by the type that stands in it."""
FILE = "GOOGLE_APPLICATION_CREDENTIALS"
PROJECT = "GOOGLE_CLOUD_PROJECT"


@dataclass(frozen=True, slots=True)
class Identity:
    """A token, the project that its credentials name, and who is billed where that must be said."""

    token: str
    project: str | None = None
    quota_project: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        billed = {"X-Goog-User-Project": self.quota_project} if self.quota_project else {}
        return {"Authorization": f"Bearer {self.token}", **billed}


class Identities:
    """The identity of each account, renewed when it is about to end."""

    def __init__(self, facts: Facts, settings: ProviderSettings, http: Http, door: GoogleDoor) -> None:
        self._facts, self._settings, self._http, self._door = facts, settings, http, door
        self._found: dict[str, tuple[Any, str | None]] = {}
        self._renewing: dict[str, asyncio.Lock] = {}

    async def of(self, account: str) -> Identity:
        """Who asks for an account. Raises NotConfigured where there is nobody."""
        named = self._settings.named_credentials(account)
        token = self._http.key(account, "access_token")
        if token and not named:
            if not (token.isascii() and token.isprintable()):
                message = f"The token configured for {self._facts.title} holds characters that no token has."
                raise Unauthorized(message, f"Set {self._facts.to_set} anew.")
            return Identity(token)
        if not self._settings.source(account):
            message = f"{self._facts.title} needs an identity for this, and {account} has none."
            step = f"Run `gcloud auth application-default login`, or set {self._facts.to_set}."
            raise NotConfigured(message, step)
        async with self._renewing.setdefault(account, asyncio.Lock()):
            found, project = await self._valid(account, named)
        quota = getattr(found, "quota_project_id", None)
        return Identity(found.token, project, quota)

    async def project(self, account: str) -> str | None:
        """The project of an account: as configured, else that of its credentials; None where nobody says."""
        told = self._settings.auth_of(account)
        configured = told.get("project_id") or told.get("project")
        if not configured and account in ("default", "public"):
            configured = variable(PROJECT)
        return str(configured) if configured else (await self.of(account)).project

    async def _valid(self, account: str, named: dict[str, str]) -> tuple[Any, str | None]:
        """Credentials with a token that holds for a while, and their project."""
        known = self._found.get(account)
        if known is not None and known[0].valid:
            return known

        def renewed() -> tuple[Any, str | None]:
            made = known or self._opened(account, named)
            if not made[0].valid:
                made[0].refresh(self._transport(named, account))
            return made

        self._found[account] = await self._door.run(renewed, account, self._trouble)
        return self._found[account]

    def _opened(self, account: str, named: dict[str, str]) -> tuple[Any, str | None]:
        """In a thread: the credentials, found and read."""
        if file := named.get("key_file"):
            return self._read(file)
        if self._own_machine(named):
            from google.auth import compute_engine

            return compute_engine.Credentials(), None  # type: ignore[no-untyped-call]
        found = self._settings.ambient.found
        if not found:
            message = f"{self._facts.title} was not asked: its own tools keep no credentials here."
            raise NotConfigured(message, "Run `gcloud auth application-default login`.")
        return self._read(variable(FILE) if found[0] == FILE else found[0])

    def _read(self, file: str) -> tuple[Any, str | None]:
        """The credentials in a file of Google's tools, and the project that it names."""
        info = json.loads(Path(file).expanduser().read_text("utf-8"))
        module, method = READERS[info["type"]]
        # A person has agreed to scopes of their own.
        scopes = {} if info["type"] == "authorized_user" else {"scopes": SCOPES}
        made = getattr(importlib.import_module(module).Credentials, method)(info, **scopes)
        return made, info.get("project_id")

    def _own_machine(self, named: dict[str, str]) -> bool:
        """Whether the service account of the machine is meant."""
        given = "key_file" in named or FILE in self._settings.ambient.found
        return named.get("method") == "service_account" and not given

    def _transport(self, named: dict[str, str], account: str) -> Callable[..., Any]:
        """How google-auth sends; to the machine's own address, which no door leads to, by itself."""
        if self._own_machine(named):
            from google.auth.transport.requests import Request

            made: Callable[..., Any] = Request()
            return made
        return self._door.transport(account)

    def _trouble(self, error: Exception, account: str) -> CloudError:
        """What an exception of google-auth means that is no answer."""
        name, title = type(error).__name__, self._facts.title
        where = self._settings.source(account) or "the settings"
        if name in ("RefreshError", "ReauthFailError", "TransportError"):
            message = f"{title} was not asked: the credentials of {account} in {where} do not hold ({name})."
            return Unauthorized(
                message, "Sign in again (gcloud auth application-default login), or set others."
            )
        if isinstance(error, (OSError, ValueError, LookupError, AttributeError)):
            message = f"{title} was not asked: no credentials of {account} were found in {where} ({name})."
            return NotConfigured(message, "Mend the file, or set others.")
        message = f"The credentials of {account} for {title} in {where} could not be used ({name})."
        return Invalid(message, "Look at them; if they are in order, report this.")
