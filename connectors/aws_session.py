"""boto3's clients, one for each service, region and account, each with the credentials of its account.

Keys that the settings hold are used as they are, in a session that knows no file of the person's: a broken
~/.aws/config is no reason to know no prices. Where the settings name a profile or a role instead, or hold
nothing and AWS' own tools keep credentials here, botocore's chain finds them: profiles with everything they
may lead to (another role, SSO, a process, a web identity), a container's role. The machine's own role is
asked for only where the settings say `method: service_account`: nobody else waits for an address that is
not there. botocore renews what expires, and its requests to do so pass the door like all others; those to
a container's or machine's own address do not.
Imported late: boto3, botocore, logging.
"""

from __future__ import annotations

import gc
import gzip
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic_core import from_json

from cloudtop import __version__
from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized

if TYPE_CHECKING:
    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

HOME = "us-east-1"
"""Where what belongs to no region is asked."""
KEYS = ("access_key_id", "secret_access_key", "session_token")
MACHINE = frozenset({"assume-role-with-web-identity", "container-role", "iam-role"})
"""How botocore calls the credentials that a machine, container or pod has by itself."""
_NOT_THERE = (
    "NoCredentialsError PartialCredentialsError ProfileNotFound ConfigNotFound ConfigParseError "
    "InvalidConfigError InfiniteLoopConfigError MissingDependencyException UnknownCredentialError"
)
_NOT_VALID = (
    "CredentialRetrievalError TokenRetrievalError NoAuthTokenError SSOError SSOTokenLoadError "
    "UnauthorizedSSOTokenError RefreshWithMFAUnsupportedError MetadataRetrievalError LoginError "
    "LoginRefreshRequired LoginInsufficientPermissions LoginTokenLoadError LoginAuthorizationCodeError"
)
NOT_THERE, NOT_VALID = frozenset(_NOT_THERE.split()), frozenset(_NOT_VALID.split())
"""What botocore raises where credentials are not there, and where they do not hold any more."""

Send = Callable[..., Any]
_MAKING = threading.Lock()
"""Clients are made one at a time, as boto3 wants it; they may be used side by side."""
_shared: dict[str, Any] = {}
"""What sessions have in common: the loader of botocore's models, which reads each of them once."""


@contextmanager
def lightly() -> Iterator[None]:
    """Import botocore without pyOpenSSL, where that is installed.

    botocore prefers it for requests that it sends by itself, and it takes a twentieth of a second to load.
    """
    name = "urllib3.contrib.pyopenssl"
    if name in sys.modules or "botocore.httpsession" in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        # Another thread may have come here at the same time.
        sys.modules.pop(name, None)


