"""`doorsill list build`, `list rows` and `list probe`: the publisher's first steps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from doorsill.cli.output import OK, Progress, clean, complain, emit, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from doorsill.publish.build import ListWords, Report
    from doorsill.publish.rows import Row
    from doorsill.publish.sources import Source

_SEED = 1
_NOTES = 20  # enough to see what is wrong with a file; the report has all of them


def build(args: argparse.Namespace) -> int:
    """Write a list from rows or originals and say what became of each."""
    from doorsill.files import refuse_overwriting  # noqa: PLC0415 - commands load what they use
    from doorsill.publish.build import build_list  # noqa: PLC0415 - clients never load it

    inputs, words = _inputs(args.inputs, _words(args))
    output = Path(args.output)
    beside = Path(args.report) if args.report else output.with_name(f"{output.name}.report.jsonl")
    previous = Path(args.previous) if args.previous else None
    canaries = [Path(path) for path in args.canaries]
    read = [*_read_paths(args.inputs, inputs), *canaries, *([previous] if previous else [])]
    refuse_overwriting(output, read)
    refuse_overwriting(beside, [output, *read])
    progress = Progress()
    try:
        report = build_list(
            inputs,
            output,
            words,
            previous=previous,
            canaries=canaries,
            report=beside,
            progress=progress.show_bytes,
            isolation=args.isolation,
        )
    finally:
        progress.clear()
    if args.json:
        emit({"path": args.output, **_told(report)})
        return OK
    _print(args.output, report, beside)
    return OK


def _told(report: Report) -> dict[str, object]:
    names = ("entries", "hashes", "size", "rows", "unusable", "withdrawn", "counts", "notes")
    return {name: getattr(report, name) for name in names} | {
        "report": str(report.path) if report.noted else None
    }


def _print(output: str, report: Report, beside: Path) -> None:
    for note in report.notes[:_NOTES]:
        complain(note)
    if report.noted:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(report.counts.items()))
        complain(f"{report.rows} rows read; {kinds}: all in {beside}")
    for name, count in sorted(report.unusable.items()):
        complain(f"{count} hashes of kind {name} are left out: nothing here can compare them")
    counts = f"{report.entries} entries, {report.hashes} hashes, {report.size} bytes"
    gone = f", {report.withdrawn} withdrawn" if report.withdrawn else ""
    print(f"{clean(output)}: {counts}{gone}, and the test card. It is not signed.")
    print("`doorsill list show` says what it can do.")


def _inputs(paths: Sequence[str], words: ListWords) -> tuple[list[Path | Source], ListWords]:
    """Return what to read; a plan stands alone, for its words are the list's."""
    from doorsill.errors import RowsError  # noqa: PLC0415
    from doorsill.publish.plan import read_plan  # noqa: PLC0415

    plans = [path for path in paths if path.endswith(".toml")]
    if not plans:
        return [Path(path) for path in paths], words
    if len(paths) > 1:
        raise RowsError(f"{plans[0]}: a plan stands alone; name the other inputs in it")
    sources, words = read_plan(Path(plans[0]), words)
    return [*sources], words


def _read_paths(named: Sequence[str], inputs: Sequence[Path | Source]) -> Iterator[Path]:
    """Yield what a build reads: what was named, and what a plan names with its column maps."""
    yield from map(Path, named)
    for each in inputs:
        if not isinstance(each, Path):
            yield each.path
            if each.map.endswith(".toml"):
                yield Path(each.map)


def _words(args: argparse.Namespace) -> ListWords:
    from doorsill.publish.build import ListWords  # noqa: PLC0415

    return ListWords(
        name=args.name or clean(Path(args.output).stem),
        publisher=args.publisher,
        category=args.category,
        message=args.message,
        help_link=args.help_link,
        appeal_link=args.appeal_link,
        demo=args.demo,
        epoch=args.epoch,
        profile=args.profile,
        limit=args.limit,
        flags=_SEED if args.seed_entries else 0,
        model=args.model,
    )


def rows(args: argparse.Namespace) -> int:
    """Hash a folder of originals into a rows file; goes on where it was stopped."""
    from time import monotonic  # noqa: PLC0415

    from doorsill.files import refuse_overwriting  # noqa: PLC0415
    from doorsill.limits import Limits  # noqa: PLC0415
    from doorsill.models import Models  # noqa: PLC0415
    from doorsill.publish.originals import hash_folder  # noqa: PLC0415

    refuse_overwriting(Path(args.output), [Path(args.folder)])
    progress, start = Progress(), monotonic()
    begun: list[int] = []

    def show(done: int, name: str) -> None:
        begun.append(done) if not begun else None
        rate = (done - begun[0] + 1) / max(monotonic() - start, 0.001)
        progress.line(f"{done} done, {rate:.0f} a second  {clean(name)}")

    try:
        count, fresh, noted = hash_folder(
            Path(args.folder),
            Path(args.output),
            Limits(),
            isolation=args.isolation,
            models=Models.of_originals(args.model) if args.model else None,
            progress=show,
        )
    finally:
        progress.clear()
    if args.json:
        emit({"path": args.output, "rows": count, "new": fresh, "noted": noted})
        return OK
    print(f"{clean(args.output)}: {count} rows, {fresh} of them new, {noted} of these with notes.")
    print("It holds hashes and the names of files: keep it as you keep the originals.")
    return OK


def probe(args: argparse.Namespace) -> int:
    """Tell which tool made rows, by some of their originals."""
    from doorsill.publish.probe import probe as search  # noqa: PLC0415

    progress = Progress()
    try:
        found = search(_read(args.rows, progress, args.isolation),
                       _read(args.originals, progress, args.isolation))  # fmt: skip
    finally:
        progress.clear()
    facts = {"profile": found.profile, **asdict(found)}
    if args.json:
        emit(facts)
        return OK
    print(f"profile: {found.profile}")
    print(f"{found.originals} originals can be compared, {found.found} of them are among the rows, "
          f"{found.alike} look the same in both profiles")  # fmt: skip
    lines = [(profile, found.exact(profile), found.median(profile),
              ", ".join(f"{bits}: {n}" for bits, n in list(found.histogram(profile).items())[:8]))
             for profile in found.nearest]  # fmt: skip
    table(("profile", "within 2 bits", "median", "originals by distance"), lines)
    return OK


def _read(path: str, progress: Progress, isolation: str) -> Iterator[Row]:
    from doorsill.limits import Limits  # noqa: PLC0415
    from doorsill.publish.ingest import read_source  # noqa: PLC0415
    from doorsill.publish.sources import Source  # noqa: PLC0415

    source = Source(Path(path), isolation=isolation, progress=progress.show_bytes)
    return read_source(source, Limits())
