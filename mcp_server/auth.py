"""Bearer tokens: from a file with names and scopes, and JWTs of an issuer. What is said when one is refused.

A token itself is never kept: the file's are known by their SHA-256, a JWT's verdict by that of the token.
Imported late: jwt (cryptography), asyncio.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtop import net
from cloudtop.errors import CloudtopError, ConfigError
from cloudtop.times import duration_s
from mcp_server.limits import RATE, SCOPES, Caller, Rate

if TYPE_CHECKING:
    import asyncio

    from cloudtop.ports import Clock

log = logging.getLogger("cloudtop.http")

SHORTEST = 20
"""Characters of a token that stands in the file as it is: a shorter one can be guessed."""

LONGEST = 8_192
"""Characters of any token."""

LOOK_S = 1.0
"""How long a changed token file may go unseen."""

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

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_PLAIN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Denied(CloudtopError):
    """A token that opens nothing: 401, or 503 when it could not be checked."""

    def __init__(self, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the token file."""

    caller: Caller
    until: datetime | None


class TokenFile:
    """The tokens of a file: `name token-or-sha256:digest scopes [expires=…] [rate=…] [max_age=…]`.

    Read again when it changes. A mistake in a changed file leaves the tokens as they were; a file that is
    gone or that others can read opens to nobody.
    """

    def __init__(self, path: Path, clock: Clock, *, rate: Rate | None = RATE, floor_s: float = 0.0) -> None:
        self._path, self._clock, self._usual = path, clock, (rate, floor_s)
        self._stamp, text = _safely_read(path)
        self._entries = _entries(path, text, *self._usual)
        if not self._entries:
            raise ConfigError(str(path), "there is no token in it. A line is: name token scopes")
        self._looked_at = clock.monotonic()

    def __len__(self) -> int:
        return len(self._entries)

    def caller(self, digest: str) -> Caller | None:
        """The caller of a token by its SHA-256, None when it is not in the file; Denied when it is over."""
        self._look()
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry.until is not None and self._clock.now() >= entry.until:
            raise Denied("The token has expired.")
        return entry.caller

    def _look(self) -> None:
        now = self._clock.monotonic()
        if 0 <= now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        try:
            if _stamp(self._path.stat()) == self._stamp:
                return
            self._stamp, text = _safely_read(self._path)
        except (OSError, ConfigError) as error:
            if self._entries:
                log.error("no token is accepted until this is mended: %s", error)
            self._entries, self._stamp = {}, ()
            return
        try:
            self._entries = _entries(self._path, text, *self._usual)
        except ConfigError as error:
            log.error("the tokens stay as they were: %s", error)


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def _safely_read(path: Path) -> tuple[tuple[int, ...], str]:
    """A file of secrets: nobody but its owner and group may read it, nobody but its owner write it."""
    try:
        with path.open(encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if os.name == "posix":
                _check_mode(path, found)
            return _stamp(found), file.read(MOST_KEYS)
    except FileNotFoundError as error:
        raise ConfigError(str(path), "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"cannot be read ({type(error).__name__})") from error


def _check_mode(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        raise ConfigError(
            str(path), f"others can read or write it (mode {mode:o}). Say: chmod 600 {path.name}"
        )
    if found.st_uid not in (0, os.geteuid()):
        raise ConfigError(str(path), "it belongs to somebody else")


def _entries(path: Path, text: str, rate: Rate | None, floor_s: float) -> dict[str, _Entry]:
    """The tokens of a file by digest; ConfigError with the line, never with the token."""
    found: dict[str, _Entry] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            digest, entry = _entry(words, rate, floor_s)
            if entry.caller.name in names or digest in found:
                raise ValueError("this name or token stands in an earlier line too")
        except (ValueError, CloudtopError) as error:
            raise ConfigError(str(path), str(error), line=number) from error
        names.add(entry.caller.name)
        found[digest] = entry
    return found


def _entry(words: list[str], rate: Rate | None, floor_s: float) -> tuple[str, _Entry]:
    if len(words) < 3:
        raise ValueError("a line is: name token scopes [expires=…] [rate=…] [max_age=…]")
    name, token, scopes, *more = words
    if not _NAME.fullmatch(name):
        raise ValueError("a name is letters, digits and . _ @ -, 64 at most")
    made, until = Caller(name, _scopes(scopes), rate, floor_s), None
    for one in more:
        key, _, value = one.partition("=")
        if key == "expires":
            until = _moment(value)
        elif key == "rate":
            made = replace(made, rate=Rate.of(value))
        elif key == "max_age":
            made = replace(made, floor_s=duration_s(value, "max_age"))
        else:
            raise ValueError(f"{key[:40]!r} means nothing here; there are expires, rate and max_age")
    return _digest_of(token), _Entry(made, until)


def _digest_of(token: str) -> str:
    """The SHA-256 of a token that stands in the file, or the one that stands there itself."""
    if token.startswith("sha256:"):
        if not (hashed := _DIGEST.fullmatch(token)):
            raise ValueError("after sha256: stand 64 digits of hex, lower case")
        return hashed[1]
    if not SHORTEST <= len(token) <= LONGEST or not _PLAIN.fullmatch(token):
        raise ValueError(
            f"a token has {SHORTEST} to {LONGEST} characters out of letters, digits and . _ ~ + / - ="
        )
    return digest(token)


def _scopes(text: str) -> frozenset[str]:
    found = frozenset(text.split(",")) - {""}
    if strange := sorted(found - set(SCOPES)):
        raise ValueError(f"{strange[0][:40]!r} is no scope; there are {', '.join(SCOPES)}")
    if not found:
        raise ValueError(f"a token needs a scope: {', '.join(SCOPES)}")
    return found


def _moment(text: str) -> datetime:
    """The end of a day, or a moment; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    if len(text) == len("2026-11-20"):
        found += timedelta(days=1)
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def digest(token: str) -> str:
    """The SHA-256 of a token, as it may stand in the file."""
    return hashlib.sha256(token.encode()).hexdigest()


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
        if scheme.lower() != "bearer" or not 0 < len(token) <= LONGEST or not _PLAIN.fullmatch(token):
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
