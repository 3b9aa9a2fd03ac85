"""cloudtop and gpuhunt (PyPI) side by side: one list, one run, the same questions, answers judged by a third.

The list is `market.py`'s, the questions and right answers are `ranking.py`'s (a process of its own), gpuhunt
is asked by `peer_gpuhunt.py` (in its own environment; what it is helped with is told there). cloudtop reads
the list as a person's own and is asked through the tool's arguments, one call a question, nothing done to the
result. An answer is right when its first row has the right price and is one of the offers that have it.
gpuhunt is installed once, into `.cache/bench`; where it cannot be had this part is left out.
"""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
import time
import venv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import market
from bench.row import Row, p
from cloudtop.cli.build import build
from tests.switched import only

HERE = Path(__file__).parent
PEER = "gpuhunt==0.1.34"
CACHE = HERE.parent / ".cache" / "bench"
Answer = Mapping[str, Any] | None


def rows(folder: Path, *, quick: bool) -> list[Row]:
    python = _environment()
    if python is None:
        return []
    count = market.FULL // 10 if quick else market.FULL
    file = folder / "market.csv"
    market.write(file, count)
    asked = json.loads(_run(sys.executable, "-I", HERE / "ranking.py", file))["questions"]
    ours = asyncio.run(_ours(folder, file, asked))
    theirs = _theirs(folder, python, file, asked)
    return _compared(count, asked, ours, theirs)


def _environment() -> Path | None:
    """A Python that has the peer; None, said in a line, where it cannot be had."""
    home = CACHE / PEER.replace("==", "-")
    python, ready = home / "bin" / "python", home / "ready"
    if ready.exists():
        return python
    venv.create(home, with_pip=True, clear=True)
    got = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", PEER],
        capture_output=True,
        text=True,
        check=False,
    )
    if got.returncode:
        why = (got.stderr.strip().splitlines() or ["pip failed"])[-1]
        sys.stderr.write(f"bench: peers left out, {PEER} could not be installed: {why}\n")
        return None
    ready.touch()
    return python


def _run(*command: object) -> str:
    return subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _theirs(folder: Path, python: Path, file: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """gpuhunt over the same rows, each with what it means instead of how its seller writes it."""
    offers, questions, catalogues = folder / "offers.csv", folder / "questions.json", folder / "catalogues"
    meant = {(one.line, one.listed): one for one in market.types()}
    with file.open(newline="") as rows, offers.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("seller", "instance_type", "region", "model", "gib", "gpus", "spot", "usd"))
        for row in csv.DictReader(rows):
            one = meant[int(row["source"].partition("#")[2]), row["gpu_count"]]
            told = (row["provider"], row["instance_type"], row["region"], one.model, one.board_gib, one.gpus)
            for cell, spot in (("price_per_hour_usd", False), ("spot_price_per_hour_usd", True)):
                if float(row[cell] or 0):
                    writer.writerow((*told, spot, row[cell]))
    unanswered = [{key: value for key, value in one.items() if key != "right"} for one in asked]
    questions.write_text(json.dumps(unanswered))
    script = HERE / "peer_gpuhunt.py"
    _run(python, "-I", script, "pack", offers, catalogues)
    found: dict[str, Any] = json.loads(_run(python, "-I", script, "ask", questions, catalogues))
    return found


