"""`make live PROVIDER=vast`: the same promises against the real cloud. Read-only; needs the internet.

Skips aloud, with exit code 0, when the provider needs credentials and there are none.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from cloudtop.cli.build import build
from cloudtop.sellers import provider_id
from connectors.discovery import found


async def promises(provider: str, home: Path) -> list[str]:
    """What is broken, in sentences."""
    config = home / "config.json"
    others = {name: {"enabled": False} for name in found() if name != provider}
    config.write_text(json.dumps({"providers": others}))
    house = build(config, home, deadline_s=60)
    runtime = house.runtime()
    broken = []
    health = (await runtime.call("check_health", {"providers": provider})).structured
    broken += [f"{row['check']}: {row['message']}" for row in health["rows"] if row["healthy"] is False]
    for arguments in ({"gpu": "A100"}, {"gpu": "RTX4090", "spot": True}):
        asked = {**arguments, "providers": provider, "limit": 500, "max_age": "0s"}
        outcome = await runtime.call("compare_gpu_prices", asked)
        if outcome.is_error:
            broken.append(outcome.text)
            continue
        rows, missing = outcome.structured["rows"], outcome.structured["missing"]
        broken += [f"{one['code']}: {one['message']}" for one in missing if one["severity"] == "error"]
        if len({(row["offer_id"], row["spot"]) for row in rows}) != len(rows):
            broken.append(f"{arguments}: an offer came twice")
        prices = [row["usd_per_gpu_hour"] for row in rows]
        if prices != sorted(prices) or any(price <= 0 for price in prices):
            broken.append(f"{arguments}: prices are not in order")
        sys.stdout.write(f"{provider} {arguments}: {len(rows)} rows\n")
    await house.aclose()
    return broken


def main() -> int:
    provider = provider_id(sys.argv[1])
    facts = found().get(provider)
    if facts is None:
        sys.stderr.write(f"live: {provider} has no connector\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="cloudtop-live-") as home:
        settings = build(home=Path(home)).settings
        keyed = all(settings.secret(provider, "default", name) for name in facts.required)
        if not keyed and not facts.keyless:
            sys.stderr.write(f"live: SKIPPED, {provider} needs {facts.to_set}\n")
            return 0
        broken = asyncio.run(promises(provider, Path(home)))
    for one in broken:
        sys.stderr.write(f"live: {one}\n")
    sys.stdout.write(f"{'0 passed, 1 failed' if broken else '1 passed, 0 failed'}\n")
    return 1 if broken else 0


sys.exit(main())
