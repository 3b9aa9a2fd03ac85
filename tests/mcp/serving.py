"""A server over HTTP on this machine, for as long as clients are tried with it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

END_S = 10.0


@contextmanager
def serving(command: list[str], home: Path, *options: str) -> Iterator[str]:
    """The address of the server that `command` starts; ValueError when it says none."""
    with (home / "server.log").open("w+") as log:
        server = subprocess.Popen(
            [*command, "--http", "127.0.0.1:0", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "CLOUDTOP_HOME": str(home)},
        )
        assert server.stderr is not None
        try:
            said = ""
            while (line := server.stderr.readline()) and not (found := re.search(r"http://\S+/mcp", line)):
                said += line
            if not line:
                raise ValueError(f"the server did not start: {said[-2000:]}")
            assert found is not None
            yield found[0]
        finally:
            server.terminate()
            server.communicate(timeout=END_S)
