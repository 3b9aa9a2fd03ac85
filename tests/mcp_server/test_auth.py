"""Who a token stands for: the file's lines, an issuer's JWTs, and what is refused how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cloudtop.errors import CloudtopError, ConfigError
from mcp_server.auth import Denied, Doors, challenge, digest
from mcp_server.issuer import AGAIN_S, KEYS_S, Issuer
from mcp_server.limits import RATE, Rate
from mcp_server.token_file import LOOK_S, TokenFile
from tests.mcp_server.web import MODERN, table, web
from tests.mcp_server.yard import NOON, HandClock

TOKEN = "a-token-of-some-length-1"
OTHER = "another-token-of-length-2"
ISSUER = "https://issuer.example"
AUDIENCE = "https://mcp.example.com/mcp"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def tokens(home: Path, text: str, clock: HandClock | None = None, mode: int = 0o600) -> TokenFile:
    path = home / "tokens"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return TokenFile(path, clock or HandClock())


def test_a_line_names_a_token_its_scopes_rate_floor_and_end(tmp_path):
    clock = HandClock()
    more = "expires=2026-11-20T13:00:00Z rate=5/s max_age=5m"
    found = tokens(tmp_path, f"# a comment\n\nlaptop {TOKEN} prices,read {more}\n", clock)
    caller = found.caller(digest(TOKEN))
    assert (caller.name, caller.scopes) == ("laptop", {"prices", "read"})
    assert (caller.rate, caller.floor_s) == (Rate(5, 1.0), 300.0)
    clock.at += timedelta(hours=1)
    with pytest.raises(Denied, match="expired"):
        found.caller(digest(TOKEN))


def test_a_token_may_stand_as_its_hash_and_the_hash_itself_opens_nothing(tmp_path):
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    found = tokens(tmp_path, f"ci sha256:{hashed} admin")
    assert found.caller(digest(TOKEN)).rate == RATE
    assert found.caller(digest(f"sha256:{hashed}")) is None
    assert found.caller(digest(hashed)) is None


def test_a_day_as_an_end_is_still_that_day(tmp_path):
    clock = HandClock()
    found = tokens(tmp_path, f"ci {TOKEN} read expires=2026-11-20", clock)
    assert found.caller(digest(TOKEN))
    clock.at = NOON.replace(hour=23, minute=59)
    assert found.caller(digest(TOKEN))
    clock.at += timedelta(minutes=1)
    with pytest.raises(Denied):
        found.caller(digest(TOKEN))


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o620, 0o666, 0o777])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path, mode):
    with pytest.raises(ConfigError, match="chmod 600"):
        tokens(tmp_path, f"ci {TOKEN} read", mode=mode)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_file_for_its_owner_and_group_will_do(tmp_path, mode):
    assert len(tokens(tmp_path, f"ci {TOKEN} read", mode=mode)) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"ci {TOKEN}", "a line is"),
        (f"ci {TOKEN} write", "is no scope"),
        (f"ci {TOKEN} ,", "needs a scope"),
        ("ci short read", "20 to"),
        (f"ci {'x' * 20}! read", "20 to"),
        ("ci sha256:abc read", "64 digits"),
        (f"ci sha256:{'A' * 64} read", "64 digits"),
        (f"c!i {TOKEN} read", "a name is"),
        (f"ci {TOKEN} read expires=soon", "soon"),
        (f"ci {TOKEN} read rate=9", "is no rate"),
        (f"ci {TOKEN} read rate=0/m", "is no rate"),
        (f"ci {TOKEN} read max_age=old", "not a length of time"),
        (f"ci {TOKEN} read scope=admin", "means nothing here"),
        (f"one {TOKEN} read", "an earlier line"),
        (f"two {OTHER} read", "an earlier line"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_without_the_token(tmp_path, line, said):
    with pytest.raises(ConfigError, match=said) as caught:
        tokens(tmp_path, f"# tokens\none {OTHER} read\ntwo {'z' * 30} read\n{line}\n")
    assert f"{tmp_path / 'tokens'}:4" in str(caught.value)
    assert not [word for word in (TOKEN, OTHER, "z" * 30) if word in str(caught.value)]


def test_a_file_without_a_token_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match="no token in it"):
        tokens(tmp_path, "# nobody\n")


def test_a_changed_file_counts_and_a_broken_or_unsafe_one_lets_nobody_new_in(tmp_path):
    clock = HandClock()
    found = tokens(tmp_path, f"one {TOKEN} read\n", clock)
    path = tmp_path / "tokens"

    def holders(change: Any = None) -> list[str]:
        if change is not None:
            change()
        clock.at += timedelta(seconds=LOOK_S)
        callers = [found.caller(digest(one)) for one in (TOKEN, OTHER)]
        return [caller.name for caller in callers if caller]

    assert holders() == ["one"]
    assert holders(lambda: path.write_text(f"one {TOKEN} read\ntwo {OTHER} read\n")) == ["one", "two"]
    assert holders(lambda: path.write_text(f"two {OTHER} read\n")) == ["two"]
    assert holders(lambda: path.write_text(f"one {TOKEN} read\ntwo {OTHER} raed\n")) == ["two"]
    assert holders(lambda: path.chmod(0o644)) == []
    assert holders(lambda: path.chmod(0o600)) == []
    assert holders(lambda: path.write_text(f"one {TOKEN} read\n")) == ["one"]
    assert holders(path.unlink) == []


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (None, ""),
        ("Bearer", "is not: Bearer"),
        ("Bearer ", "is not: Bearer"),
        (TOKEN, "is not: Bearer"),
        (f"Basic {TOKEN}", "is not: Bearer"),
        (f"Bearer {TOKEN} {TOKEN}", "is not: Bearer"),
        (f"Bearer {'x' * 9_000}", "is not: Bearer"),
        (f"Bearer {TOKEN}x", "not known"),
        ("Bearer a.b.c", "not known"),
    ],
)
async def test_a_header_that_is_no_token_of_ours_is_denied(tmp_path, header, said):
    doors = Doors(tokens(tmp_path, f"ci {TOKEN} read"), None)
    with pytest.raises(Denied) as caught:
        await doors.caller(header)
    assert said in caught.value.message
    assert caught.value.status == 401
    assert (await doors.caller(f"bearer  {TOKEN}")).name == "ci"


def test_nothing_breaks_out_of_a_challenge():
    said = challenge('http://x/"y', "invalid_token", 'a "quoted"\r\nSet-Cookie: x\\')
    assert said == (
        'Bearer error="invalid_token", error_description="a quotedSet-Cookie: x",'
        ' resource_metadata="http://x/y"'
    )


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOON.timestamp())
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "scope": "openid read", "iat": now - 5}
    made |= {"exp": now + 3_000_000_000, **changes}
    return {name: value for name, value in made.items() if value is not None}


def signed(key: Any = RSA, kid: str | None = "rsa", algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers={"kid": kid} if kid else None)


def jwks(**keys: Any) -> dict[str, Any]:
    """A key set as an issuer shows it, with a shared secret that must not count."""
    listed = []
    for kid, key in keys.items():
        kind = (
            jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
        )
        listed.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"})
    listed.append({"kty": "oct", "kid": "secret", "k": base64.urlsafe_b64encode(b"s" * 32).decode()})
    return {"keys": listed}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_public_key() -> str:
    """The old trick: the public key used as a shared secret."""
    pem = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).encode())
    text = f"{head}.{b64(json.dumps(claims()).encode())}"
    return f"{text}.{b64(hmac.new(pem, text.encode(), 'sha256').digest())}"


def changed() -> str:
    head, _, signature = signed().split(".")
    return f"{head}.{b64(json.dumps(claims(scope='admin')).encode())}.{signature}"


JWTS = {
    "as it should be": signed(),
    "scopes as a list in `scp`": signed(scope=None, scp=["read"]),
    "several audiences, ours among them": signed(aud=["https://other.example", AUDIENCE]),
    "signed with an EC key of the set": signed(EC, "ec", "ES256"),
    "without the scope": signed(scope="prices openid"),
    "of another issuer": signed(iss="https://issuer.example/"),
    "for another audience": signed(aud="https://mcp.example.com"),
    "without an audience": signed(aud=None),
    "expired": signed(exp=int(NOON.timestamp()) - 3_600 * 24 * 365 * 5),
    "without an end": signed(exp=None),
    "not valid yet": signed(nbf=int(NOON.timestamp()) + 2_000_000_000),
    "for nobody": signed(sub=None),
    "signed by a stranger": signed(STRANGER, "stranger"),
    "signed by a stranger under the name of our key": signed(STRANGER),
    "changed after signing": changed(),
    "not signed": jwt.encode(claims(), None, "none", headers={"kid": "rsa"}),
    "signed with the public key as a secret": by_public_key(),
    "naming a key that is not in the set": signed(kid="unknown"),
}


@pytest.fixture(scope="module")
def issued(tmp_path_factory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("issued")
    (home / "jwks.json").write_text(json.dumps(jwks(rsa=RSA, ec=EC)))
    issuer = {"url": ISSUER, "audience": AUDIENCE, "keys": str(home / "jwks.json")}
    with web(home, issuer=issuer, tokens="") as found:
        yield found


def test_every_row_of_the_table_is_a_token_and_the_other_way_round():
    assert list(table("JWT")[1]) == list(JWTS)


@pytest.mark.parametrize(("row", "status"), [(row, int(cell)) for row, (cell,) in table("JWT")[1].items()])
def test_each_jwt_opens_what_the_table_says(issued, row, status):
    answer = issued.call("tools/call", {"name": "list_cars", "arguments": {}}, era=MODERN, token=JWTS[row])
    assert answer.status == status
    if status == 401:
        assert answer.challenge()["error"] == "invalid_token"


def test_the_metadata_names_the_issuer(issued):
    found = issued.ask("GET", "/.well-known/oauth-protected-resource/mcp")
    assert found.json["authorization_servers"] == [ISSUER]


@contextmanager
def key_server() -> Iterator[tuple[str, dict[str, Any]]]:
    """An issuer's keys over HTTP; `state` says what is shown and counts how often it was."""
    state: dict[str, Any] = {"body": b"", "status": 200, "asked": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state["asked"] += 1
            self.send_response(state["status"])
            if state["status"] == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(state["body"])))
            self.end_headers()
            self.wfile.write(state["body"])

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks", state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_keys_at_a_url_are_fetched_once_and_again_for_a_new_one(tmp_path):
    clock = HandClock()
    with key_server() as (url, state):
        state["body"] = json.dumps(jwks(rsa=RSA)).encode()
        issuer = Issuer(ISSUER, AUDIENCE, url, clock)
        assert state["asked"] == 0
        caller = await issuer.caller(signed())
        assert (caller.name, caller.scopes, caller.issuer) == ("ann", {"read"}, ISSUER)
        await issuer.caller(signed(sub="bob"))
        assert state["asked"] == 1
        for _ in range(3):
            with pytest.raises(Denied, match="does not show"):
                await issuer.caller(signed(STRANGER, "new"))
        assert state["asked"] == 1
        state["body"] = json.dumps(jwks(new=STRANGER)).encode()
        clock.at += timedelta(seconds=AGAIN_S + 1)
        assert (await issuer.caller(signed(STRANGER, "new"))).name == "ann"
        with pytest.raises(Denied):
            await issuer.caller(signed())
        assert state["asked"] == 2


