"""What a sealed list keeps of a raw one's recall, what it costs, and how fast it is made.

    python examples/evaluate/sealed.py make FOLDER --photos a.zip b.zip   # a list of a million
    python examples/evaluate/sealed.py seal FOLDER                        # its sealed list
    python examples/evaluate/sealed.py recall FOLDER --photos a.zip b.zip
    python examples/evaluate/sealed.py strangers FOLDER --photos a.zip b.zip
    python examples/evaluate/sealed.py client FOLDER --photos a.zip b.zip

Photos fall into three parts by their names: what is listed, what the rest of the million is blended
of, and strangers. The server is the same process, without a network between.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import time
from array import array
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from edits import EDITS
from photos import Photo, _number, photos
from PIL import Image, ImageChops

from doorsill import HashList, Trust, hash_image
from doorsill.core import Hasher, Pdq
from doorsill.publish.build import CARD_ID
from doorsill.publish.seal import seal_list
from doorsill.publish.write import Contents, HasherRows, list_bytes
from doorsill.reading import HashedView, Reading
from doorsill.sealed import SealedList, protocol
from doorsill.sealed.keys import sealing_info
from doorsill.sealed.oprf import Server
from doorsill.sealed.question import SealedQuestion
from doorsill.testcard import test_card

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = bytes(range(32))  # of a benchmark, no secret
BINS = ((0, 8), (9, 16), (17, 24), (25, 31))
EVERYDAY = (
    "jpeg 10", "jpeg 30", "webp 20", "messenger 320", "resize 0.25", "crop 0.99", "crop 0.95",
    "border 0.03", "rotate 1", "caption 0.1", "text", "emoji 1", "logo", "watermark 0.25",
    "brightness 1.5", "contrast 1.5", "gamma 2.0", "filter faded", "blur 2", "noise 25",
)  # fmt: skip
LISTED, BLENDED, STRANGERS = range(3)
LEAST_QUALITY = 50


def part(specs: list[str], which: int) -> list[Photo]:
    """Return a third of the photos, told apart by their names."""
    found = [photo for spec in specs for photo in photos(spec, 1)]
    return [photo for photo in found if _number(photo.name) % 3 == which]


def hashed(image: Image.Image, *, margins: bool = True) -> Pdq:
    """Return the PDQ of an RGB image."""
    hasher = Hasher(*image.size, "RGB")
    hasher.rows(image.tobytes(), 3 * image.width, image.height)
    return hasher.end(margins=margins)


def blends(pool: list[Image.Image], count: int) -> Iterator[bytes]:
    """Yield hashes of pairs of photos, flipped and laid over each other: new pictures, cheaply."""
    rng = random.Random(7)
    while count:
        a, b = rng.sample(pool, 2)
        if rng.random() < 0.5:
            b = b.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        made = hashed(ImageChops.blend(a, b, rng.uniform(0.3, 0.7)), margins=False)
        if made.quality("full") >= LEAST_QUALITY:
            count -= 1
            yield made.hash("full")


def make(folder: Path, specs: list[str], size: int) -> None:
    """Write a raw list: the photos of the first part, the test card, and blends up to *size*."""
    contents, rows = Contents(), HasherRows("pdq", "full")
    contents.add_entry((1, 2, 1), CARD_ID)
    hashes = [hash_image(test_card()).bytes]
    for photo in part(specs, LISTED):
        made = hashed(photo.open(), margins=False)
        if made.quality("full") >= LEAST_QUALITY:
            hashes.append(made.hash("full"))
    listed = len(hashes)
    pool = [photo.open().resize((96, 96)) for photo in part(specs, BLENDED)]
    hashes += blends(pool, size - len(hashes))
    for number in range(1, len(hashes)):
        contents.add_entry((0, 0, 1), (number + 16).to_bytes(6, "big"))
    rows.hashes, rows.entries = bytearray().join(hashes), array("I", range(len(hashes)))
    contents.hashers = [rows]
    (folder / "raw.dsl").write_bytes(list_bytes(contents))
    print(json.dumps({"entries": len(hashes), "photos": listed - 1}))


def seal(folder: Path, jobs: int) -> None:
    """Seal it, and say what that took."""
    start = time.monotonic()
    made = seal_list(folder / "raw.dsl", folder / "sealed.dsl", SEED, jobs=jobs)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    print(json.dumps({"rows": made.rows, "bytes": made.size, "bytes a row": made.size / made.rows,
                      "core-minutes": cpu / 60, "of a million": cpu / 60 * 1e6 / made.rows,
                      "minutes": (time.monotonic() - start) / 60}))  # fmt: skip


class Asking:
    """The raw list, the sealed list and its server, in one process."""

    def __init__(self, folder: Path) -> None:
        """Open both lists."""
        self.raw = HashList.open(folder / "raw.dsl", Trust.none())
        self.sealed = SealedList.open(folder / "sealed.dsl", Trust.none())
        self.server = Server(SEED, sealing_info(0))

    def raw_hit(self, pdq: Pdq) -> tuple[int, str] | None:
        """Return distance and id of the nearest entry within 31, None if there is none."""
        queries = b"".join(pdq.hash("full", turn) for turn in range(8))
        hits = self.raw.handle.search(0, queries, 31, capacity=1)
        return (hits[0][0], self.raw.entry(hits[0][2]).id) if hits else None

    def answer(self, message: bytes) -> bytes:
        """Return the server's answer."""
        question = protocol.unpack_question(message)
        return protocol.pack_answer(question.epoch, *self.server.evaluate(question.elements))

    def sealed_hits(self, pdq: Pdq) -> set[str]:
        """Return ids of what the answer to one question opens, and the core calls a match."""
        found = Reading([HashedView("", pdq)])
        question = SealedQuestion(found, self.sealed, protocol.NO_TOKEN)
        queries = b"".join(pdq.hash("full", turn) for turn in range(8))
        opened = question.understand(self.answer(question.message))
        return {each.entry(0).id for each in opened if each.handle.search(0, queries, 31)}


