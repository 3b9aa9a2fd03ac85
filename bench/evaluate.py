"""`make eval`: how well the planner, or with MODEL=… a model, does on question files, category by category.

A turn is right when its behaviour is, and for an answer its tools with exactly their arguments (or one of the
accepted alternatives). Forgiven are `limit: 1` and `sort: price_asc`, a lone item against a list of one, the
spelling of GPUs and aliases of providers. A dialogue is right when every turn is.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from agent.planner.lexicon import Lexicon
from agent.planner.plan import plan
from agent.planner.query import Plan, Query

HERE = Path(__file__).parent.parent
Planner = Callable[[str, Query | None], Plan]
OWN = HERE / "tests" / "questions"
DEVELOPMENT = HERE.parent / "shared" / "data" / "dev_questions.yaml"
NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
_ALIASES = {"vastai": "vast", "oracle": "oci", "google": "gcp", "do": "digitalocean", "datacrunch": "verda"}
_SPLIT = (
    "gpu",
    "providers",
    "region",
    "exclude_providers",
    "exclude_region",
    "fields",
    "status",
    "resource_type",
)


def lexicon() -> Lexicon:
    """The lexicon that a server with the shipped specs and connectors gives."""
    from cloudtop import sellers
    from connectors import discovery
    from mcp_server import lexicon as served
    from mcp_server import specs

    connectors = discovery.found()
    known = sellers.known(connectors)
    return Lexicon.of(served.lexicon(specs.load(), known, (), connectors))


def questions(path: Path) -> list[dict[str, Any]]:
    """The questions of a file."""
    loaded: list[dict[str, Any]] = yaml.safe_load(path.read_text())["questions"]
    return loaded


def _one(argument: str, value: Any) -> str:
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).lower()
    if argument in ("gpu", "exclude_gpu"):
        return re.sub("[^a-z0-9]", "", text)
    return _ALIASES.get(text, text) if argument.endswith("providers") else text


def _plain(argument: str, value: Any) -> tuple[str, ...]:
    """One spelling of a value, lists in any order."""
    if isinstance(value, dict):
        value = [f"{k}={v}" for k, v in value.items()]
    if isinstance(value, str) and "," in value and argument in _SPLIT:
        value = [part.strip() for part in value.split(",")]
    values = value if isinstance(value, (list, tuple)) else [value]
    return tuple(sorted(_one(argument, v) for v in values))


Flat = set[tuple[str, str, tuple[str, ...]]]


def _forgiven(calls: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The calls without what does not count."""
    calls = list(calls)
    metrics = any(call["tool"] == "get_metrics" for call in calls)
    out = []
    for call in calls:
        kept = {
            name: value
            for name, value in call["args"].items()
            if not (name == "limit" and value == 1) and not (name == "sort" and value == "price_asc")
        }
        if metrics and call["tool"] == "list_resources":
            usual = {"status": ("running",), "resource_type": ("instance",)}
            kept = {name: value for name, value in kept.items() if _plain(name, value) != usual.get(name)}
            if not kept:
                continue
        out.append((call["tool"], kept))
    return out


def flat(calls: Iterable[Mapping[str, Any]]) -> Flat:
    """(tool, argument, value) of every call; references to earlier calls are left out."""
    return {
        (tool, name, _plain(name, value))
        for tool, arguments in _forgiven(calls)
        for name, value in arguments.items()
        if not str(value).startswith("$")
    }


def same(expected: list[Any], got: list[Any]) -> bool:
    """Whether two lists of calls ask the same."""
    tools = [Counter(tool for tool, _ in _forgiven(calls)) for calls in (expected, got)]
    return tools[0] == tools[1] and flat(expected) == flat(got)


def calls_of(made: Plan) -> list[dict[str, Any]]:
    """A plan's calls as question files write them."""
    return [{"tool": call.tool, "args": dict(call.arguments)} for call in made.calls]


