"""The house's rules about who may import whom, and who may touch the environment, SQLite and the network."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (
    "cloudtop.cli",
    "cloudtop.store",
    "cloudtop.sandbox",
    "connectors",
    "mcp_server",
    "agent",
    "cloudtop",
)
EVERYTHING = frozenset(ROOMS)
MAY_IMPORT = {
    "cloudtop.cli": EVERYTHING,
    "agent": {"cloudtop"},
    "mcp_server": {"cloudtop.store", "connectors", "cloudtop"},
    "cloudtop.store": {"cloudtop"},
    "connectors": {"cloudtop"},
    "cloudtop.sandbox": set(),
    "cloudtop": set(),
}
OURS = ("cloudtop", "connectors", "mcp_server", "agent")
FILES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str | None:
    return next((one for one in ROOMS if name == one or name.startswith(one + ".")), None)


def imports(path: Path, *, at_import: bool = False) -> Iterator[tuple[str, int]]:
    """Every module a file names in an import; `at_import`: only those loaded with the file itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if at_import:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            ):
                skipped |= set(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield (deeper if is_module(deeper) else node.module), node.lineno


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_it_may(path: Path) -> None:
    own = room(module(path))
    assert own is not None
    wrong = [
        f"line {line}: {name}"
        for name, line in imports(path)
        if (other := room(name)) not in (None, own) and other not in MAY_IMPORT[own] and name != "cloudtop"
    ]
    assert wrong == [], f"{module(path)} may import {sorted(MAY_IMPORT[own])} only"


def test_no_connector_imports_another() -> None:
    shared = {
        "connectors",
        *(
            f"connectors.{one}"
            for one in ("base", "http", "door", "rented", "rows", "sdk_door", "threads", "discovery")
        ),
    }
    for path in (ROOT / "connectors").glob("*.py"):
        own = module(path).split("_")[0]
        others = {name for name, _ in imports(path) if name.startswith("connectors.")} - shared
        assert all(one.split("_")[0] == own for one in others), f"{path.name} imports {others}"


def test_there_is_no_import_cycle() -> None:
    graph = {
        module(path): {name for name, _ in imports(path, at_import=True) if room(name)} - {module(path)}
        for path in FILES
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " imports ".join([*above[above.index(name) :], name])
        if name not in done:
            for one in graph.get(name, ()):
                visit(one, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def uses(path: Path, *names: str) -> list[int]:
    """Lines that use any of `module.attribute`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and f"{node.value.id}.{node.attr}" in names
    ]


def test_only_settings_reads_the_environment() -> None:
    readers = {module(path) for path in FILES if uses(path, "os.environ", "os.getenv", "os.environb")}
    assert readers <= {"cloudtop.settings"}


def test_only_the_store_opens_sqlite() -> None:
    openers = {
        module(path)
        for path in FILES
        for name, _ in imports(path)
        if name.split(".")[0] in ("sqlite3", "sqlite_utils")
    }
    assert {room(name) for name in openers} <= {"cloudtop.store"}


def test_outgoing_requests_go_only_through_net_and_the_door() -> None:
    clients = {"httpx", "httpx2", "requests", "aiohttp", "urllib.request", "http.client", "socket", "ssl"}
    users = {
        module(path)
        for path in FILES
        for name, _ in imports(path)
        if name in clients and room(module(path)) != "cloudtop.sandbox"
    }
    # cli.remote asks a server given with --server, by the MCP client and its own HTTP library.
    assert users <= {
        "cloudtop.net",
        "cloudtop.faults",
        "connectors.door",
        "connectors.sdk_door",
        "connectors.aws_door",
        "connectors.oci_door",
        "connectors.gcp_door",
        "connectors.cloudflare_door",
        "connectors.http",
        "connectors.discovery",
        "cloudtop.cli.remote",
    }


def test_nothing_prints_to_standard_output_but_results() -> None:
    printers = {module(path) for path in FILES if uses(path, "sys.stdout")}
    allowed = {name for name in map(module, FILES) if name.startswith(("cloudtop.cli", "cloudtop.sandbox"))}
    assert printers <= allowed


def test_public_names_have_a_docstring_and_files_stay_readable() -> None:
    long = [f"{module(path)}: {n}" for path in FILES if (n := path.read_text().count("\n")) > 450]
    assert long == []


def test_heavy_packages_are_not_imported_by_a_warm_call(tmp_path: Path) -> None:
    import subprocess

    heavy = [
        "httpx",
        "tenacity",
        "sqlite_utils",
        "yaml",
        "pydantic",
        "rich",
        "mcp",
        "langgraph",
        "langchain_core",
        "rapidfuzz",
        "boto3",
        "botocore",
        "oci",
        "google",
        "grpc",
        "requests",
    ]
    code = (
        "import sys\nfrom cloudtop.cli.main import ended\n"
        f"words = ['--offline', '--home', {str(tmp_path)!r}, 'call', 'compare_gpu_prices', 'gpu=A100']\n"
        "code = ended([*words, '--json'])\n"
        f"print(code, sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        for _ in range(2)
    ]
    assert runs[1].stderr.splitlines()[-1] == "0 []", runs[1].stderr