async def test_a_withdrawn_key_opens_nothing_any_more_though_its_token_was_known():
    clock = HandClock()
    with key_server() as (url, state):
        state["body"] = json.dumps(jwks(rsa=RSA)).encode()
        issuer = Issuer(ISSUER, AUDIENCE, url, clock)
        await issuer.caller(signed())
        state["body"] = json.dumps(jwks(ec=EC)).encode()
        clock.at += timedelta(seconds=KEYS_S + 1)
        with pytest.raises(Denied):
            await issuer.caller(signed())


async def test_keys_that_cannot_be_fetched_are_no_verdict_about_a_token():
    clock = HandClock()
    with key_server() as (url, state):
        for status, body in (
            (500, b""),
            (302, b""),
            (200, b"<html>"),
            (200, b'{"keys": []}'),
            (200, b"x" * 300_000),
        ):
            state.update(status=status, body=body)
            issuer = Issuer(ISSUER, AUDIENCE, url, clock)
            with pytest.raises(Denied) as caught:
                await issuer.caller(signed())
            assert caught.value.status == 503
        assert state["asked"] == 5
        state.update(status=200, body=json.dumps(jwks(rsa=RSA)).encode())
        clock.at += timedelta(seconds=AGAIN_S)
        assert (await issuer.caller(signed())).name == "ann"
        state.update(status=500, body=b"")
        clock.at += timedelta(seconds=KEYS_S + 1)
        assert (await issuer.caller(signed())).name == "ann"


