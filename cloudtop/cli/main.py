"""The command `cloudtop`: reads the command line, finds the command, and ends with its exit code.

0 answered, partly answered, planned or nothing matched · 1 nothing could be asked · 2 wrong command line,
configuration or argument · 3 a partial answer under --strict · 4 clarification asked · 5 refused · 130
interrupted. Imported late: the command that is called, and whatever it needs.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from cloudtop import __version__
from cloudtop.errors import CloudtopError, UsageError, innermost

CLIENTS = ("claude-desktop", "claude-code", "cursor", "vscode", "windsurf")
"""The clients that `mcp install` knows."""


class Parser(argparse.ArgumentParser):
    """argparse, with mistakes as our own errors so that --json gives an object for them too."""

    def __init__(self, prog: str | None = None, **more: Any) -> None:
        # Without a width argparse asks the terminal at every argument, and imports shutil for it.
        super().__init__(prog, **{**more, "formatter_class": partial(argparse.HelpFormatter, width=100)})

    def error(self, message: str) -> NoReturn:
        """Refuse the command line, with the usage of the command at hand."""
        raise UsageError(f"{self.prog}: {message}.", self.format_usage().strip())


def parser() -> Parser:
    """The whole command line."""
    every = _options()
    top = Parser("cloudtop", description="Ask your clouds and the GPU market in one line.", parents=[every])
    top.add_argument("--version", action="version", version=f"cloudtop {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", prog="cloudtop", parser_class=Parser)

    def command(name: str, module: str, words: str, **defaults: Any) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name, help=words, description=words, parents=[every]
        )
        made.set_defaults(run=module, **defaults)
        return made

    ask = command("ask", "ask", "Answer one question.")
    ask.add_argument("question", nargs="+", help="the question, in your own words")
    _asking(ask)
    ask.add_argument("--strict", action="store_true", help="exit 3 when the answer is partial")
    chat = command("chat", "ask:chat", "Ask one question a line; later ones build on earlier ones.")
    _asking(chat)
    chat.add_argument("--name", metavar="CONVERSATION", help="go on with a conversation of this name")
    call = command("call", "call", "Call one tool.")
    call.add_argument("tool")
    call.add_argument("pairs", nargs="*", metavar="key=value")
    call.add_argument("--args", metavar="JSON", help="the arguments as one JSON object")
    call.add_argument("--strict", action="store_true", help="exit 3 when the answer is partial")
    call.add_argument("--now", metavar="TIME", help="read times in arguments as if it were this time")
    call.add_argument("--timeout", metavar="S", help="how long clouds may take, in seconds")
    command("tools", "call:tools", "List the tools and their arguments.")
    command("providers", "call:providers", "List the clouds and sellers, and which can be asked.")
    sync = command("sync", "sync", "Read everything anew that is no longer fresh, also what takes minutes.")
    sync.add_argument("providers", nargs="*", metavar="PROVIDER", help="only these")
    sync.add_argument("--every", metavar="TIME", help="again and again, such as 5m or 1h")
    sync.add_argument("--strict", action="store_true", help="exit 3 when something could not be read")
    sync.add_argument("--timeout", metavar="S", help="how long one round may take (3600)")
    command("doctor", "doctor", "Look for what is wrong with this installation and its connections.")
    config = command("config", "config", "Write, check or describe the configuration file.")
    config.add_argument("action", choices=["init", "check", "schema"])
    cache = command("cache", "cache", "Show or clear what is kept.")
    cache.add_argument("action", choices=["list", "clear"])
    cache.add_argument("provider", nargs="?")
    mcp = command("mcp", "mcp", "Serve the tools to an MCP client over standard input and output.")
    _serving(mcp, every)
    words = "Check, show or describe the specs of tools, your own copies too."
    _specs(command("specs", "specs", words), every)
    demo = command("demo", "demo", "Run any command against a made-up market on this machine.")
    demo.add_argument(
        "--still", action="store_true", help="prices as in the data file, not moving by the day"
    )
    demo.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND …")
    return top


def _serving(mcp: argparse.ArgumentParser, every: Parser) -> None:
    """What `mcp` takes, and its command that enters the server into a client's configuration."""
    mcp.add_argument("--toolsets", metavar="A,B", help="only tools of these sets (default; all)")
    _over_http(mcp)
    actions = mcp.add_subparsers(metavar="", prog="cloudtop mcp", parser_class=Parser)
    words = "Enter this server into the configuration of a client."
    install = actions.add_parser("install", help=words, description=words, parents=[every])
    install.set_defaults(run="install")
    install.add_argument("client", choices=CLIENTS)
    install.add_argument("--toolsets", metavar="A,B", help="have the client serve only these sets")
    install.add_argument("--file", metavar="FILE", help="another file of that client, such as a project's")
    install.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    install.add_argument("--undo", action="store_true", help="take it out again, or put back what was there")


