"""Pages of docs/ that are made from specs, connectors and the schema, so that they cannot drift.

python -m tests.docs --write    writes them; tests/test_docs.py fails when one is not what it would be.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from cloudtop.cli.main import parser
from cloudtop.sellers import known
from cloudtop.settings_schema import NO_EFFECT, SCHEMA
from connectors.base import Facts
from connectors.discovery import connector_class, found
from mcp_server import specs
from mcp_server.spec_form import COMMON_FORM, FORM, NARROWED_FORM
from mcp_server.specs import ToolSpec

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
MADE = "<!-- Made by `make docs` from the sources named below; edit those. -->"

EFFECTS = {
    "version": "which form this file has",
    "defaults.refresh_interval": NO_EFFECT["defaults.refresh_interval"],
    "defaults.output_format": "what `call` prints: a table, every field, or JSON",
    "defaults.show_cached": "false: every question asks the clouds anew",
    "cache.enabled": "false: nothing is kept after the process ends",
    "cache.backend": "`sqlite` (also `file`): one file; `memory`: gone with the process",
    "cache.ttl": "how long any answer counts as fresh; absent: each kind's own time",
    "cache.max_size": "how many listings are kept; the oldest go first",
    "cache.cache_dir": "the folder of the store, in place of the data folder",
    "cache.redis_url": NO_EFFECT["cache.redis_url"],
    "output.color_enabled": "colours on a terminal",
    "output.timestamps": "false: tables leave times out",
    "output.columns": "columns of tables by kind (`gpu`, `health`, `provider`)",
    "limits.deadline": "how long one question may take in all (else 30 s, or 8 s: ask, chat, call, doctor)",
    "limits.retries": "tries after the first",
    "limits.in_flight": "requests under way at once over all clouds",
    "agent.model": "who plans: `planner`, or a model such as `openai:NAME` (docs/models.md)",
    "agent.base_url": "where the model is served, if not at its provider's own address",
    "agent.turns": "turns a model may take for one question (6); beyond its bounds the planner answers",
    "agent.calls": "calls of tools it may make for one question (12)",
    "agent.tokens": "tokens it may use for one question (60,000)",
    "agent.timeout": "how long one question may take it (60 s)",
    "agent.result_letters": "how much of one result it is shown (8,000 letters)",
    "agent.columns": "the columns it is shown, in place of the usual ones (docs/models.md); `*` for all",
    "agent.pseudonyms": "true: names of resources and accounts leave as `name-1`, and are given back",
    "agent.client_model": "which questions to tool `ask` go to the client's own model: those that the "
    "planner can make nothing of (`unclear`), `always`, `never` (docs/models.md)",
    "providers.*.enabled": "false: never asked",
    "providers.*.auth": "credentials: `api_key`, or `env_api_key` naming the variable that holds it; "
    "`profile`, `role_arn` (`external_id`) and `method: service_account` for those that AWS' own tools keep; "
    "Oracle's `tenancy`, `user`, `fingerprint` and `key_content`, or a `key_file`",
    "providers.*.credentials": "the same credentials in an older form",
    "providers.*.regions": "the regions that are asked, where prices are read region by region (AWS)",
    "providers.*.services": "whose resources are read: ids of `list_services`, or common names; else all",
    "providers.*.rate_limit": "requests a second, burst, and how long one may wait for its turn",
    "providers.*.timeout": "how long one request may take",
    "providers.*.retries": "tries after the first, for this provider",
    "providers.*.in_flight": "requests under way at once, for this provider",
    "providers.*.options": "what this provider alone knows; `endpoint`: one base URL for all its services",
    "providers.*.accounts": "named accounts, each with `auth`, `regions`, `options`",
    "providers.pricelist.options.files": "price lists of your own (CSV)",
    "providers.pricelist.options.columns": "your own header names, by ours",
    "providers.pricelist.options.shipped": "false: leave the list that comes with cloudtop out",
}


def pages() -> dict[Path, str]:
    """Every made page and what it must say."""
    tools, facts = specs.load(), found()
    made = {DOCS / "tools" / f"{name}.md": tool(spec) for name, spec in tools.items()}
    made |= {DOCS / "providers" / f"{name}.md": provider(one) for name, one in facts.items()}
    made[DOCS / "configuration.md"] = configuration()
    made[DOCS / "commands.md"] = commands()
    made[DOCS / "specs.md"] = spec_files()
    made[DOCS / "README.md"] = index(tools, facts)
    return made


def index(tools: Mapping[str, ToolSpec], facts: Mapping[str, Facts]) -> str:
    """The table of contents."""
    lines = [MADE, "", "# Documentation", ""]
    lines += ["- [Commands](commands.md)", "- [Configuration](configuration.md)"]
    lines += ["- [In clients: desktop, editors, containers](clients.md)"]
    lines += ["- [Specs of tools, and copies of your own](specs.md)"]
    if (DOCS / "http.md").exists():
        lines += ["- [Over HTTP](http.md)"]
    lines += ["- [Models in place of the planner](models.md)"]
    lines += ["", "Tools:", ""]
    lines += [f"- [{name}](tools/{name}.md): {spec.title}" for name, spec in tools.items()]
    lines += ["", "Providers with a connector:", ""]
    lines += [f"- [{one.title}](providers/{name}.md)" for name, one in facts.items()]
    others = [seller.title for name, seller in sorted(known(facts).items()) if name not in facts]
    lines += ["", f"Known by name, their prices from price lists only: {', '.join(others)}.", ""]
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    lines += ["Why some things are as they are:", ""]
    lines += [
        f"- [{page.read_text().splitlines()[0].lstrip('# ')}](decisions/{page.name})" for page in decisions
    ]
    return "\n".join(lines) + "\n"


def tool(spec: ToolSpec) -> str:
    """One tool: what it is for, arguments, rows, examples."""
    lines = [MADE, "", f"# {spec.name}", "", spec.description.strip(), ""]
    for example in spec.examples:
        pairs = " ".join(f"{key}={_word(value)}" for key, value in example["arguments"].items())
        lines += [f"- “{example['question']}” is `cloudtop call {spec.name} {pairs}`"]
    lines += [
        "",
        "## Arguments",
        "",
        "| argument | type | default | meaning | also accepted as |",
        "|---|---|---|---|---|",
    ]
    for name, body in spec.parameters.items():
        default = "" if body.get("default") is None else f"`{json.dumps(body['default'])}`"
        also = ", ".join(body.get("aliases") or [])
        lines.append(f"| `{name}` | {_type(body)} | {default} | {body.get('description', '')} | {also} |")
    if spec.later:
        lines += ["", "Known by name, not working yet:", ""]
        lines += [f"- `{name}`: {why}" for name, why in spec.later.items()]
    for shape, schema in spec.row_schemas.items():
        lines += ["", f"## Rows: {shape}", "", "| field | type | meaning |", "|---|---|---|"]
        for name, body in schema["properties"].items():
            lines.append(f"| `{name}` | {_type(body)} | {body.get('description', '')} |")
    lines += ["", f"Source: `tool_specs/{spec.name}.yaml`."]
    return "\n".join(lines) + "\n"


def provider(one: Facts) -> str:
    """One provider: what it answers, credentials, times, limits, and how its cloud thinks."""
    module = sys.modules[connector_class(one).__module__]
    lines = [MADE, "", f"# {one.title}", "", (module.__doc__ or "").strip(), "", "| | |", "|---|---|"]
    lines.append(f"| id | `{one.id}`" + (f", also {', '.join(one.aliases)}" if one.aliases else "") + " |")
    lines.append(f"| answers | {', '.join(one.kinds)} |")
    lines.append(f"| without a key | {', '.join(one.keyless) or 'nothing'} |")
    for name, variables in one.credentials.items():
        enough = f"; enough for {' and '.join(one.enough[name])}" if name in one.enough else ""
        key = f"`providers.{one.id}.auth.{name}`{enough}"
        lines.append(f"| `{name}` | environment {' or '.join(variables)}, or {key} |")
    if one.ambient:
        lines.append(f"| else | {_ambient(one)} |")
    for kind, seconds in one.ttl_s.items():
        lines.append(f"| {kind} count as fresh for | {seconds:g} s |")
    lines.append(f"| at most | {one.requests_per_second:g} requests a second, {one.in_flight} at once |")
    if one.docs_url:
        lines.append(f"| its documentation | {one.docs_url} |")
    lines += ["", f"Sources: `connectors/{one.id}.yaml`, `connectors/{one.id}.py`."]
    return "\n".join(lines) + "\n"


def _ambient(one: Facts) -> str:
    """Where a provider's own tools keep credentials."""
    named = [f"`providers.{one.id}.auth.{name}`" for name in one.ambient.get("auth", ())]
    named += [f"`auth.method: {name}`" for name in one.ambient.get("methods", ())]
    found = [f"`{name}`" for name in (*one.ambient.get("variables", ()), *one.ambient.get("files", ()))]
    return f"{', '.join(named)}; for the account `default` what its own tools keep: {', '.join(found)}"


