"""The SDK's clients, one for each service, region and account, each with the credentials of its account.

Keys that the settings hold are used as they are. Where they name a file or a profile, or hold nothing and
~/.oci/config is here, that is read: API keys, or the token of `oci session authenticate`, which is read again
when `oci session refresh` has written a new one. In an account
`key_file` is the private key beside tenancy, user and fingerprint, and without these a configuration file.
`method: service_account` alone means what the machine is: a resource principal where Oracle has put one into
the environment, else the instance's own; only their requests for a token do not pass the door.
Imported late: oci, logging.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cloudtop import __version__
from cloudtop.errors import CloudError, Invalid, NotConfigured, Unauthorized
from cloudtop.settings import variable

if TYPE_CHECKING:
    from cloudtop.settings import ProviderSettings
    from connectors.base import Facts
    from connectors.http import Http

HOME = "us-ashburn-1"
"""Where an account is asked that says nowhere which its home is."""
KEYS = ("tenancy", "user", "fingerprint", "key_content")
CLIENTS = {
    "autonomous": ("database", "DatabaseClient"),
    "blockstorage": ("core", "BlockstorageClient"),
    "compute": ("core", "ComputeClient"),
    "container_engine": ("container_engine", "ContainerEngineClient"),
    "container_instances": ("container_instances", "ContainerInstanceClient"),
    "functions": ("functions", "FunctionsManagementClient"),
    "identity": ("identity", "IdentityClient"),
    "load_balancer": ("load_balancer", "LoadBalancerClient"),
    "monitoring": ("monitoring", "MonitoringClient"),
    "mysql": ("mysql", "DbSystemClient"),
    "network": ("core", "VirtualNetworkClient"),
    "network_load_balancer": ("network_load_balancer", "NetworkLoadBalancerClient"),
    "object_storage": ("object_storage", "ObjectStorageClient"),
    "postgresql": ("psql", "PostgresqlClient"),
}
"""The SDK's module and client of each service."""
MEANT_HOST = "X-Forwarded-Host"
"""An endpoint that stands for all of Oracle's hosts learns by it which one is meant."""

_NOT_THERE = (
    "ConfigFileNotFound ProfileNotFound InvalidKeyFilePath FileNotFoundError PermissionError OSError "
    "MissingSectionHeaderError ParsingError RequestException ConnectTimeout ConnectionError"
)
_NOT_VALID = (
    "InvalidConfig InvalidPrivateKey MissingPrivateKeyPassphrase UnicodeDecodeError UnicodeEncodeError"
)
NOT_THERE, NOT_VALID = frozenset(_NOT_THERE.split()), frozenset(_NOT_VALID.split())
"""What is raised where credentials are not there, and where they can be none."""
_MAKING = threading.Lock()
"""Clients are made one at a time; they may be used side by side."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the tenancy, its home region, how requests are signed, when a session's token was written."""

    tenancy: str
    home: str
    config: dict[str, Any] = field(repr=False)
    signer: Any = field(repr=False)
    written: float | None = None


