"""JWTs of one issuer for one audience, checked against the issuer's keys.

Imported late: jwt (cryptography), asyncio.
"""

from __future__ import annotations

import json
import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop import net
from cloudtop.errors import CloudtopError, ConfigError
from mcp_server.auth import Denied, digest
from mcp_server.limits import RATE, SCOPES, Caller, Rate

if TYPE_CHECKING:
    import asyncio

    from cloudtop.ports import Clock

log = logging.getLogger("cloudtop.http")

LEEWAY_S = 30
"""How far the issuer's clock may be off."""

KEYS_S = 600.0
"""How long an issuer's keys are believed before they are fetched anew."""

AGAIN_S = 30.0
"""How soon after fetching an unknown key may make us fetch again."""

FETCH_S = 5.0
MOST_KEYS = 262_144
"""Bytes of an issuer's key set."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures only: with a shared secret whoever can check a token can make one."""

KEPT = 1_024
"""Checked JWTs that are remembered."""


class Issuer:
    """JWTs of one issuer for one audience. `keys`: its JWKS, a file or a URL."""

    def __init__(
        self,
        url: str,
        audience: str,
        keys: str,
        clock: Clock,
        *,
        rate: Rate | None = RATE,
        floor_s: float = 0.0,
    ) -> None:
        self.url, self.audience = url, audience
        self._keys_at, self._clock, self._usual = keys, clock, (rate, floor_s)
        self._remote = "://" in keys
        if self._remote:
            net.check_url(keys, (net.split(keys).hostname or "",), loopback_ok=True)
        self._keys: dict[str | None, Any] = {} if self._remote else _keys(_file(Path(keys)), keys)
        self._fetched_at: float | None = None
        self._lock: asyncio.Lock | None = None
        self._checked: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """The caller of a JWT; Denied for one that is not for us, not from the issuer, or over."""
        seen, now = digest(token), self._clock.now().timestamp()
        until, caller = self._checked.get(seen, (0.0, None))
        if caller is not None and now < until:
            return caller
        claims = await self._claims(token)
        caller = self._meant(claims)
        self._checked[seen] = (min(float(claims["exp"]), now + KEYS_S), caller)
        while len(self._checked) > KEPT:
            self._checked.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        import jwt

        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                raise Denied("The token is not signed in a way that is accepted.")
            key = await self._key(head.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.audience,
                issuer=self.url,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Denied("The token has expired.") from error
        except jwt.InvalidAudienceError as error:
            raise Denied("The token is for another audience.") from error
        except jwt.InvalidIssuerError as error:
            raise Denied("The token is from another issuer.") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Denied("The token is not valid.") from error
        return claims

    def _meant(self, claims: Mapping[str, Any]) -> Caller:
        """A caller out of checked claims. Scopes that are not ours are somebody else's."""
        said = claims.get("scope", claims.get("scp", ""))
        listed = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
        subject = str(claims.get("sub") or claims.get("client_id") or claims.get("azp") or "")
        if not subject:
            raise Denied("The token does not say for whom it is.")
        name = re.sub(r"[^A-Za-z0-9._@|-]", "?", subject)[:64]
        rate, floor_s = self._usual
        scopes = frozenset(one for one in listed if one in SCOPES)
        return Caller(name, scopes, rate, floor_s, issuer=self.url, subject=subject)

    async def _key(self, kid: Any) -> Any:
        """The key of this name; an unknown one may be new, so the set is fetched again, but not often."""
        import asyncio

        if self._remote:
            self._lock = self._lock or asyncio.Lock()
            async with self._lock:
                age = self._clock.monotonic() - (self._fetched_at or 0.0)
                unknown = self._found(kid) is None
                soon = AGAIN_S if self._keys else FETCH_S
                if self._fetched_at is None or age > KEYS_S or (unknown and age > soon):
                    await self._fetch()
            if not self._keys:
                raise Denied("The token cannot be checked at the moment.", status=503)
        found = self._found(kid)
        if found is None:
            raise Denied("The token is signed with a key that the issuer does not show.")
        return found

    def _found(self, kid: Any) -> Any:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _fetch(self) -> None:
        """Fetch the keys. While that fails the old ones stay; without any no token can be checked."""
        self._fetched_at = self._clock.monotonic()
        try:
            self._keys = _keys(await net.fetched(self._keys_at, MOST_KEYS, FETCH_S), self._keys_at)
            self._checked.clear()
        except CloudtopError as error:
            log.error("the keys of %s could not be fetched: %s", self.url, error)


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()[:MOST_KEYS]
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({type(error).__name__})") from error


def _keys(body: bytes, place: str) -> dict[str | None, Any]:
    """The public keys of a JWKS by name; those for encrypting and shared secrets are left out."""
    import jwt

    try:
        listed = json.loads(body)["keys"]
        usable = [one for one in listed if one.get("kty") in ("RSA", "EC", "OKP") and one.get("use") != "enc"]
        found = {one.get("kid"): _public(one) for one in usable}
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise ConfigError(place, f"is no key set (JWKS): {type(error).__name__}") from error
    found = {kid: key for kid, key in found.items() if key.algorithm_name in ALGORITHMS}
    if not found:
        raise ConfigError(place, "holds no public key that signs")
    return found


def _public(record: dict[str, Any]) -> Any:
    import jwt

    return jwt.PyJWK({name: value for name, value in record.items() if name != "d"})
