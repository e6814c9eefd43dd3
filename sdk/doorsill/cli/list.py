"""`doorsill list show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorsill.cli.output import OK, clean, emit, fields, paint, table

if TYPE_CHECKING:
    import argparse

    from doorsill.lists import HashList


def show(args: argparse.Namespace) -> int:
    """Print what a list can do."""
    from doorsill.sealed.lists import open_any  # noqa: PLC0415
    from doorsill.trust import Trust  # noqa: PLC0415

    for path in args.lists:
        facts = _facts(path, open_any(path, Trust.none()))
        if args.json:
            emit(facts)
        else:
            _print(facts)
    return OK


def _mute(path: str) -> int:
    """Return how many entries have nothing that can match."""
    from pathlib import Path  # noqa: PLC0415 - commands load what they use

    from doorsill.publish.sections import ListFile  # noqa: PLC0415 - likewise

    return ListFile.open(Path(path)).without_anything()


def _facts(path: str, each: HashList) -> dict[str, Any]:
    info = each.info
    return {
        "path": path,
        "name": each.name,
        "demo": each.is_demo,
        "epoch": info["epoch"],
        "size": info["size"],
        "entries": len(each),
        "withdrawn": info["withdrawn"],
        "nothing_to_match": 0 if each.is_sealed else _mute(path),
        "test_card": info["test_entries"] > 0,
        "hashers": [hasher._asdict() for hasher in each.hashers],
        "digests": info["digests"],
        "categories": _categories(each),
        "publishers": _texts(each, "PUBLISHER"),
        "trust": each.trust.tier,
        "sealed": _sealed(each),
    }


def _sealed(each: HashList) -> dict[str, Any] | None:
    """Return what a sealed list says of its server, None of another list."""
    from doorsill.sealed.lists import SealedList  # noqa: PLC0415

    if not isinstance(each, SealedList):
        return None
    about = each.sealed
    return {"sealing_epoch": about.epoch, "rows": about.rows,
            "public_key": about.public_key.hex(), "token_key": about.token_key.hex()}  # fmt: skip


def _texts(each: HashList, kind: str) -> dict[int, str]:
    from doorsill.lists import Text  # noqa: PLC0415

    keys = each.info["publishers" if kind == "PUBLISHER" else "categories"]
    found = ((key, each.text(Text[kind], key)) for key in range(keys))
    return {key: text for key, text in found if text}


def _categories(each: HashList) -> list[dict[str, Any]]:
    from doorsill.lists import Text  # noqa: PLC0415

    kinds = (Text.MESSAGE, Text.HELP, Text.APPEAL)
    return [
        {"name": name} | {kind.name.lower(): each.text(kind, key) for kind in kinds}
        for key, name in _texts(each, "CATEGORY").items()
    ]


def _print(facts: dict[str, Any]) -> None:
    demo = "  DEMO: harmless pictures only" if facts["demo"] else ""
    print(f"{paint(clean(facts['name']), 'bold')}{paint(demo, 'yellow')}")
    entries = f"{facts['entries']}, {facts['withdrawn']} withdrawn"
    if facts["nothing_to_match"]:
        entries += f", {facts['nothing_to_match']} with nothing that can match"
    card = "there, not counted above" if facts["test_card"] else "MISSING: it cannot be self-tested"
    fields(
        [
            ("file", facts["path"]),
            ("epoch", facts["epoch"]),
            ("size", f"{facts['size']} bytes"),
            ("entries", entries),
            ("test card", card),
            ("publishers", ", ".join(facts["publishers"].values()) or "not named"),
            ("trust", _trust(facts["trust"])),
        ]
    )
    rows = [
        (h["name"], h["profile"], h["rows"], f"{h['limit']} of {h['width']} bits", h["quality"])
        for h in facts["hashers"]
    ]
    digests = facts["digests"].items()
    rows += [(kind, "", count, "same file", "") for kind, count in digests if count]
    table(("compares by", "profile", "rows with card", "match within", "least quality"), rows)
    if facts["sealed"]:
        print("  sealed: its rows are compared by asking the server, the test card's here")
        fields([(k.replace("_", " "), v) for k, v in facts["sealed"].items()], indent="    ")
    for category in facts["categories"]:
        print(f"  category {clean(category['name'])}")
        fields([(k, v) for k, v in category.items() if v and k != "name"], indent="    ")


def _trust(tier: str) -> str:
    return "none: whoever can write the file decides what is in it" if tier == "none" else tier