class Clients:
    """Every client of one provider. `adapter` makes what sends in place of the SDK."""

    def __init__(
        self, facts: Facts, settings: ProviderSettings, http: Http, adapter: Callable[[], Any]
    ) -> None:
        self._facts, self._settings, self._http, self._adapter = facts, settings, http, adapter
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._identities: dict[str, Identity] = {}

    def client(self, service: str, region: str, account: str) -> Any:
        """The client of a service. Raises NotConfigured where the account has no credentials."""
        wanted = service, region, account
        with _MAKING:
            self._identity(account)
            if wanted not in self._clients:
                self._clients[wanted] = self._made(service, region, account)
            return self._clients[wanted]

    def identity(self, account: str) -> Identity:
        """Who an account is."""
        with _MAKING:
            return self._identity(account)

    def secrets(self, account: str) -> list[str]:
        """What an answer may not repeat: the names of the key, or the token, stand in every signature."""
        known = self._identities.get(account)
        shown = str(getattr(known and known.signer, "api_key", "")).partition("ST$")[2]
        keys = [self._http.key(account, name) for name in ("user", "fingerprint")]
        return [one for one in (*keys, shown) if one]

    def _made(self, service: str, region: str, account: str) -> Any:
        import oci

        who = self._identity(account)
        module, name = CLIENTS[service]
        made = getattr(import_module(f"oci.{module}"), name)(
            {**who.config, "region": region},
            signer=who.signer,
            retry_strategy=oci.retry.NoneRetryStrategy(),
            circuit_breaker_strategy=oci.circuit_breaker.NoCircuitBreakerStrategy(),
            # Rows are made of the JSON itself; the SDK's models would lose what is new in it.
            skip_deserialization=True,
        )
        base = made.base_client
        if own := self._settings.endpoint_of(account):
            base.session.headers[MEANT_HOST] = urlsplit(base.get_endpoint()).netloc
            base.endpoint = own.rstrip("/")
        # Neither a proxy's variables nor a .netrc may change what was signed.
        base.session.trust_env = False
        for scheme in ("https://", "http://"):
            base.session.mount(scheme, self._adapter())
        return made

    def _identity(self, account: str) -> Identity:
        known = self._identities.get(account)
        if known is None or known.written != _written(known.config):
            self._clients = {about: one for about, one in self._clients.items() if about[2] != account}
            known = self._identities[account] = self._found(account)
        return known

    def _found(self, account: str) -> Identity:
        import oci

        keys = {name: self._http.key(account, name) for name in (*KEYS, "pass_phrase")}
        named, told = self._settings.named_credentials(account), self._settings.auth_of(account)
        file, profile = named.get("key_file"), named.get("profile")
        own = all(keys[name] for name in KEYS[:3])
        if own and (keys["key_content"] or file):
            config: dict[str, Any] = {name: value for name, value in keys.items() if value}
            if not keys["key_content"]:
                config["key_content"] = Path(str(file)).expanduser().read_text("ascii")
        elif "method" in named and not (file or profile):
            return self._machine(account, told)
        elif self._settings.source(account):
            place = file or oci.config.DEFAULT_LOCATION
            config = oci.config.from_file(place, profile or oci.config.DEFAULT_PROFILE)
        else:
            message = f"{self._facts.title} needs credentials for this, and none are set for {account}."
            raise NotConfigured(message, f"Set {self._facts.to_set}.")
        home = str(told.get("region") or config.get("region") or self._usual(account))
        config |= {"region": home, "log_requests": False, "additional_user_agent": f"cloudtop/{__version__}"}
        written = _written(config)
        return Identity(str(config["tenancy"]), home, config, _signer(config), written)

    def _machine(self, account: str, told: dict[str, Any]) -> Identity:
        """What this machine, function or pod is in Oracle's cloud."""
        from oci.auth import signers

        if variable("OCI_RESOURCE_PRINCIPAL_VERSION"):
            signer = signers.get_resource_principals_signer()
        else:
            signer = signers.InstancePrincipalsSecurityTokenSigner()
        home = str(told.get("region") or signer.region or self._usual(account))
        return Identity(str(signer.tenancy_id), home, {"region": home}, signer)

    def _usual(self, account: str) -> str:
        """A region of an account that does not say which is its home."""
        own = next((one.regions for one in self._settings.accounts if one.name == account), ())
        return next(iter((*own, *self._settings.regions)), HOME)

    def trouble(self, error: Exception, service: str, account: str) -> CloudError:
        """What an exception of the SDK means that is no answer of the cloud."""
        name, title = type(error).__name__, self._facts.title
        where = self._settings.source(account) or "the settings"
        if name in NOT_THERE:
            message = f"{title} was not asked: no credentials of {account} were found in {where} ({name})."
            return NotConfigured(message, f"Set {self._facts.to_set}, or mend the profile.")
        if name in NOT_VALID:
            # The text of the error may quote the key.
            message = (
                f"{title} was not asked: the credentials of {account} in {where} are malformed ({name})."
            )
            return Unauthorized(message, f"Set {self._facts.to_set} to what the console shows.")
        message = f"The request to {title} ({service}) could not be made ({name})."
        return Invalid(message, "Check the region's name; if it stays so, report it.")


def _written(config: dict[str, Any]) -> float | None:
    """When the token of a session was written; None without one."""
    place = config.get("security_token_file")
    return Path(place).expanduser().stat().st_mtime if place else None


def _signer(config: dict[str, Any]) -> Any:
    """What signs: a user's API key, or the token of a session with its key."""
    import oci

    if token := config.get("security_token_file"):
        key = oci.signer.load_private_key_from_file(config["key_file"], config.get("pass_phrase"))
        said = Path(token).expanduser().read_text("ascii").strip()
        return oci.auth.signers.SecurityTokenSigner(said, key)
    oci.config.validate_config(config)
    return oci.signer.Signer(
        config["tenancy"],
        config["user"],
        config["fingerprint"],
        private_key_file_location=config.get("key_file"),
        pass_phrase=config.get("pass_phrase"),
        private_key_content=config.get("key_content"),
    )
