"""How much of the code tests must reach: 90 % of lines and branches where answers are made, 80 % overall."""

from __future__ import annotations

import io
import sys

from coverage import Coverage

FLOORS = {"mcp_server": 90.0, "agent": 90.0, "cloudtop/store": 90.0, "": 80.0}


def main() -> int:
    found = Coverage()
    found.load()
    low = []
    for room, floor in FLOORS.items():
        percent = found.report(include=f"{room}/*" if room else None, file=io.StringIO())
        sys.stderr.write(f"coverage of {room or 'everything'}: {percent:.1f} % (at least {floor:g} %)\n")
        if percent < floor:
            low.append(room or "everything")
    return 1 if low else 0


sys.exit(main())