def _specs(specs: argparse.ArgumentParser, every: Parser) -> None:
    """What `specs` can do."""
    actions = specs.add_subparsers(
        dest="action", metavar="ACTION", prog="cloudtop specs", parser_class=Parser
    )
    actions.required = True

    def action(name: str, words: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = actions.add_parser(
            name, help=words, description=words, parents=[every]
        )
        made.set_defaults(run=f"specs:{name}")
        return made

    lint = action("lint", "Say what is wrong with spec files; without FILE: with all that are served.")
    lint.add_argument("files", nargs="*", metavar="FILE", type=Path)
    action("show", "Show one tool as models and callers see it.").add_argument("tool")
    action("schema", "Print the JSON Schema of spec files.")


def _options() -> Parser:
    """What stands before or after any command."""
    every = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    every.add_argument("--config", metavar="FILE", type=Path, help="the configuration file")
    every.add_argument("--home", metavar="DIR", type=Path, help="where data is kept (also CLOUDTOP_HOME)")
    every.add_argument("--offline", action="store_true", help="ask no cloud; use what is kept")
    every.add_argument("--json", action="store_true", help="print JSON")
    every.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
    return every


def _asking(command: argparse.ArgumentParser) -> None:
    command.add_argument("--plan", action="store_true", help="show the calls, ask no cloud")
    command.add_argument("--now", metavar="TIME", help="read the question as if it were this time")
    command.add_argument(
        "--model", metavar="NAME", help="who plans: planner, or provider:name (docs/models.md)"
    )
    command.add_argument("--server", metavar="URL", help="ask a cloudtop MCP server instead of an own one")
    words = "its token, in a file (else in CLOUDTOP_TOKEN)"
    command.add_argument("--token-file", metavar="FILE", type=Path, help=words)
    command.add_argument("--timeout", metavar="S", help="how long clouds may take, in seconds")


def _over_http(mcp: argparse.ArgumentParser) -> None:
    """What `mcp` takes when it serves over HTTP; docs/http.md tells how to do it safely."""
    mcp.add_argument("--read-only", action="store_true", help="serve only tools that say they only read")
    http = mcp.add_argument_group("over HTTP (docs/http.md)")
    http.add_argument("--http", metavar="HOST:PORT", help="listen there instead")
    http.add_argument("--token-file", metavar="FILE", type=Path, help="bearer tokens, one a line")
    http.add_argument("--jwt-issuer", metavar="URL", help="take the JWTs of this issuer too")
    http.add_argument("--jwt-audience", metavar="NAME", help="for whom they are made out (the public URL)")
    http.add_argument("--jwks", metavar="FILE|URL", help="the issuer's keys")
    http.add_argument("--public-url", metavar="URL", help="where clients find it: https://…/mcp")
    http.add_argument("--allow-host", metavar="NAME", action="append", default=[], help="another name of it")
    http.add_argument(
        "--allow-origin", metavar="URL", action="append", default=[], help="whose pages may ask"
    )
    http.add_argument("--rate", metavar="N/m", help="how often one token may ask (600/m)")
    http.add_argument("--max-age-floor", metavar="TIME", help="data younger than this is not read anew")
    http.add_argument("--workers", metavar="N", type=int, help="processes behind the address (1)")
    http.add_argument("--conformance", action="store_true", help=argparse.SUPPRESS)
    ways = http.add_mutually_exclusive_group()
    ways.add_argument("--stateless", action="store_true", default=None, help="keep no sessions (default)")
    words = "keep sessions, for older clients that are asked back"
    ways.add_argument("--stateful", dest="stateless", action="store_false", default=None, help=words)


DEFAULTS = {
    "config": None,
    "home": None,
    "offline": False,
    "json": False,
    "verbose": False,
    "program": "cloudtop",
}


def run(words: Sequence[str], **fixed: Any) -> int:
    """Carry out one command line. `fixed` options win over those of the command line (the demo's)."""
    read = parser()
    options, rest = read.parse_known_args(list(words))
    if rest and getattr(options, "command", None) == "call" and not any(one.startswith("-") for one in rest):
        # argparse takes key=value words only in one piece; an option may stand between them.
        options.pairs += rest
    elif rest:
        read.error(f"unrecognized arguments: {' '.join(rest)}")
    if not getattr(options, "command", None):
        parser().print_help(sys.stderr)
        return 2
    for name, value in DEFAULTS.items():
        if name not in options:
            setattr(options, name, value)
    for name, value in fixed.items():
        setattr(options, name, value)
    if options.verbose:
        _say_more()
    module, _, function = options.run.partition(":")
    found = importlib.import_module(f"cloudtop.cli.commands.{module}")
    return int(getattr(found, function or "run")(options))


def _say_more() -> None:
    """-v: what cloudtop's own parts log, to the details of a defect, on standard error."""
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    logging.getLogger("cloudtop").setLevel(logging.DEBUG)


def main() -> None:
    """Entry point: runs, and turns every end into an exit code."""
    words = sys.argv[1:]
    sys.exit(ended(words))


def ended(words: Sequence[str], **fixed: Any) -> int:
    """Run a command line; what went wrong becomes a sentence and an exit code."""
    verbose = bool({"-v", "--verbose"} & set(words))
    try:
        return run(words, **fixed)
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return 130
    except Exception as error:
        inside = innermost(error)
        if isinstance(inside, BrokenPipeError):
            # The reader went away (`| head`); what it read was right.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        if verbose:
            raise
        return failed(_said(inside), as_json="--json" in words)


def _said(error: BaseException) -> CloudtopError:
    """The failure as one that a person can act on."""
    if isinstance(error, CloudtopError):
        return error
    what = f"cloudtop failed: {type(error).__name__}: {error}."
    return CloudtopError(what, "Run it again with -v for the details; please report it.")


def failed(error: CloudtopError, *, as_json: bool) -> int:
    """Say what went wrong: a sentence on standard error, or with --json an object on standard output."""
    if as_json:
        body = {
            "message": error.message,
            "next_step": error.next_step,
            "argument": getattr(error, "argument", None),
        }
        sys.stdout.write(json.dumps({"error": body}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return error.exit_code
