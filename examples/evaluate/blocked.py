"""Whether anything unrelated is blocked: many edited photos against a long list of both hashes.

    python blocked.py --list flowers.zip --list clothing.zip --queries caltech101.zip

The list holds crops of the photos of some sources, by PDQ and by the installed model; each photo of
another source is edited in a few of the main ways and screened by the SDK as it is installed.
Nothing is related, so every hit is a false one. Says of how many photos an edit was warned about
or blocked, in each of `policy.WAYS`, with the bound on their share that holds at 95 %.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from columns import partners
from edits import MAIN
from hashers import GATE
from measure import upper
from photos import Photo, photos
from policy import WAYS, list_of, pair_rows

from doorsill import Gate, HashList, Trust
from doorsill.limits import Limits
from doorsill.models import Models, find
from doorsill.patience import Patience
from doorsill.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAST = 0.5  # of each side of a photo, that a crop keeps
STOPS = ("warn", "block")

Made = tuple[bytes, bytes]  # PDQ, b"" if its quality is too low, and the neural hashes
here: dict[str, Any] = {}


class Told(NamedTuple):
    """What one query came to, in one of `WAYS`; photos by their numbers."""

    way: str
    photo: int
    edit: str
    action: str
    evidence: str
    distance: int | None


def crop_codes(task: tuple[Photo, int]) -> Made:
    """Return the hashes of one crop of a photo, drawn from its number."""
    photo, number = task
    r = random.Random(f"{photo.name}/{number}")
    image = photo.open()
    w, h = (round(side * r.uniform(_LEAST, 1)) for side in image.size)
    x, y = r.randint(0, image.width - w), r.randint(0, image.height - h)
    part = image.crop((x, y, x + w, y + h))
    view = read(part, Limits(), Patience(None), models=here["models"].load).views[0]
    pdq = view.pdq.hash("full") if view.pdq.quality("full") >= GATE else b""
    return pdq, b"".join(code for _, code in view.codes)


def screened(task: int) -> list[Told]:
    """Return what each query made of one photo comes to, in each way."""
    found, each = here["photos"], here["each"]
    image, others = found[task].open(), partners(found, task)
    told = []
    for nth in range(each):
        edit = MAIN[(each * task + nth) % len(MAIN)]
        seen = here["gates"][0].read(edit(image, f"3/{found[task].name}", others))
        bare = replace(seen, views=[replace(view, codes=()) for view in seen.views])
        for gate, (way, (_, coded)) in zip(here["gates"], WAYS.items(), strict=True):
            verdict = gate.decide(seen if coded else bare)
            distance = verdict.matches[0].distance if verdict.matches else None
            words = verdict.action.value, verdict.evidence.value
            told.append(Told(way, task, edit.name, *words, distance))
    return told


def begin(model: str, path: str, found: list[Photo], each: int) -> None:
    """Prepare a process: the model alone, or a gate on a list."""
    os.environ["OMP_NUM_THREADS"] = "1"
    here.update(photos=found, each=each, models=Models.of_originals(model))
    if path:
        opened = HashList.open(path, Trust.none())
        here["gates"] = [Gate(opened, policy, isolation="inline") for policy, _ in WAYS.values()]


def over(tasks: list[Any], work: Any, *setting: Any) -> Iterator[Any]:
    """Yield what `work` makes of each task, on all cores, in order, and say how far it is."""
    begun = time.time()
    with multiprocessing.get_context("spawn").Pool(None, begin, setting) as pool:
        for number, made in enumerate(pool.imap(work, tasks, 16), 1):
            yield made
            if number % 2000 == 0 or number == len(tasks):
                print(f"  {number} of {len(tasks)}, {time.time() - begun:.0f} s", file=sys.stderr)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--list", action="append", required=True, help="a source of entries")
    parser.add_argument("--queries", required=True, help="a source that is none of those")
    parser.add_argument("--model", default="lintel")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=4_000, help="that are edited")
    parser.add_argument("--each", type=int, default=5, help="edits of a photo")
    parser.add_argument("--out", type=Path, default=Path("blocked.json"))
    asked = parser.parse_args()
    listed = [photo for source in asked.list for photo in photos(source, 1)]
    found = photos(asked.queries, 1)
    tasks = [(listed[n % len(listed)], n // len(listed)) for n in range(asked.entries)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "crops.dsl")
        made = list(over(tasks, crop_codes, asked.model, "", [], 0))
        file = find(asked.model)
        path.write_bytes(list_of(made, pair_rows(file, len(made))))
        numbers = list(range(min(asked.photos, len(found))))
        told = [
            one
            for each in over(numbers, screened, asked.model, str(path), found, asked.each)
            for one in each
        ]
    result: dict[str, Any] = {
        "entries": len(made),
        "neural_limit": file.config.limit(len(made)),
        "photos": len(numbers),
        "ways": {way: summary([one for one in told if one.way == way]) for way in WAYS},
        "date": time.strftime("%Y-%m-%d"),
    }
    asked.out.write_text(json.dumps(result, indent=1))
    print(f"{len(made)} entries, limit {result['neural_limit']}")
    for way in WAYS:
        print(f"{way}: {result['ways'][way]['queries']} queries of {len(numbers)} photos")
        for action in STOPS:
            counts = result["ways"][way][action]
            print(f"  {action}: {counts['queries']}, of {counts['photos']} photos "
                  f"(at most {counts['photos_at_most']:.2g} of them)")  # fmt: skip


def summary(told: list[Told]) -> dict[str, Any]:
    """Return how many queries were stopped how, and of how many photos, with the bound."""
    photos_of = len({one.photo for one in told})
    counts: dict[str, Any] = {"queries": len(told)}
    for action in STOPS:
        hits = [one for one in told if one.action == action]
        met = len({one.photo for one in hits})
        bound = upper(met, photos_of)
        counts[action] = {"queries": len(hits), "photos": met, "photos_at_most": bound}
    counts["hits"] = [one._asdict() for one in told if one.action in STOPS][:100]
    return counts


if __name__ == "__main__":
    main()