@pytest.mark.parametrize(
    "url", ["http://issuer.example/jwks", "https://user:pass@issuer.example/jwks", "file:///etc/passwd"]
)
def test_keys_are_not_fetched_over_an_open_line(url):
    with pytest.raises(CloudtopError):
        Issuer(ISSUER, AUDIENCE, url, HandClock())


async def test_keys_are_not_fetched_from_inside_a_private_network():
    issuer = Issuer(ISSUER, AUDIENCE, "https://169.254.169.254/jwks", HandClock())
    with pytest.raises(Denied) as caught:
        await issuer.caller(signed())
    assert caught.value.status == 503


@pytest.mark.parametrize(
    "text", ["", "[]", '{"keys": [{"kty": "RSA"}]}', '{"keys": [{"kty": "oct", "k": "c2Vj"}]}']
)
def test_a_key_file_that_is_none_is_refused_at_the_start(tmp_path, text):
    (tmp_path / "jwks").write_text(text)
    with pytest.raises(ConfigError, match="jwks"):
        Issuer(ISSUER, AUDIENCE, str(tmp_path / "jwks"), HandClock())


async def test_a_key_set_of_one_needs_no_name_and_a_private_one_is_used_as_public(tmp_path):
    one = jwt.algorithms.RSAAlgorithm.to_jwk(RSA, as_dict=True)
    (tmp_path / "jwks").write_text(json.dumps({"keys": [one]}))
    issuer = Issuer(ISSUER, AUDIENCE, str(tmp_path / "jwks"), HandClock())
    assert (await issuer.caller(signed(kid=None))).subject == "ann"


async def test_who_a_jwt_is_for_is_written_without_surprises(tmp_path):
    (tmp_path / "jwks").write_text(json.dumps(jwks(rsa=RSA)))
    issuer = Issuer(ISSUER, AUDIENCE, str(tmp_path / "jwks"), HandClock())
    caller = await issuer.caller(signed(sub='ann\n"x" ' + "y" * 80))
    assert caller.name == "ann??x??" + "y" * 56
    assert caller.subject != caller.name