def _edited(photo: Photo, rng: random.Random, count: int) -> Iterator[tuple[str, Pdq]]:
    image = photo.open()
    by_name = {edit.name: edit for edit in EDITS}
    for name in rng.sample(EVERYDAY, count):
        pdq = hashed(by_name[name](image, photo.name, []))
        if pdq.quality("full") >= LEAST_QUALITY:
            yield name, pdq


def recall(folder: Path, specs: list[str], least: int) -> None:
    """Print of what the raw list finds how much the sealed one does, by true distance."""
    asking, rng = Asking(folder), random.Random(3)
    pairs, kept, missed = Counter[int](), Counter[int](), Counter[str]()
    for photo in part(specs, LISTED):
        if all(pairs[number] >= least for number in range(len(BINS))):
            break
        for name, pdq in _edited(photo, rng, 6):
            hit = asking.raw_hit(pdq)
            number = next((i for i, (_, high) in enumerate(BINS) if hit and hit[0] <= high), None)
            if hit is None or number is None or pairs[number] >= 4 * least:
                continue
            found = hit[1] in asking.sealed_hits(pdq)
            pairs[number] += 1
            kept[number] += found
            missed[name] += not found
    for number, (low, high) in enumerate(BINS):
        share = kept[number] / max(1, pairs[number])
        print(f"distance {low:2} to {high:2}: {kept[number]} of {pairs[number]} = {share:.4f}")
    print("missed by edit:", dict(missed.most_common(8)))


def strangers(folder: Path, specs: list[str], count: int) -> None:
    """Print how many pictures that the raw list does not find the sealed one does: none should."""
    asking, rng = Asking(folder), random.Random(4)
    asked = listed = candidates = 0
    hits: list[str] = []
    for photo in part(specs, STRANGERS):
        for name, pdq in [("itself", hashed(photo.open())), *_edited(photo, rng, 3)]:
            if asking.raw_hit(pdq) is not None:
                listed += 1  # a scene that is listed, too: these sources have many
                continue
            asked += 1
            queries = b"".join(pdq.hash("full", turn) for turn in range(8))
            if asking.sealed.candidate(_clear(queries)) is None:
                continue  # the question is a dummy's: there is no row that the answer could open
            candidates += 1
            if asking.sealed_hits(pdq):
                hits.append(f"{photo.name} {name}")
        if asked >= count:
            break
    print(json.dumps({"asked": asked, "hits": hits, "with a candidate": candidates,
                      "left out, the raw list finds them": listed}))  # fmt: skip


def _clear(hashes: bytes) -> bytes:
    from doorsill.core import pdq_planes

    return pdq_planes(hashes)[0]


def client(folder: Path, specs: list[str]) -> None:
    """Print the CPU time of question and answer, for pictures that are listed and others."""
    asking = Asking(folder)
    shown = {name: [hashed(p.open()) for p in part(specs, which)[:200]]
             for name, which in (("listed", LISTED), ("stranger", STRANGERS))}  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in shown}
    sizes = set()
    for pair in zip(*shown.values(), strict=True):
        for name, pdq in zip(shown, pair, strict=True):
            start = time.process_time()
            question = SealedQuestion(Reading([HashedView("", pdq)]), asking.sealed, bytes(162))
            half = time.process_time()
            answer = asking.answer(question.message)
            again = time.process_time()
            question.understand(answer)
            times[name].append(1000 * (time.process_time() - again + half - start))
            sizes.add((len(question.message), len(answer)))
    for name, each in times.items():
        print(f"{name}: median {statistics.median(each):.2f} ms, "
              f"95 of 100 under {statistics.quantiles(each, n=20)[-1]:.2f} ms")  # fmt: skip
    print("bytes up and down, all alike:", sizes)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("what", choices=("make", "seal", "recall", "strangers", "client"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", nargs="+", default=[])
    parser.add_argument("--size", type=int, default=1_000_000, help="entries of the list")
    parser.add_argument("--least", type=int, default=500, help="pairs for each distance")
    parser.add_argument("--count", type=int, default=20_000, help="strangers")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(exist_ok=True)
    {
        "make": lambda: make(args.folder, args.photos, args.size),
        "seal": lambda: seal(args.folder, args.jobs),
        "recall": lambda: recall(args.folder, args.photos, args.least),
        "strangers": lambda: strangers(args.folder, args.photos, args.count),
        "client": lambda: client(args.folder, args.photos),
    }[args.what]()


if __name__ == "__main__":
    main()