class Clients:
    """Every boto3 client of one provider. `send` takes botocore's place at the wire."""

    def __init__(self, facts: Facts, settings: ProviderSettings, http: Http, send: Send) -> None:
        self._facts, self._settings, self._http, self._send = facts, settings, http, send
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._sessions: dict[str, Any] = {}

    def client(self, service: str, region: str, account: str) -> Any:
        """The client of a service. Raises NotConfigured where the account has no credentials."""
        wanted = service, region, account
        with _MAKING:
            if wanted not in self._clients:
                self._clients[wanted] = self._made(service, region, account)
            return self._clients[wanted]

    def keys(self, account: str) -> list[str | None]:
        """Key id, secret and token that the settings hold for an account."""
        return [self._http.key(account, name) for name in KEYS]

    def _made(self, service: str, region: str, account: str) -> Any:
        from botocore.config import Config

        own = self._settings.endpoint_of(account)
        paths: dict[str, Any] = {"s3": {"addressing_style": "path"}} if own else {}
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent_extra=f"cloudtop/{__version__}",
            # Where requests go is said by the settings, not by AWS_ENDPOINT_URL.
            ignore_configured_endpoint_urls=True,
            use_dualstack_endpoint=False,
            **paths,
        )
        session = self._session(account)
        return session.client(service, region_name=region, endpoint_url=own, config=config)

    def _session(self, account: str) -> Any:
        """The session with an account's credentials, made once."""
        if account not in self._sessions:
            self._sessions[account] = self._opened(account)
        return self._sessions[account]

    def _opened(self, account: str) -> Any:
        import boto3

        key_id, secret, token = self.keys(account)
        named = self._settings.named_credentials(account)
        profile, role = named.get("profile"), named.get("role_arn")
        if key_id and secret and not profile and "method" not in named:
            made = _session(closed=True)
            made.set_credentials(key_id, secret, token)
        elif self._settings.source(account):
            made = _session(profile)
            self._narrow(made, machine="method" in named)
        else:
            message = f"{self._facts.title} needs credentials for this, and none are set for {account}."
            raise NotConfigured(message, f"Set {self._facts.to_set}.")
        if own := self._settings.endpoint_of(account):
            # botocore makes clients itself, to renew credentials: they go where all others go.
            made.create_client = partial(made.create_client, endpoint_url=own)
        if role:
            _assume(made, role, self._settings.auth_of(account).get("external_id"))
        opened = boto3.Session(botocore_session=made)
        opened.events.register("before-send", self._send)
        return opened

    def _narrow(self, session: Any, machine: bool) -> None:
        """Leave those ways to credentials that may be tried: the machine's own alone, or all but that."""
        chain = session.get_component("credential_provider")
        chain.providers = [
            one for one in chain.providers if (one.METHOD in MACHINE if machine else one.METHOD != "iam-role")
        ]
        for one in chain.providers:
            if one.METHOD == "assume-role":
                # It would ask for a code on the terminal, or on standard input: that is the MCP wire.
                one._prompter = _no_code

    def trouble(self, error: Exception, service: str, region: str, account: str) -> CloudError:
        """What an exception of botocore means that is no answer of the cloud."""
        name, title = type(error).__name__, self._facts.title
        where = self._settings.source(account) or "the settings"
        if name in NOT_THERE:
            message = f"{title} was not asked: no credentials of {account} were found in {where} ({name})."
            return NotConfigured(message, f"Set {self._facts.to_set}, or mend the profile.")
        if name in NOT_VALID:
            message = f"{title} was not asked: the credentials of {account} in {where} do not hold ({name})."
            return Unauthorized(message, "Sign in again (aws sso login, aws login), or set others.")
        if name == "ResponseParserError":
            message = f"{title} ({service} in {region}) ended its answer in the middle, or wrote it wrongly."
            return Invalid(message, "Try again; if it stays so, the interface may have changed.")
        if name == "PaginationError":
            return Invalid(f"{title} ({service}) repeats the same page instead of going on.", "Try again.")
        message = f"The request to {title} ({service} in {region}) could not be made ({name})."
        return Invalid(message, "Check the region's name; if it stays so, report it.")


def _session(profile: str | None = None, *, closed: bool = False) -> Any:
    """A session of botocore: a `closed` one reads no profile and no file."""
    import logging

    from botocore.session import Session

    from connectors.aws_xml import quicken

    # At debug level it logs signed headers, and a session token is one of them.
    for name in ("boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.INFO)
    # What it warns of is raised besides, and comes with a traceback.
    logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)
    nothing: dict[str, Any] = {"profile": (None, None, None, None)}
    nothing |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    made = Session(profile=profile, session_vars=nothing if closed else None)
    if "data_loader" not in _shared:
        _shared["data_loader"] = made.get_component("data_loader")
        _shared["data_loader"].file_loader = _Models()
    made.register_component("data_loader", _shared["data_loader"])
    made.set_config_variable("region", made.get_config_variable("region") or HOME)
    made.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_utc)
    quicken(made)
    return made


class _Models:
    """botocore's models out of its files in a third of its own time: EC2's has four million letters."""

    opened: ClassVar[Mapping[str, Callable[..., Any]]] = {".json": open, ".json.gz": gzip.open}

    def exists(self, file_path: str) -> bool:
        """Whether there is a model, whose path lacks its ending."""
        return any(os.path.isfile(file_path + ending) for ending in self.opened)

    def load_file(self, file_path: str) -> Any:
        """A model, None for none."""
        for ending, opened in self.opened.items():
            if os.path.isfile(file_path + ending):
                with opened(file_path + ending, "rb") as file:
                    model = from_json(file.read())
                # It stays, and is more objects than all else here: no cycle is looked for among them.
                gc.freeze()
                return model
        return None


def _utc(value: Any) -> Any:
    """A time as botocore reads it, but not in the zone of this machine."""
    from datetime import UTC

    from botocore.utils import parse_timestamp

    made = parse_timestamp(value)
    return made if made.tzinfo is None else made.astimezone(UTC)


def _no_code(prompt: str) -> str:
    from botocore.exceptions import RefreshWithMFAUnsupportedError

    raise RefreshWithMFAUnsupportedError


def _assume(session: Any, role: str, external_id: str | None) -> None:
    """Let a session act as a role, which the credentials it had are allowed to take."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    source = session.get_credentials()
    if source is None:
        from botocore.exceptions import NoCredentialsError

        raise NoCredentialsError
    extra = {"RoleSessionName": "cloudtop"} | ({"ExternalId": external_id} if external_id else {})
    fetcher = AssumeRoleCredentialFetcher(session.create_client, source, role, extra_args=extra)
    # botocore itself sets it so; there is no public way to give a session credentials that renew themselves.
    session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
