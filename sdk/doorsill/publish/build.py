"""Builds a hash list from rows and originals: the same rows give the same bytes, in any order."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from doorsill.core import DIGESTS
from doorsill.errors import ModelError, RowsError
from doorsill.files import write_atomically
from doorsill.hashes import hash_image
from doorsill.limits import Limits
from doorsill.lists import DEMO, TEST
from doorsill.models import Models, find
from doorsill.publish.ingest import read_source
from doorsill.publish.lint import crowds, near_canaries, sift
from doorsill.publish.report import REFUSED, Report
from doorsill.publish.rows import DIGEST_BYTES
from doorsill.publish.sections import ID_BYTES, ListFile
from doorsill.publish.sources import Source
from doorsill.publish.store import Settled, Store
from doorsill.publish.words import ListWords, Numbered
from doorsill.publish.write import Contents, HasherRows, checked_list
from doorsill.testcard import test_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from doorsill.neural import ModelFile
    from doorsill.publish.rows import Row

__all__ = ["ListWords", "Report", "build_list"]

CARD_ID = b"\0\0\0\0\0\1"


def build_list(  # noqa: PLR0913 - all that a publisher can say of one list
    inputs: Sequence[Path | Source],
    output: Path,
    words: ListWords,
    *,
    limits: Limits | None = None,
    previous: Path | None = None,
    canaries: Sequence[Path] = (),
    report: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    isolation: str = "worker",
) -> Report:
    """Write a list from files of rows, and from originals or folders of them.

    Every list gets the published test card as an entry.

    Args:
        inputs: In any form that `publish.ingest` reads.
        output: The list to write; it is replaced at once, or not at all.
        words: What the list says of itself.
        limits: What one original may cost.
        previous: The release before: what is not in the new one is named as withdrawn, and
            publishers and categories keep their numbers.
        canaries: Rows or originals of harmless pictures that nothing in the list may be near.
        report: A file for every row that was refused or flagged.
        progress: Called with done, in all and a name. Whatever it raises stops the build.
        isolation: Where originals are decoded, as of a Gate.

    Raises:
        ModelError: The words' model is not installed, or was not calibrated for so many rows.
        RowsError: An input is missing or broken, not one row of it could be used, or an entry is
            near a canary.
        ListError: The words break the format's rules (length, control characters, https).
    """
    limits = limits or Limits()
    neural = _Neural(find(words.model)) if words.model else None
    models = Models.of_originals(words.model) if neural else None
    sources = [_source(each, words, progress, isolation, models) for each in inputs]
    before = ListFile.open(previous, limits) if previous else None
    contents = Contents(epoch=_epoch(words, before), flags=DEMO if words.demo else 0)
    with Report(report) as told, Store(told.note) as store:
        for source in sources:
            for row in read_source(source, limits):
                _take(row, store, words, told, neural)
        store.settle(lambda step: progress(0, 0, step) if progress else None)
        names = {key: name for source in sources for key, name in source.names.items()}
        numbered = Numbered.of(words, store.publishers(), store.categories(), names,
                               before.list if before else None)  # fmt: skip
        _Filling(contents, numbered, store.profiles(), neural).fill(store.entries(), told)
        if told.noted and not told.entries:
            raise RowsError(f"{output}: not written, no row was of use; the first: {told.notes[0]}")
        if not told.entries:
            told.note(str(output), "no row was found; the list holds the test card alone")
        if neural and told.entries and len(contents.hashers[-1].entries) == 1:
            why = f"no row has a hash of {words.model}, only the test card"
            told.note(str(output), f"{why}; make rows with `list rows --model {words.model}`")
        if before is not None:
            told.withdrawn = _withdraw(contents, before)
        data, made = checked_list(output, contents)
        for entry, near in crowds(made, contents):
            told.note(f"entry {entry}", f"{near} or more rows are near-duplicates of it")
        rows = (
            row
            for path in canaries
            for row in read_source(_source(path, words, progress, isolation), limits)
        )
        if hit := near_canaries(made, rows):
            told.note(str(output), f"near harmless pictures: {' '.join(hit)}", REFUSED)
            raise RowsError(
                f"{output}: not written, {len(hit)} entries are near harmless pictures "
                f"of the canary set: {' '.join(hit[:5])}; take one of the two out"
            )
        write_atomically(output, data)
        told.size = len(data)
        return told


def _source(
    given: Path | Source,
    words: ListWords,
    progress: Callable[[int, int, str], None] | None,
    isolation: str,
    models: Models | None = None,
) -> Source:
    """Return a source that says all that the words say where it says nothing itself."""
    source = given if isinstance(given, Source) else Source(given, profile=words.profile)
    return replace(
        source,
        publisher=source.publisher or words.publisher,
        category=source.category or words.category,
        flags=source.flags | words.flags,
        isolation=isolation,
        models=models,
        progress=progress,
        names={},
    )


def _epoch(words: ListWords, before: ListFile | None) -> int:
    if before is None:
        return words.epoch or 0
    last = int(before.list.info["epoch"])
    epoch = last + 1 if words.epoch is None else words.epoch
    if epoch <= last:
        raise RowsError(f"epoch {epoch} is not after {last}, the previous list's; give a later one")
    return epoch


class _Neural:
    """The model whose hashes a list holds; its file is only run on originals."""

    def __init__(self, file: ModelFile) -> None:
        self.file, self.config = file, file.config
        if not self.config.card:
            raise ModelError(f"the model {self.config.name} is not ready for lists: its config "
                             "lacks the hash of the test card")  # fmt: skip
        self.config.limit(1)

    def section(self) -> HasherRows:
        """Return an empty section for its hashes."""
        return HasherRows(self.config.name, "full", width=self.config.bits, quality=0,
                          model=self.file.digest)  # fmt: skip


def _take(row: Row, store: Store, words: ListWords, report: Report, neural: _Neural | None) -> None:
    report.rows += 1
    usual = (neural.config.sha256, neural.config.bits // 8) if neural else ("", 0)
    codes = tuple(each for each in row.codes if (each[0], len(each[1])) == usual)
    if len(codes) < len(row.codes):
        report.unusable.update(["neural, of a model that the list is not built with"])
    sifted = sift(row._replace(codes=codes), words.quality, report)
    if sifted.key:
        store.add(sifted)


class _Filling:
    """Fills a list with entries in the order of their ids, the test card in its place."""

    def __init__(
        self,
        contents: Contents,
        numbered: Numbered,
        profiles: list[str],
        neural: _Neural | None = None,
    ) -> None:
        self._contents, self._numbered = contents, numbered
        self._digests = {kind: bytearray() for kind in DIGESTS}
        words = numbered.words
        contents.hashers = [HasherRows("pdq", profile, limit=words.limit, quality=words.quality)
                            for profile in profiles or ["full"]]  # fmt: skip
        self._sections = {rows.profile: rows for rows in contents.hashers}
        self._neural, self._codes = neural, neural.section() if neural else None
        contents.hashers += [self._codes] if self._codes else []

    def fill(self, entries: Iterable[Settled], report: Report) -> None:
        """Add all entries, and the card to every section, so that each can be proved searched."""
        carded = False
        for settled in entries:
            if not carded and settled.id > CARD_ID:
                carded = True
                self._add_card()
            numbers = self._numbered
            publishers = sum(1 << numbers.publishers[key] for key in settled.publishers)
            class_ = numbers.categories[settled.category], settled.flags, publishers
            self._add(class_, settled)
            report.entries += 1
            report.hashes += len(settled.hashes) + len(settled.codes)
        if not carded:
            self._add_card()
        if self._neural and self._codes:
            self._codes.limit = self._neural.config.limit(len(set(self._codes.entries)))
        self._contents.sort_classes()
        self._contents.texts = self._numbered.texts()
        for kind, records in self._digests.items():
            self._contents.digests[kind] = _in_order(records, DIGEST_BYTES[kind])

    def _add(self, class_: tuple[int, int, int], settled: Settled) -> None:
        entry = self._contents.add_entry(class_, settled.id)
        for profile, value in settled.hashes:
            self._sections[profile].hashes += value
            self._sections[profile].entries.append(entry)
        if self._codes:
            for value in settled.codes:
                self._codes.hashes += value[: self._codes.width // 8]
                self._codes.entries.append(entry)
        for kind, value in settled.digests:
            self._digests[kind] += value + entry.to_bytes(4, "big")

    def _add_card(self) -> None:
        made = [
            (profile, hash_image(test_card(), "full" if profile == "unknown" else profile).bytes)
            for profile in self._sections
        ]
        digests = (("sha256", hashlib.sha256(test_card()).digest()),)
        codes = (self._neural.config.card,) if self._neural else ()
        card = Settled(CARD_ID, "", TEST, frozenset(), tuple(made), digests, codes)
        self._add((self._numbered.card, TEST, 1), card)


def _in_order(records: bytearray, width: int) -> Iterator[tuple[bytes, int]]:
    """Yield (digest, entry) pairs, sorted, from records of both; sorted only once it is written."""
    step = width + 4
    data = bytes(records)
    for each in sorted(data[at : at + step] for at in range(0, len(data), step)):
        yield each[:width], int.from_bytes(each[width:], "big")


def _withdraw(contents: Contents, before: ListFile) -> int:
    """Name what was listed before and is no longer; return how many are new among them."""
    now = contents.entry_ids
    listed = {bytes(now[at : at + ID_BYTES]) for at in range(0, len(now), ID_BYTES)}
    gone = {id_: epoch for id_, epoch in before.withdrawn() if id_ not in listed}
    new = {id_ for id_ in before.ids() if id_ not in listed}
    contents.withdrawn = sorted((gone | dict.fromkeys(new, contents.epoch)).items())
    return len(new)
