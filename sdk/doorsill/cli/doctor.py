"""`doorsill doctor`: whether this installation does what it should."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from doorsill.cli.files import asked_trust, demo_list, open_lists
from doorsill.cli.output import OK, TROUBLE, emit, fields, paint

if TYPE_CHECKING:
    import argparse

    from doorsill.lists import HashList

# Pillow's name of each codec and library, and what people call it.
_CODECS = {
    "jpg": "JPEG",
    "libjpeg_turbo": "JPEG turbo",
    "zlib": "PNG",
    "webp": "WebP",
    "avif": "AVIF",
    "jpg_2000": "JPEG 2000",
    "libtiff": "TIFF",
    "littlecms2": "colour profiles",
}


_RUNS = 9


def doctor(args: argparse.Namespace) -> int:
    """Print what is installed and prove with the test card that it works."""
    facts = _installed() | {"models": _models()} | _self_test(args)
    if args.json:
        emit(facts)
    else:
        _print(facts)
    return OK if facts["test_card"]["passed"] else TROUBLE


def _installed() -> dict[str, Any]:
    import platform  # noqa: PLC0415 - commands load what they use
    from importlib.util import find_spec  # noqa: PLC0415

    import PIL  # noqa: PLC0415
    from PIL import features  # noqa: PLC0415

    from doorsill import core  # noqa: PLC0415

    return {
        "version": core.version(),
        "kernel": core.kernel(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "pillow": PIL.__version__,
        "codecs": {name: bool(features.check(key)) for key, name in _CODECS.items()},
        "heif": find_spec("pillow_heif") is not None,
    }


def _models() -> list[dict[str, Any]]:
    """Return what there is to know of each installed model, which is loaded and run for that."""
    from doorsill import models  # noqa: PLC0415
    from doorsill.errors import ModelError  # noqa: PLC0415
    from doorsill.neural import Model  # noqa: PLC0415

    found: list[dict[str, Any]] = []
    for name in models.installed():
        told: dict[str, Any] = {"name": name}
        found.append(told)
        try:
            file = models.find(name)
            told |= {"digest": file.digest.hex(), "bits": file.config.bits}
            told["milliseconds"] = _inference(Model(file))
        except ModelError as error:
            told["trouble"] = str(error)
    return found


def _inference(model: Any) -> float:
    """Return the milliseconds of one inference, the median of a few."""
    square = bytes(3 * model.config.side**2)
    model.code(square)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        model.code(square)
        times.append(1000 * (time.perf_counter() - start))
    return float(round(sorted(times)[_RUNS // 2], 3))


def _lists(args: argparse.Namespace) -> list[HashList]:
    """Return the named lists, or the DEMO list, which is enough to prove the wiring."""
    if args.lists:
        return open_lists(args.lists, args.trust, args.tier)
    asked_trust(args.lists, args.trust, args.tier)  # an error if it asks for anything
    return [demo_list()]


def _self_test(args: argparse.Namespace) -> dict[str, Any]:
    """Screen the test card before each list and compare its own hashes with the published ones."""
    from doorsill.errors import DoorsillError  # noqa: PLC0415
    from doorsill.gate import Gate  # noqa: PLC0415

    lists = _lists(args)
    found: dict[str, Any] = {"passed": False, "lists": [each.name for each in lists]}
    stale = [each.name for each in lists if each.is_stale()]
    tiers: dict[str, Any] = {}
    try:
        start = time.perf_counter()
        verdict = Gate(lists, isolation=args.isolation).self_test()
    except DoorsillError as error:
        found["trouble"] = str(error)
    else:
        tiers = {"trust": verdict.trust, "protection": verdict.protection,
                 "unchecked": list(verdict.unchecked)}  # fmt: skip
        found["milliseconds"] = round(1000 * (time.perf_counter() - start), 3)
        found |= _published()
        found["passed"] = found["hashes_as_published"]
    return {"test_card": found, "stale": stale, **tiers}


def _published() -> dict[str, Any]:
    """Tell whether this machine's hashes of the card are those that everyone gets."""
    from hashlib import sha256  # noqa: PLC0415

    from doorsill import testcard  # noqa: PLC0415
    from doorsill.hashes import hash_image  # noqa: PLC0415

    card = testcard.test_card()
    made = {profile: hash_image(card, profile).hex for profile in testcard.PDQ}
    same = made == testcard.PDQ and sha256(card).hexdigest() == testcard.SHA256
    return {"hashes_as_published": same} | ({} if same else {"hashes": made})


def _print(facts: dict[str, Any]) -> None:
    card = facts["test_card"]
    missing = [name for name, there in facts["codecs"].items() if not there]
    present = ", ".join(name for name, there in facts["codecs"].items() if there)
    word, colour = ("works", "green") if card["passed"] else ("DOES NOT WORK", "red")
    print(f"doorsill {facts['version']} {paint(word, 'bold', colour)}")
    fields(
        [
            ("kernel", facts["kernel"]),
            (
                "platform",
                f"{facts['platform']}, Python {facts['python']}, Pillow {facts['pillow']}",
            ),
            ("codecs", present + (f"; missing: {', '.join(missing)}" if missing else "")),
            ("HEIC", "yes" if facts["heif"] else "no: it comes with pip install 'doorsill[heif]'"),
            *(("neural", _model(told)) for told in facts["models"]),
            *([] if facts["models"] else [("neural", _NO_MODEL)]),
            *(("not checked", why) for why in facts.get("unchecked", [])),
            ("test card", _card(card)),
            ("trust", _tier(facts.get("trust"))),
            *(
                ("stale", f"{name}: past its use_until; fetch the newest release")
                for name in facts["stale"]
            ),
            ("protection", _tier(facts.get("protection"))),
        ]
    )


_NO_MODEL = (
    "no model: lists are searched by PDQ alone; it comes with `pip install ./models` in a checkout"
)


def _model(told: dict[str, Any]) -> str:
    if "trouble" in told:
        return f"{told['name']} cannot be used: {told['trouble']}"
    return (f"{told['name']}, {told['bits']} bits, {told['milliseconds']:.1f} ms a view, "
            f"sha256 {told['digest']}")  # fmt: skip


_TIERS = {
    "signed": "signed: by its publisher alone, who could give one person another list",
    "witnessed": "witnessed: signed, and independent witnesses saw that everyone gets the same",
    "approved": "approved: witnessed, and approvers rebuilt and checked it",
    "none": "none: the list is not signed, whoever can write the file decides what is in it",
    "worker": "worker: pictures are decoded in a caged process, which has proven its cage",
    "inline": "inline: pictures are decoded in the host's own process",
}


def _tier(name: str | None) -> str:
    return "not known" if name is None else _TIERS.get(name, name)


def _card(card: dict[str, Any]) -> str:
    lists = ", ".join(card["lists"])
    if "trouble" in card:
        return f"not found: {card['trouble']}"
    if not card["passed"]:
        return "found, but its hashes are not the published ones: other people's lists will miss"
    return f"decoded, hashed and found in {card['milliseconds']:.1f} ms ({lists})"
