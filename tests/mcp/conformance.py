"""The protocol's own suites: whole ones against the server with the fixtures that they prescribe, and against
the server as people start it what needs no fixture.

Not asked of the latter: completion-complete names a prompt of the suite's own; logging-set-level is about
log messages, which this server does not offer and the protocol gives up; the other input-required-result
scenarios call tools of the suite's own. With the fixtures all of these are asked.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.mcp.serving import serving

MODULES = Path(__file__).parent / "node_modules"
STABLE = MODULES / "conformance/dist/index.js"
NEXT = MODULES / "conformance-next/dist/index.js"
SUITES = {
    "stable --suite all": (STABLE, "--suite", "all"),
    "next --requirements 2025-11-25": (NEXT, "--requirements", "2025-11-25"),
    "next --requirements 2026-07-28": (NEXT, "--requirements", "2026-07-28"),
}
EVERYBODY = ("tools-list", "resources-list", "prompts-list", "dns-rebinding-protection")
HANDSHAKE = ("server-initialize", "ping", "server-session-lifecycle", *EVERYBODY)
MODERN = (
    "server-stateless",
    "sep-2164-resource-not-found",
    "caching",
    "http-header-validation",
    "server-sse-multiple-streams",
    "input-required-result-unsupported-methods",
    *EVERYBODY,
)
LACKING = ("server-stateless",)
LACKED = frozenset(
    {
        "sep-2575-server-rejects-undeclared-capability",
        "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel",
        "sep-2575-server-sends-prompts-list-changed-on-subscription",
        "sep-2575-server-sends-tools-list-changed-on-subscription",
    }
)
"""Checks within a scenario that call a tool of the suite's own."""

MISTAKEN = frozenset({"server-sse-priming-event", "server-sse-retry-field"})
"""What 2025-11-25 begins a stream with: the stable suite misses it at a client that says it is of 2025-03-26,
which could not read it. The next suite asks as it should."""

EXTENSION = "tasks"
"""An extension that this server does not say it has; the suites run its scenarios and do not score them."""

SUITE_S = 240.0
SCENARIO_S = 60.0


def conformant(command: list[str], home: Path) -> list[str]:
    """What the suites said; ValueError where one is not content."""
    lines = []
    with serving(command, home, "--stateful", "--conformance") as url:
        for title, (program, *words) in SUITES.items():
            out = home / title
            _run(program, url, out, SUITE_S, *words)
            known = MISTAKEN if program == STABLE else frozenset()
            lines.append(f"conformance {title}: {_judged(title, out, known)}")
    for ways, version, scenarios in (
        ((), "2025-11-25", HANDSHAKE),
        (("--stateful",), "2025-11-25", (*HANDSHAKE, "server-sse-multiple-streams")),
        ((), "2026-07-28", MODERN),
        (("--stateful",), "2026-07-28", MODERN),
    ):
        title = " ".join(("without fixtures", version, *ways))
        out = home / title
        with serving(command, home, *ways) as url:
            for one in scenarios:
                words = ("--scenario", one, "--spec-version", version)
                _run(NEXT, url, out, SCENARIO_S, *words, judged=one not in LACKING)
        lines.append(f"conformance {title}: {_judged(title, out, LACKED)}")
    return lines


def _judged(title: str, out: Path, known: frozenset[str]) -> str:
    """How many checks held, by the reports in `out`; ValueError where one did not that is not `known`."""
    reports = sorted(out.glob("*/checks.json"))
    offered = [one for one in reports if not one.parent.name.startswith(f"server-{EXTENSION}-")]
    checks: list[dict[str, Any]] = [one for path in offered for one in json.loads(path.read_text())]
    wrong = [one for one in checks if one["status"] in ("FAILURE", "WARNING") and one["id"] not in known]
    held = sum(one["status"] == "SUCCESS" for one in checks)
    if wrong or not held:
        raise ValueError(f"{title}: {json.dumps(wrong)[:3000]}")
    left_out = len(reports) - len(offered)
    told = f"{len(offered)} scenarios, {held} checks held"
    return f"{told} ({left_out} scenarios of {EXTENSION} are not for us)" if left_out else told


def _run(program: Path, url: str, out: Path, seconds: float, *words: str, judged: bool = True) -> str:
    done = subprocess.run(
        ["node", str(program), "server", "--url", url, *words, "--output-dir", str(out)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if judged and done.returncode:
        raise ValueError(
            f"{' '.join(words)}: exit {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        )
    return done.stdout + done.stderr
