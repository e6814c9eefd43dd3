"""Keeps a Gate's list new: fetch, verify, accept, swap. The network is here, not in the SDK.

    python examples/update_client.py http://127.0.0.1:8000/list.dsl --trust trust.txt --into lists/

fetches the proof first (4 KB); if it is about a newer release, deltas from the list that is here or
else the whole list; and screens with the new one from the next picture on.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import tempfile
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from doorsill import DoorsillError, Gate, HashList, Limits, ListError, Trust
from doorsill.deltas import apply_delta
from doorsill.releases import MAX_PROOF, MAX_TRUST

TIMEOUT = 30  # seconds without a byte
MOST_DELTAS = 30  # in a row; whoever was away for longer fetches the whole list


def fetch(url: str, most: int) -> bytes | None:
    """Return what is there, None if nothing is. Proxies and retries are the host's.

    Raises:
        ListError: It cannot be fetched, or is too large.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - the host names it
            data: bytes = answer.read(most + 1)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 404:  # noqa: PLR2004 - not found
            return None
        raise ListError(f"{url}: {error}; try again later") from None
    except (OSError, ValueError, HTTPException) as error:  # ValueError: this is no address
        raise ListError(f"{url}: {error}; is the address right, and its server up?") from None
    if len(data) > most:
        raise ListError(f"{url}: more than {most} bytes")
    return data


def fetch_links(url: str, beside: Path) -> None:
    """Fetch the changes of the trust policy, as many as there are; most lists have none."""
    version = 2
    while version < 100:  # noqa: PLR2004 - a stranger's server does not decide how long this takes
        policy = fetch(f"{url}.policy-{version}", MAX_TRUST)
        proof = fetch(f"{url}.policy-{version}.tlog-proof", MAX_PROOF)
        if policy is None or proof is None:
            return
        Path(f"{beside}.policy-{version}").write_bytes(policy)
        Path(f"{beside}.policy-{version}.tlog-proof").write_bytes(proof)
        version += 1


def wanted(proof: bytes) -> str:
    """Return which list a proof is about. It is only its word until `HashList.accept`."""
    try:
        manifest = base64.b64decode(proof.split(b"\n")[1].removeprefix(b"extra ")).decode()
        return next(line[7:] for line in manifest.split("\n") if line.startswith("sha256 "))
    except (ValueError, IndexError, StopIteration):
        raise ListError("this is no proof") from None


def fetch_list(
    url: str, digest: str, now_open: HashList | None, limits: Limits
) -> bytes | bytearray:
    """Return the list with this digest, by deltas from the one that is here if the server has them.

    A delta needs no trust: whether its result is the list to have, the proof decides.
    """
    if now_open and now_open.release:
        data: bytes | bytearray = Path(now_open.path).read_bytes()
        try:
            for _ in range(MOST_DELTAS):
                here = hashlib.sha256(data).hexdigest()
                if here == digest:
                    return data
                delta = fetch(f"{url}.delta-{here}", limits.list_bytes)
                if delta is None:
                    break
                data = apply_delta(bytes(data), delta, limits=limits)
        except ListError as error:
            print(f"a delta is of no use ({error}); the whole list it is")
    whole = fetch(url, limits.list_bytes)
    if whole is None:
        raise ListError(f"{url}: no list is there")
    return whole


def update(url: str, folder: Path, trust: Trust, now_open: HashList | None) -> HashList | None:
    """Return the newer list once it is accepted; None if there is nothing new.

    Raises:
        ListError: It is not to be trusted, or something cannot be fetched or written. The list that
            is open stays good.
    """
    limits = Limits()
    proof = fetch(f"{url}.tlog-proof", MAX_PROOF)
    if proof is None:
        raise ListError(f"{url}.tlog-proof: no proof is there")
    with tempfile.TemporaryDirectory() as scratch:
        new = Path(scratch) / "new.dsl"
        Path(f"{new}.tlog-proof").write_bytes(proof)
        if (
            now_open
            and now_open.release
            and f"\nindex {now_open.release.epoch}\n".encode() in proof
        ):
            return None  # the same release; what else it says does not matter
        fetch_links(url, new)
        new.write_bytes(fetch_list(url, wanted(proof), now_open, limits))
        return HashList.accept(new, into=folder, trust=trust, limits=limits)


def first_list(folder: Path, trust: Trust, url: str) -> HashList:
    """Return the accepted list; at the first start fetch one, where an app would bundle it."""
    if (folder / "accepted").exists():
        return HashList.open(folder, trust)  # works offline
    found = update(url, folder, trust, None)
    assert found is not None  # noqa: S101 - without a list of our own every list is new
    return found


def main() -> None:
    """Screen files while the list is kept new."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="of the list")
    parser.add_argument("--trust", required=True, help="the trust policy that came with the app")
    parser.add_argument("--into", required=True, type=Path, help="where the accepted list is kept")
    parser.add_argument(
        "--every", type=float, default=3600, help="seconds between two looks (3600)"
    )
    parser.add_argument("--once", action="store_true", help="look once and end")
    parser.add_argument("--screen", help="a picture to be screened after each look")
    args = parser.parse_args()
    try:
        follow(args)
    except (DoorsillError, OSError) as error:
        raise SystemExit(f"update_client: {error}") from None
    except KeyboardInterrupt:
        return


def follow(args: argparse.Namespace) -> None:
    """Open a list, keep it new, and screen; without any list there is nothing to go on with."""
    trust = Trust.load(args.trust)
    with Gate(first_list(args.into, trust, args.url)) as gate:
        while True:
            try:
                newer = update(args.url, args.into, trust, gate.lists[0])
                if newer:
                    gate.replace_lists(newer)  # what is being screened ends with one or the other
                print(
                    f"epoch {gate.lists[0].info['epoch']}, {gate.lists[0].trust.tier}", flush=True
                )
            except (ListError, OSError) as error:
                print(f"no newer list: {error}", flush=True)
            if args.screen:
                verdict = gate.screen(args.screen)
                print(
                    f"{args.screen}: {verdict.action.value} ({verdict.outcome.value})", flush=True
                )
            if args.once:
                return
            time.sleep(args.every)


if __name__ == "__main__":
    main()