def right(expect: Mapping[str, Any], made: Plan) -> bool:
    """Whether the plan is what the turn expects."""
    if expect["behaviour"] != "answer":
        wanted = expect.get("reason")
        return made.behaviour == expect["behaviour"] and (wanted is None or made.reason == wanted)
    got = calls_of(made)
    if made.behaviour == "answer" and same(expect["calls"], got):
        return _then_right(expect, made)
    for other in expect.get("alt_calls", []):
        other = other if isinstance(other, list) else [other]
        if other and "behaviour" in other[0]:
            if made.behaviour == other[0]["behaviour"]:
                return True
        elif made.behaviour == "answer" and same(other, got):
            return True
    return False


def _then_right(expect: Mapping[str, Any], made: Plan) -> bool:
    """What is computed is checked where the file is ours and says so (`exact_then: true`)."""
    if not expect.get("exact_then"):
        return True
    wanted = expect.get("then") or {}
    got = dict(made.then or {})
    return all(got.get(key) == value for key, value in wanted.items()) and bool(wanted) == bool(got)


@dataclass
class Score:
    """What was counted over a file or several."""

    exact: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    tools: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    within: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    hit: int = 0
    extra: int = 0
    missed: int = 0
    silent: list[str] = field(default_factory=list)
    unsafe: list[str] = field(default_factory=list)
    wrong: list[tuple[str, str, Mapping[str, Any], Plan]] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)
    turns: int = 0

    def turn(self, name: str, said: str, expect: Mapping[str, Any], made: Plan) -> tuple[bool, bool]:
        """Count one turn; whether it was exact, and whether its tools were right."""
        self.turns += 1
        exact = right(expect, made)
        tools = exact
        if expect["behaviour"] == "answer":
            want, got = flat(expect["calls"]), flat(calls_of(made))
            if not exact or want == got:
                self.hit, self.extra, self.missed = (
                    self.hit + len(want & got),
                    self.extra + len(got - want),
                    self.missed + len(want - got),
                )
            tools = exact or {c["tool"] for c in expect["calls"]} == {c.tool for c in made.calls}
        elif expect["behaviour"] == "refuse" and made.behaviour == "answer":
            self.unsafe.append(said)
        if not exact:
            self.wrong.append((name, said, expect, made))
            if made.behaviour == "answer" and not made.ignored:
                self.silent.append(said)
        return exact, tools


def swapped(text: str, chance: random.Random) -> str:
    """Two neighbouring letters change places in one word of five letters or more, as fingers do it."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    at = chance.choice(long)
    word = words[at]
    cut = chance.randrange(len(word) - 1)
    words[at] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)


def _dialogue(
    question: Mapping[str, Any], planned: Planner, score: Score, chance: random.Random | None
) -> tuple[bool, bool]:
    """All turns of one question."""
    previous, exact, tools = None, True, True
    for turn in question["turns"]:
        said = swapped(turn["user"], chance) if chance is not None else turn["user"]
        began = time.perf_counter()
        made = planned(said, previous)
        score.times_ms.append(1000 * (time.perf_counter() - began))
        one, other = score.turn(question["id"], said, turn["expect"], made)
        exact, tools = exact and one, tools and other
        previous = made.query
    return exact, tools


def _planned(words: Lexicon, text: str, previous: Query | None) -> Plan:
    return plan(text, words, NOW, previous)


def answerable(question: Mapping[str, Any], words: Lexicon) -> bool:
    """Whether today's tools can answer it: some accepted way of every turn uses only what there is."""
    for turn in question["turns"]:
        expect = turn["expect"]
        others = [other if isinstance(other, list) else [other] for other in expect.get("alt_calls", [])]
        if not any(
            all(_there_is(call, words) for call in way) for way in [expect.get("calls") or [], *others]
        ):
            return False
    return True


def _there_is(call: Mapping[str, Any], words: Lexicon) -> bool:
    """Whether the tool and all arguments of a call exist; a behaviour always does."""
    tool = words.tools.get(str(call.get("tool")))
    return "behaviour" in call or (tool is not None and tool.here and all(map(tool.has, call["args"])))