async def _ours(folder: Path, file: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    lists = {"options": {"files": [str(file)], "shipped": False}}
    config, home = folder / "peers.json", folder / "peers-home"
    config.write_text(json.dumps({"providers": {**only(), "pricelist": lists}}))
    found: dict[str, Any] = {"calls": [_arguments(one) for one in asked]}
    for name in ("load_s", "again_s"):
        started = time.perf_counter()
        house = build(config, home, deadline_s=120)
        runtime = house.runtime()
        outcome = await runtime.call("compare_gpu_prices", {"gpu": ["A100"]})
        found[name] = time.perf_counter() - started
        assert not outcome.is_error, outcome.text
        if name == "load_s":
            await house.aclose()
    found |= {"answers": [], "said": [], "fresh_ms": [], "kept_ms": []}
    for one in found["calls"]:
        for times in ("fresh_ms", "kept_ms"):
            started = time.perf_counter()
            outcome = await runtime.call("compare_gpu_prices", one)
            found[times].append((time.perf_counter() - started) * 1000)
        listed = [] if outcome.is_error else outcome.structured["rows"]
        found["answers"].append(_row(listed[0]) if listed else None)
        found["said"].append(outcome.text)
    await house.aclose()
    return found


def _arguments(one: Mapping[str, Any]) -> dict[str, Any]:
    """The question in the arguments of the tool."""
    said = {
        "gpu": list(one["names"]) or None,
        "memory": one["gib"],
        "min_memory": one["least_gib"],
        "count": one["gpus"],
        "spot": one["spot"],
        "region": [one["place"]] if one["place"] else None,
        "exclude_providers": [one["without"]] if one["without"] else None,
        "max_price": one["bound"],
        "rank_by": "hour" if one["by_instance"] else None,
        "sort": "price_desc" if one["dearest"] else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seller": row["provider"],
        "instance_type": row["instance_type"],
        "usd": row["usd_per_hour"],
        "count": row["gpu_count"],
        "gib": row["gpu_memory_gib"],
    }


def _right(one: Mapping[str, Any], answer: Answer) -> bool:
    if answer is None:
        return False
    usd = answer["usd"] if one["by_instance"] else answer["usd"] / answer["count"]
    wanted = one["right"]
    same = abs(usd - wanted["price"]) <= 1e-6 * wanted["price"]
    return same and [answer["seller"], answer["instance_type"]] in wanted["offers"]


def _compared(
    count: int, asked: list[dict[str, Any]], ours: dict[str, Any], theirs: dict[str, Any]
) -> list[Row]:
    scores: dict[str, Counter[str]] = {name: Counter() for name in ("all", "ours", "own", "helped", "told")}
    wrong = []
    for i, one in enumerate(asked):
        kind, peer = one["kind"], theirs["answers"][i]
        for name, answer in (("ours", ours["answers"][i]), *peer.items()):
            scores[name][kind] += _right(one, answer)
        scores["all"][kind] += 1
        if not _right(one, ours["answers"][i]):
            said = ours["answers"][i] or ours["said"][i]
            wrong.append(f"WRONG: {one['text']}\n  {ours['calls'][i]}\n  {said}\n  right: {one['right']}")
    _told(scores, wrong)
    total = {name: score.total() for name, score in scores.items()}
    fresh, kept, base = p(ours["fresh_ms"], 0.5), p(ours["kept_ms"], 0.5), p(theirs["times_ms"], 0.5)
    start_s = theirs["load_s"] + theirs["first_s"]
    peer = PEER.replace("==", " ")
    helps = f"{peer}: {total['helped']} helped ({total['own']} alone, {total['told']} told sizes)"
    return [
        Row(
            f"ranking questions right, of {total['all']}",
            f"{total['ours']} of {total['all']}",
            helps,
            total["ours"] / total["helped"],
            "all",
            total["ours"] == total["all"],
        ),
        Row(
            f"ranking question over {count:,}, asked first, p50",
            f"{fresh:.2f} ms",
            f"{base:.0f} ms {peer} query(), loaded",
            fresh / base,
            "<= 0.1 x",
            fresh / base <= 0.1,
        ),
        Row(
            f"ranking question over {count:,}, asked again, p50",
            f"{kept:.3f} ms",
            f"{base:.0f} ms {peer} query(), loaded",
            kept / base,
            "<= 0.01 x",
            kept / base <= 0.01,
        ),
        Row(
            f"{count:,} prices, the list read and the first answer",
            f"{ours['load_s']:.1f} s",
            f"{start_s:.1f} s {peer}",
            ours["load_s"] / start_s,
            "<= 1 x",
            ours["load_s"] <= start_s,
        ),
        Row(
            f"{count:,} prices, the next start and the first answer",
            f"{ours['again_s']:.2f} s",
            f"{start_s:.1f} s {peer}",
            ours["again_s"] / start_s,
            "<= 1 x",
            ours["again_s"] <= start_s,
        ),
    ]


def _told(scores: Mapping[str, Counter[str]], wrong: list[str]) -> None:
    """Right answers by kind of question, and every wrong one of ours."""
    columns = ("all", "ours", "own", "helped", "told")
    print(f"{'right answers':26}" + "".join(f"{name:>8}" for name in columns))
    for kind in scores["all"]:
        print(f"{kind:26}" + "".join(f"{scores[name][kind]:8}" for name in columns))
    for one in wrong:
        print(one)
