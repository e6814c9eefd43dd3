"""The grammar of the commands about releases: `keys`, `list sign`, `list verify` and `audit`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no other name
    Make = Callable[[Commands, str, str, str], argparse.ArgumentParser]

_MOST = 1 << 63  # numbers of a manifest, times too, lie below
_TIERS = ("signed", "witnessed", "approved")


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0  # noqa: PLR2004 - digits of _MOST
    if not 0 < number < _MOST:
        raise argparse.ArgumentTypeError(f"{text!r}; give a whole number, 1 or more, below 2^63")
    return number


def add(commands: Commands, lists: Commands, command: Make) -> None:
    """Add them to the top commands and to those of `list`."""
    keys = commands.add_parser("keys", help="make keys of publishers, witnesses and approvers")
    made = command(keys.add_subparsers(metavar="COMMAND", required=True), "new", "keys:new",
                   "make a key: Ed25519, or a sealing server's secret")  # fmt: skip
    made.add_argument(
        "name", help="such as hotline.example/list; a publisher's is the list's identity"
    )
    made.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the private key, mode 0600"
    )
    made.add_argument("--role", choices=("publisher", "witness", "approver", "sealing"),
                      required=True)  # fmt: skip

    signing = command(lists, "sign", "sign:sign", "sign a release")
    _sign_options(signing)
    checked = command(lists, "verify", "sign:verify", "check a signed list as a client does")
    checked.add_argument(
        "list", metavar="L", help="a list with its .tlog-proof, or an accepting folder"
    )
    _policy_options(checked)
    checked.add_argument(
        "--fresh", action="store_true", help="ask for signatures of the last 72 hours, too"
    )
    checked.add_argument(
        "--now", type=_positive, metavar="SECONDS", help="another time than the clock's"
    )

    audits = commands.add_parser("audit", help="check a publisher's log, trusting no one")
    under = audits.add_subparsers(metavar="COMMAND", required=True)
    log = command(
        under, "log", "audit:log", "check that every epoch is one leaf and nothing was rewritten"
    )
    _log_options(log)
    log.add_argument("--since", action="append", default=[], metavar="CHECKPOINT",
                     help="a checkpoint kept from before, which the log must extend")  # fmt: skip
    log.add_argument("--sizes", nargs=2, type=int, metavar=("M", "N"),
                     help="also prove that the tree of N leaves extends that of M")  # fmt: skip
    entry = command(under, "entry", "audit:entry", "tell who vouches for an entry, since when")
    _log_options(entry)
    entry.add_argument("entry", metavar="ID", help="12 hex digits, from a match or a receipt")
    report = command(under, "report", "audit:report", "write what the log shows as one HTML page")
    _log_options(report)
    report.add_argument("-o", "--output", required=True, metavar="HTML")
    _leak_options(
        command(under, "leak", "leak:leak", "measure what a sealed list shows to its holder")
    )


def _leak_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("list", metavar="SEALED", help="a sealed list")
    made.add_argument("--photos", required=True, metavar="DIR",
                      help="harmless photos, 1,000 or more")  # fmt: skip
    made.add_argument("--rate", type=_positive, default=2000, metavar="N",
                      help="questions a day that one account may ask (2000)")  # fmt: skip


def add_trust(made: argparse.ArgumentParser) -> None:
    """Add what a list must show to be opened."""
    made.add_argument(
        "--trust", metavar="P", help="the lists must be signed as this trust policy says"
    )
    _tier_option(made)
    made.set_defaults(tier=None)  # so that --tier without --trust can be told, and refused


def _tier_option(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--tier", choices=_TIERS, default="witnessed", help="the least that will do (witnessed)"
    )


def _policy_options(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--policy", required=True, metavar="P", help="the trust policy, a tlog-policy"
    )
    _tier_option(made)


def _log_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("log", metavar="LOG", help="a folder as tlog-tiles lays it out")
    made.add_argument("--policy", metavar="P", help="the trust policy, to check signatures by")
    made.add_argument(
        "--releases",
        metavar="FOLDER",
        help="lists and proofs kept, under any names; needs --policy",
    )


def _sign_options(made: argparse.ArgumentParser) -> None:
    add = made.add_argument
    add("list", metavar="L", help="the list; its proof is L.tlog-proof")
    add("--as", dest="role", choices=("publisher", "witness", "approver"), required=True)
    add("--key", required=True, metavar="FILE", help="your private key")
    add("--policy", metavar="P", help="the trust policy in force from this release on")
    add("--log", metavar="FOLDER", help="the log, as tlog-tiles lays it out")
    add("--before", metavar="L0", help="publisher, approver: the release before")
    add(
        "--policy-version", type=_positive, default=1, metavar="N", help="publisher: its number (1)"
    )
    add("--policy-before", metavar="P0", help="publisher: the policy that this release replaces")
    add(
        "--use-days",
        type=_positive,
        default=30,
        metavar="N",
        help="publisher: days until it is stale (30)",
    )
    add(
        "--over-cap",
        default="",
        metavar="REASON",
        help="publisher: why it may change more than usual",
    )
    add("--state", metavar="FILE", help="witness: the trees signed so far")
    add("--rebuilt", metavar="L1", help="approver: the same list, built by yourself from the rows")
    add("--now", type=_positive, metavar="SECONDS", help="another time than the clock's")