def evaluate(
    paths: Iterable[Path],
    words: Lexicon,
    only: str | None = None,
    swaps: int | None = None,
    planned: Planner | None = None,
) -> Score:
    """Plan every question of the files and count.

    `swaps`: the seed by which letters change places first; `planned`: who plans, in place of the planner.
    """
    score = Score()
    chance = random.Random(swaps) if swaps is not None else None
    for path in paths:
        for question in questions(path):
            category = str(question["category"])
            if only and category != only:
                continue
            exact, tools = _dialogue(question, planned or partial(_planned, words), score, chance)
            score.exact[category].append(exact)
            score.tools[category].append(tools)
            if answerable(question, words):
                score.within[category].append(exact)
    return score


def _report(title: str, score: Score) -> Iterator[str]:
    yield title
    for category, results in score.exact.items():
        possible, total = score.within[category], len(results)
        tools_right = sum(score.tools[category])
        line = f"  {category:24s} exact {sum(results):3d}/{total:3d}  tools {tools_right:3d}/{total:3d}"
        some = f"   today's tools can answer {len(possible)}, right {sum(possible)}"
        yield line + ("" if len(possible) == total else some)
    everything = [r for results in score.exact.values() for r in results]
    tools = [r for results in score.tools.values() for r in results]
    times = sorted(score.times_ms)
    if not everything:
        return
    f1 = 2 * score.hit / max(1, 2 * score.hit + score.extra + score.missed)
    yield (
        f"  ALL exact {sum(everything) / len(everything):.1%}  tools {sum(tools) / len(tools):.1%}"
        f"  slot F1 {f1:.3f}  silently wrong {len(score.silent) / score.turns:.1%} of turns"
        f"  should-refuse answered {len(score.unsafe)}"
        f"  plan p50 {times[len(times) // 2]:.2f} p95 {times[int(len(times) * 0.95)]:.2f} ms"
    )


def _misses(score: Score) -> Iterator[str]:
    for name, said, expect, made in score.wrong:
        wanted = expect.get("calls") or expect.get("reason") or ""
        got = calls_of(made) or made.reason or made.question
        yield f"{name} | {said}"
        yield f"    want {expect['behaviour']} {wanted} {expect.get('then') or ''}"
        yield f"    got  {made.behaviour} {got} {made.then or ''} ignored={list(made.ignored)}"


def main(argv: list[str] | None = None) -> int:
    """Print the scores; always 0, for it measures."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate", description=__doc__)
    parser.add_argument("--only", metavar="CATEGORY")
    parser.add_argument("--verbose", action="store_true", help="show every miss")
    parser.add_argument("--file", type=Path, action="append", help="these files instead of the usual ones")
    parser.add_argument(
        "--swaps", metavar="SEED", type=int, help="with a pair of letters swapped in each question"
    )
    parser.add_argument(
        "--model", help="this model in place of the planner, over the sandbox; it may cost money"
    )
    parser.add_argument("--base-url", help="where the model is served")
    chosen = parser.parse_args(argv)
    words = lexicon()
    plan("chepest a100 lst week", words, NOW)
    files = chosen.file or [*([DEVELOPMENT] if DEVELOPMENT.exists() else []), *sorted(OWN.glob("*.yaml"))]
    with _who(chosen) as planned:
        for path in files:
            score = evaluate([path], words, chosen.only, chosen.swaps, planned)
            lines = list(_report(path.name, score))
            if len(lines) > 1:
                print("\n".join([*lines, *(_misses(score) if chosen.verbose else ())]), flush=True)
    return 0


def _who(chosen: argparse.Namespace) -> AbstractContextManager[Planner | None]:
    if not chosen.model or chosen.model == "planner":
        return nullcontext()
    from bench.modelled import modelled

    return modelled(chosen.model, NOW, chosen.base_url)


if __name__ == "__main__":
    sys.exit(main())