def configuration() -> str:
    """Every key of the configuration file and its effect."""
    lines = [MADE, "", "# Configuration", ""]
    lines += [
        "`cloudtop config init` writes a file, `config check` reads it, `config schema` prints its schema.",
        "",
    ]
    lines += ["| key | values | effect |", "|---|---|---|"]
    lines += [f"| `{key}` | {values} | {EFFECTS[key]} |" for key, values in keys()]
    lines += ["", "Source: `cloudtop/settings_schema.py`."]
    return "\n".join(lines) + "\n"


def keys() -> Iterator[tuple[str, str]]:
    """Every key of the schema with its values; providers' once."""
    for name, body in SCHEMA["properties"].items():
        if name == "providers":
            common = body["additionalProperties"]["properties"]
            yield from ((f"providers.*.{key}", _type(one)) for key, one in common.items())
            own = body["properties"]["pricelist"]["properties"]["options"]["properties"]
            yield from ((f"providers.pricelist.options.{key}", _type(one)) for key, one in own.items())
        elif "properties" in body:
            yield from ((f"{name}.{key}", _type(one)) for key, one in body["properties"].items())
        else:
            yield name, _type(body)


def commands() -> str:
    """The help of every command."""
    top = parser()
    lines = [MADE, "", "# Commands", ""]
    for name, one in _commands(top):
        text = one.format_help().replace("usage: ", "", 1).strip()
        lines += [f"## cloudtop {name}", "", "```text", text, "```", ""]
    return "\n".join(lines)


