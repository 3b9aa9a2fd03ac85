"""Tokens of a question about what one runs: ids, addresses, tags and quoted names are one piece each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.planner.tokens import Kind, Known, Token, tokens_of

_TAG = r"[A-Za-z][\w./\-]*"
_PIECE = re.compile(
    r"(?P<uid>\b[a-z]+:[\w.\-]+:[\w.\-]+:[a-z_]+:[^\s,;]+)"
    r"|(?P<id>\barn:[\w\-]+:[^\s,;]+|\bocid1\.[\w.\-]+|(?<!\w)/{0,2}(?:subscriptions|projects)/[^\s,;]+)"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\w|\.\d)|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4})"
    rf"|(?P<unlike>(?<![\w<>!=/])(?P<notkey>{_TAG})\s?!=\s?(?P<notvalue>[^\s,;\"'()<>=]+))"
    rf"|(?P<pair>(?<![\w<>!=/])(?P<key>{_TAG})\s?=\s?(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;\"'()<>=]+))"
    rf"|(?P<tagged>(?<![\w:/]){_TAG}:(?!//)[A-Za-z][\w./\-]*)"
    r"|(?<![\w'\"])(?P<mark>[\"'`])(?P<quoted>[^\"'`]{1,80})(?P=mark)(?![\w])"
    r"|(?P<pattern>(?<![\w*.])[\w.\-]*\*[\w.\-*]*)"
    r"|(?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
    re.IGNORECASE,
)
_ID = re.compile(
    r"(?:i|vol|snap|sg|vpc|subnet|ami|eni|rtb|igw|nat|lb|eipalloc|eip|db|acl|pcx|vgw|fs|lt|asg)-[0-9a-f]{2,}[0-9a-f-]*"
)
_RUNTIME = re.compile(r"(python|py|nodejs|node|java|ruby|dotnet|php|rust|go)-?(\d+(?:\.(?:\d+|x))*)")
_LANGUAGES = {"py": "python", "node": "nodejs"}
_LATIN = frozenset(("i.e", "e.g"))
_NUMBERED = re.compile(r"[a-z]{2,}[a-z_]*\d{1,4}[a-z]?|[a-z]+_[a-z0-9_]+")


def pieces_of(text: str, known: Known, keys: frozenset[str]) -> list[Token]:
    """The question's tokens in order. `keys`: names of tags and arguments that `key:value` may begin with."""
    found: list[Token] = []
    at = 0
    for match in _PIECE.finditer(text):
        made = _whole(match, keys)
        if made is None or match.start() < at:
            continue
        found.extend(_plain(text, at, match.start(), known))
        if match["unlike"]:
            found.append(Token("not", "", match.start(), match.start()))
        found.append(made)
        at = match.end()
    found.extend(_plain(text, at, len(text), known))
    return found


def _plain(text: str, start: int, end: int, known: Known) -> Iterator[Token]:
    """The tokens between two pieces; what has the form of an id or a name is one."""
    for token in tokens_of(text[start:end], known):
        if token.text in _LATIN:
            continue
        at = token.start + start
        led = at > 0 and text[at - 1] == " " and text[at + 1 : at + 2].isalpha()
        if token.text == "-" and led:
            # `vms -prod`
            yield Token("not", token.raw, at, token.end + start)
            continue
        if token.text == "!" and text[token.end + start : token.end + start + 1].isalnum():
            # `vms !prod`
            yield Token("not", token.raw, token.start + start, token.end + start)
            continue
        named = token.text in known.names
        if token.kind in ("name", "word") and not named and (engine := _ENGINE.fullmatch(token.text)):
            yield from _with_version(token, engine, start)
            continue
        kind: Kind = token.kind
        if kind in ("name", "word") and _ID.fullmatch(token.text):
            kind = "id"
        elif kind in ("name", "word") and (ran := _RUNTIME.fullmatch(token.text)) and _runs(token.text, text):
            said = f"{_LANGUAGES.get(ran[1], ran[1])}{ran[2]}"
            yield Token(said, token.raw, token.start + start, token.end + start, "runtime")
            continue
        elif kind == "word" and _NUMBERED.fullmatch(token.text):
            kind = "word" if token.text in known.words or token.text in known.gpus else "name"
        yield Token(token.text, token.raw, token.start + start, token.end + start, kind, token.value)


_ENGINE = re.compile(r"(pg|postgres|postgresql|mysql|mariadb)(\d{1,2}(?:\.\d+)?)")


def _with_version(token: Token, engine: re.Match[str], start: int) -> Iterator[Token]:
    """`pg12`: an engine and its version."""
    begin, cut = token.start + start, token.start + start + engine.start(2)
    yield Token(engine[1], token.raw[: engine.end(1)], begin, begin + engine.end(1))
    yield Token(engine[2], engine[2], cut, token.end + start, "number", float(engine[2]))


def _runs(said: str, text: str) -> bool:
    """`node-1` is the name of a machine where no functions are spoken of."""
    return not said.startswith("node-") or any(
        word in text.lower() for word in ("function", "lambda", "runtime")
    )


def _whole(match: re.Match[str], keys: frozenset[str]) -> Token | None:
    kind = match.lastgroup or ""
    said = match[0]
    if match["unlike"]:
        return _piece(match, "pair", f"{match['notkey']}={match['notvalue'].rstrip('.?!:')}")
    if kind in ("value", "pair"):
        value = match["value"].strip("\"'").rstrip(".?!:")
        return _piece(match, "pair", f"{match['key']}={value}")
    if kind == "tagged":
        key, _, value = said.partition(":")
        return _piece(match, "pair", f"{key}={value.rstrip('.?!:')}") if key.lower() in keys else None
    if kind == "quoted":
        whole = match.start() == 0 and match.end() == len(match.string)
        return None if whole else _piece(match, "quoted", match["quoted"].strip())
    if kind == "pattern":
        return _piece(match, "pattern", said.rstrip(".?!")) if any(c.isalnum() for c in said) else None
    return _piece(match, "ip" if kind == "ip" else "id", said.rstrip(".?!"))


def _piece(match: re.Match[str], kind: Kind, said: str) -> Token:
    return Token(said.lower(), said, match.start(), match.end(), kind)
