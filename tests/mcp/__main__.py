"""`make mcp`: the official Inspector, the official TypeScript client and LangChain's list and call every
tool, over both transports, in both eras; the official conformance suites are run; the view of prices is tried
in a real browser.

Raw lines in all protocol versions, and the Python SDK's client, are in the ordinary tests.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.mcp.client import LANGCHAIN, called
from tests.mcp.conformance import conformant
from tests.mcp.inspector import PROGRAM, inspected
from tests.mcp.view import viewed

COMMAND = [sys.executable, "-c", "from cloudtop.cli.main import main; main()", "demo", "mcp"]
CALLS: dict[str, list[dict[str, Any]]] = {
    "compare_gpu_prices": [
        {"gpu": ["A100"], "limit": 3},
        {"gpu": ["H100"], "count": 8, "spot": True, "max_price": 25, "region": ["eu"]},
        {"gpu": ["A100"], "group_by": "region", "limit": 5},
    ],
    "gpu_price_history": [{"gpu": ["A100"]}, {"gpu": ["H100"], "group_by": "provider"}],
    "ask": [{"question": "cheapest A100 now"}],
    "list_providers": [{}],
    "check_health": [{"providers": ["aws"], "resource_type": "database"}, {"providers": ["vast"]}],
    "list_services": [{}],
    "list_resources": [{"providers": ["aws"], "resource_type": "bucket", "limit": 3}],
    "get_resource": [{"id": "aws:prod:us-east-1:instance:i-697df5546e8b5fe86"}],
    "get_metrics": [{"providers": ["aws"], "metric": "cpu", "name": "web-prod-3", "region": ["us-east-1"]}],
}


def main() -> int:
    if shutil.which("node") is None or not PROGRAM.is_file() or not LANGCHAIN.is_file():
        sys.stderr.write("mcp: Node, the Inspector or LangChain's client is missing; run it as: make mcp\n")
        return 1
    lines: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="cloudtop-mcp-") as home:
            lines += inspected(COMMAND, Path(home), CALLS)
        with tempfile.TemporaryDirectory(prefix="cloudtop-mcp-") as home:
            lines += called(COMMAND, Path(home), CALLS)
            lines += viewed(COMMAND, Path(home))
            lines += conformant(COMMAND, Path(home))
    except (ValueError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"mcp: {error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + f"\n{len(lines)} passed, 0 failed\n")
    return 0


sys.exit(main())
