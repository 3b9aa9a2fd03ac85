"""`demo`: any command against a made-up market that starts and stops with it.

Imported late: the sandbox (starlette, uvicorn).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cloudtop.cli.main import ended
from cloudtop.errors import CloudtopError, UsageError

if TYPE_CHECKING:
    import argparse


PATIENT_S = 60.0


def run(options: argparse.Namespace) -> int:
    """Start the sandbox, run the command with its configuration and a home of its own, stop."""
    words = [word for word in options.words if word != "--"]
    if not words or words[0] == "demo":
        raise UsageError("demo: which command?", 'Such as: cloudtop demo ask "cheapest A100 now"')
    try:
        from cloudtop.sandbox.serve import running
    except ImportError as error:
        raise CloudtopError(
            f"The sandbox needs {error.name}.", "Install it with: pip install 'cloudtop[sandbox]'"
        ) from error
    with (
        running(moving=not options.still) as sandbox,
        tempfile.TemporaryDirectory(prefix="cloudtop-demo-") as home,
    ):
        config = Path(home) / "config.json"
        document = sandbox.config()
        # The demo's answers are the sandbox's alone: a shipped price would be a real one among made-up ones.
        document["providers"]["pricelist"] = {"options": {"shipped": False}}
        # Its clouds share one processor with who asks them, and make the fleet when it is first asked for.
        document["limits"] = {"deadline": PATIENT_S}
        config.write_text(json.dumps(document), encoding="utf-8")
        if options.json:
            words.append("--json")
        return ended(words, config=config, home=Path(home), program="cloudtop demo")
