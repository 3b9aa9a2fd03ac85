"""`python -m cloudtop.sandbox`: prints base URLs and a configuration as one line of JSON, and runs."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import datetime

from cloudtop.sandbox.cloud import clouds
from cloudtop.sandbox.fault_kinds import FAULTS
from cloudtop.sandbox.serve import RAW, describe, running


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until standard input closes, or SIGTERM or SIGINT comes."""
    parser = argparse.ArgumentParser(prog="python -m cloudtop.sandbox", description=main.__doc__)
    parser.add_argument("--only", action="append", choices=list(clouds()), help="this cloud; default all")
    parser.add_argument("--fault", choices=[*FAULTS, *RAW], help="on from the start, in every cloud")
    parser.add_argument("--still", action="store_true", help="the prices of the data file, whatever the day")
    parser.add_argument("--now", type=datetime.fromisoformat, help="fix the sandbox's clock (ISO 8601)")
    chosen = parser.parse_args(arguments)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    names = chosen.only or list(clouds())
    faults = dict.fromkeys(names, chosen.fault) if chosen.fault else None
    with running(names, faults=faults, moving=not chosen.still, now=chosen.now) as sandbox:
        sys.stdout.write(describe(sandbox) + "\n")
        sys.stdout.flush()
        threading.Thread(target=_until_input_ends, args=(stop,), daemon=True).start()
        stop.wait()
    return 0


def _until_input_ends(stop: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
