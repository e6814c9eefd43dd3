"""The command `doorsill`.

Modules are loaded by the command that needs them: `doorsill screen one.jpg` is mostly Python's
own start.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from doorsill.cli import release_options, seal_options
from doorsill.cli.arguments import plain, whole
from doorsill.cli.output import INTERRUPTED, PIPE_CLOSED, TROUBLE, clean, complain

if TYPE_CHECKING:
    from collections.abc import Sequence

_ABOUT = """\
Compare pictures with hash lists of known material, on this device. doorsill sends nothing.

exit status of `screen`: 1 if any picture matches, else 2 if any could not be told, else 0;
of the others: 0, or 2 after an error."""


class _Version(argparse.Action):
    def __call__(self, *_: object) -> None:
        from doorsill.core import version  # noqa: PLC0415 - only here

        print(f"doorsill {version()}")
        sys.exit(0)


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser(
        prog="doorsill", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _screen_options(_command(commands, "screen", "screen:screen", "screen files and folders"))

    demo = _command(commands, "demo", "demo:command", "see it work in a second")
    demo.add_argument("--html", metavar="OUT", help="also write a contact sheet, one file")

    made = _command(commands, "hash", "hash:hash_files", "print PDQ hashes")
    made.add_argument("paths", nargs="+", metavar="PATH", help="a picture or a folder")
    _profile_option(made)

    pair = _command(commands, "compare", "hash:compare", "tell how far two pictures are apart")
    pair.add_argument("a", metavar="A")
    pair.add_argument("b", metavar="B")
    _profile_option(pair)

    _list_commands(commands)

    doctor = _command(
        commands, "doctor", "doctor:doctor", "check this installation with the test card"
    )
    doctor.add_argument(
        "--list", dest="lists", action="append", default=[], metavar="L", help="a list to check"
    )
    _isolation_option(doctor)
    release_options.add_trust(doctor)
    return top


def _list_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lists = commands.add_parser("list", help="build, compare and update hash lists")
    under = lists.add_subparsers(metavar="COMMAND", required=True)
    _build_options(_command(under, "build", "build:build", "write a list from rows or originals"))
    shown = _command(under, "show", "list:show", "show what a list can do")
    shown.add_argument("lists", nargs="+", metavar="L", help="a list")
    made = _command(under, "rows", "build:rows", "hash a folder of originals into a rows file")
    made.add_argument("folder", metavar="FOLDER", help="originals; they are only read")
    made.add_argument(
        "-o", "--output", required=True, metavar="ROWS.jsonl", help="written on where it stopped"
    )
    _isolation_option(made)
    _model_option(made)
    probed = _command(under, "probe", "build:probe", "tell which tool made PDQ rows")
    probed.add_argument("rows", metavar="ROWS", help="rows in any form that `build` reads")
    probed.add_argument(
        "--originals", required=True, metavar="DIR", help="some of their originals, or rows of them"
    )
    _isolation_option(probed)
    compared = _command(under, "diff", "delta:diff", "say what changed between two lists")
    compared.add_argument("old", metavar="OLD")
    compared.add_argument("new", metavar="NEW")
    compared.add_argument("-o", "--output", metavar="D", help="also write a delta from OLD to NEW")
    applied = _command(under, "apply", "delta:apply", "make the next release of a list by a delta")
    applied.add_argument("old", metavar="OLD")
    applied.add_argument("delta", metavar="D", help="made by `list diff -o`")
    applied.add_argument("-o", "--output", required=True, metavar="NEW", help="the list to write")
    seal_options.add(under, _command)
    release_options.add(commands, under, _command)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, home: str, words: str
) -> argparse.ArgumentParser:
    made = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    made.add_argument("--json", action="store_true", help="print one JSON object a line")
    made.set_defaults(home=home)
    return made


def _screen_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", metavar="PATH", help="a picture, or a folder to walk")
    command.add_argument(
        "--list",
        dest="lists",
        action="append",
        default=[],
        metavar="L",
        help="a list, may be given several times; without it the DEMO list is used",
    )
    _isolation_option(command)
    release_options.add_trust(command)
    command.add_argument(
        "--explain", action="store_true", help="print views, hashes, distances and rule"
    )


def _isolation_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--isolation",
        choices=("worker", "inline"),
        default="worker",
        help="where pictures are decoded: in a caged process, or (weaker) in this one",
    )


def _model_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default="",
        metavar="NAME",
        help="also hash by this model of doorsill-models, such as lintel",
    )


def _profile_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--profile",
        choices=("full", "cpp512"),
        default="full",
        help="full as python-threatexchange, cpp512 as Meta's C++ tool",
    )


def _build_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "inputs",
        nargs="+",
        metavar="ROWS-or-FOLDER",
        help="rows (CSV, ThreatExchange, NCMEC, StopNCII, Project VIC, `list rows`), originals or "
        "folders of them, or one plan (.toml)",
    )
    add("-o", "--output", required=True, metavar="L", help="the list to write")
    add(
        "--name",
        type=plain,
        default="",
        help="what the list calls itself; else the name of its file",
    )
    add("--publisher", type=plain, default="unnamed publisher", help="who answers for it")
    add("--category", type=plain, default="known pictures", help="what its entries are")
    add(
        "--message",
        type=plain,
        default="",
        help="what a person is told; never accuse, it may be the victim",
    )
    add("--help-link", type=plain, default="", metavar="URL", help="where help is, https")
    add("--appeal-link", type=plain, default="", metavar="URL", help="where to appeal, https")
    add("--demo", action="store_true", help="mark it as a list of harmless pictures")
    add(
        "--epoch",
        type=whole("an epoch", 0, (1 << 64) - 1),
        metavar="N",
        help="number of the release, from 0",
    )
    add("--previous", metavar="OLD", help="the release before: what is gone is named as withdrawn")
    add(
        "--canaries",
        action="append",
        default=[],
        metavar="ROWS-or-FOLDER",
        help="harmless pictures that nothing in the list may be near",
    )
    add("--report", metavar="R", help="every row refused or flagged (L.report.jsonl)")
    _isolation_option(command)
    add(
        "--profile",
        choices=("full", "cpp512", "unknown"),
        default="unknown",
        help="which tool hashed the CSV rows; unknown is safe",
    )
    add(
        "--limit",
        type=whole("a PDQ limit in bits", 0, 64),  # a quarter of PDQ's 256
        default=31,
        metavar="BITS",
        help="greatest distance that matches (31)",
    )
    _model_option(command)
    add("--seed-entries", action="store_true", help="not reviewed yet: never more than warn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone; Python must not complain about it when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(arguments: Sequence[str] | None) -> int:
    _prepare_output()
    args = parser().parse_args(arguments)
    module, function = args.home.split(":")
    try:
        status = int(getattr(import_module(f"doorsill.cli.{module}"), function)(args))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        complain(_sentence(error))  # a person at a terminal gets a sentence, no traceback
        return TROUBLE
    return status


def _prepare_output() -> None:
    """Let a terminal that lacks a character show its code, where Python would raise."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _sentence(error: Exception) -> str:
    from doorsill.errors import DoorsillError  # noqa: PLC0415 - only after an error

    if isinstance(error, DoorsillError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; check the name and permissions"
    return f"{type(error).__name__}: {clean(error)}; this is a fault of doorsill, please report it"