def _commands(
    above: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command by its name, and after it those that it has itself."""
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, one in action.choices.items():
                yield f"{name}{word}", one
                yield from _commands(one, f"{name}{word} ")


def spec_files() -> str:
    """The form of a tool's YAML and of a user's narrowed copy, key by key."""
    example = yaml.dump(NARROWED_FORM["examples"][0], Dumper=_Folded, sort_keys=False, width=90)
    lines = [MADE, "", "# Specs", ""]
    lines += [SPECS_INTRO.replace("EXAMPLE", example.strip())]
    for title, form, words in (
        ("A copy of your own", NARROWED_FORM, "`~/.config/cloudtop/tool_specs/<name>.yaml`"),
        ("A tool", FORM, "`tool_specs/<name>.yaml`"),
        ("An argument", COMMON_FORM["additionalProperties"], "under `parameters`, and in `common.yaml`"),
        ("A field of a row", _FIELD_FORM, "under `rows`, by shape"),
    ):
        lines += ["", f"## {title}", "", f"{words[0].upper()}{words[1:]}.", ""]
        lines += ["| key | values | needed | meaning |", "|---|---|---|---|"]
        for key, body in form["properties"].items():
            needed = "yes" if key in form.get("required", ()) else ""
            lines.append(f"| `{key}` | {_values(body)} | {needed} | {body['description']} |")
    hints = FORM["properties"]["annotations"]["properties"]
    lines += ["", "The annotations:", "", "| key | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {body['description']} |" for name, body in hints.items()]
    lines += ["", "Sources: `mcp_server/spec_form.py`, `tests/docs.py`."]
    return "\n".join(lines) + "\n"


_FIELD_FORM = FORM["properties"]["rows"]["additionalProperties"]["then"]["additionalProperties"]

SPECS_INTRO = """\
Each tool is one YAML file: what a model sees, what it may pass, what it gets back, and how a person asks
for it. A file says facts; there are no templates, conditions or expressions.

`cloudtop specs lint` names everything that is wrong with the files that are served, or with those you name:
file, line, and what to write instead. `cloudtop specs show TOOL` prints one tool, `cloudtop specs schema`
the JSON Schema of both forms. An editor that checks YAML uses it (`cloudtop specs schema >
tool.schema.json`, and `# yaml-language-server: $schema=tool.schema.json` in the first line of a file).

## Your own tools

A file in `~/.config/cloudtop/tool_specs/` (`$XDG_CONFIG_HOME/cloudtop/tool_specs/`) is a narrowed copy of a
tool: another name, other words, some arguments fixed. What is fixed vanishes from what models see, is
passed in every call and cannot be changed by anybody. A copy can only narrow: what it gives, whether it
only reads, and everything else is the tool's. The command line and the MCP server both have it.

```yaml
EXAMPLE
```

`cloudtop call our_h100 count=8` then calls `compare_gpu_prices` with all of that, and so does a model that
takes the tool. A file with a mistake is left out, and a note on standard error says where the mistake is;
all others work. `cloudtop ask` plans with the tools themselves, not with copies.

A running MCP server notices a change within two seconds and tells its clients. While a file is broken, its
tool stays as it was before.

## Toolsets

A server shows the tools of the set `default`. Others are chosen by name, with commas between; `all` is
every tool, and the name of a tool stands for itself:

- `cloudtop mcp --toolsets prices,health`
- the environment variable `CLOUDTOP_TOOLSETS`, where the option is not given
- over HTTP the header `X-MCP-Toolsets` of a client, which takes away from what the server shows and never
  adds

A tool that only you need goes into a set of your own (`toolsets: [training]`) and is served with
`--toolsets training`."""


class _Folded(yaml.SafeDumper):
    """YAML as a person writes it: several lines as a block, short lists in one line."""


_Folded.add_representer(
    str,
    lambda to, text: to.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)
_Folded.add_representer(
    list, lambda to, items: to.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)
)


def _values(body: Mapping[str, Any]) -> str:
    """What a key of a spec may hold, in a few words."""
    if "enum" in body:
        return " ".join(f"`{value}`" for value in body["enum"])
    if "const" in body:
        return f"`{body['const']}`"
    if "pattern" in body and body["pattern"].startswith("^"):
        return "`a-z`, `0-9`, `_`"
    most = f", at most {body['maxLength']} characters" if "maxLength" in body else ""
    names = {"string": "text", "object": "keys and values", "array": "list"}
    return names.get(str(body.get("type", "any")), str(body.get("type", "any"))) + most


def _type(body: Mapping[str, Any]) -> str:
    if "enum" in body:
        return " ".join(f"`{value}`" for value in body["enum"])
    if body.get("type") == "array":
        return f"list of {_type(body.get('items', {}))}"
    if "anyOf" in body or "oneOf" in body:
        return (
            "seconds, or text such as `5m`" if "seconds" in str(body.get("description")) else "one of several"
        )
    kind = body.get("type", "any")
    return " or ".join(one for one in kind if one != "null") if isinstance(kind, list) else str(kind)


def _word(value: Any) -> str:
    return (
        ",".join(map(str, value))
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"wrote {path.relative_to(ROOT)}\n")
