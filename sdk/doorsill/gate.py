"""`Gate`: the door that a picture passes before it is sent."""

from __future__ import annotations

import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from doorsill import core, reading, telling
from doorsill.digests import TooLong, of_source
from doorsill.errors import DoorsillError
from doorsill.limits import Limits
from doorsill.lists import HashList
from doorsill.patience import Patience, TimeUp
from doorsill.policy import Policy
from doorsill.trust import Trust
from doorsill.verdict import ACTIONS, EVIDENCE, OUTCOMES, Action, Evidence, Verdict

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence

    from doorsill.models import Models
    from doorsill.pool import Pool
    from doorsill.sealed.asking import Asked

_TIERS = ("worker", "inline")


class Gate:
    """Screens pictures against open lists. All methods may be called from any thread."""

    def __init__(
        self,
        lists: HashList | Iterable[HashList],
        policy: Policy | None = None,
        limits: Limits | None = None,
        *,
        isolation: str = "worker",
        worker_command: Sequence[str] | None = None,
    ) -> None:
        """Stand before these lists with the host's rules and bounds.

        Args:
            lists: What pictures are compared with.
            policy: The host's rules.
            limits: Its bounds.
            isolation: "worker" decodes in a caged process; "inline" in this one, where a flaw in
                a codec is a flaw in the host and no deadline interrupts a decoder.
            worker_command: How a frozen app starts the worker: a command line that ends in
                `doorsill.caged.main()`. Others leave it out.

        Raises:
            IsolationError: This system has no cage, and "inline" was not asked for.
        """
        self.policy = policy or Policy()
        self.limits = limits or Limits()
        self._lists: tuple[HashList, ...] = ()
        self._models: Models | None = None
        self._pool: Pool | None = None
        self.replace_lists(lists)
        self.isolation = isolation
        self._pool = self._workers(worker_command)
        if self._pool is not None:
            weakref.finalize(self, self._pool.abandon)

    def _workers(self, command: Sequence[str] | None) -> Pool | None:
        if self.isolation not in _TIERS:
            raise DoorsillError(f"isolation is one of {_TIERS}, not {self.isolation!r}")
        if self.isolation == "inline":
            return None
        from doorsill import cage, pool  # noqa: PLC0415 - not every system has them

        cage.require()
        return pool.Pool(self.limits, command, self._models)

    def close(self) -> None:
        """End the decode workers. Otherwise they end with the Gate, at the latest with the host."""
        if self._pool is not None:
            self._pool.close()

    def __enter__(self) -> Gate:  # noqa: PYI034 - `Self` came with Python 3.11
        """Return the gate, to be closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def lists(self) -> tuple[HashList, ...]:
        """The lists that the next picture is compared with."""
        return self._lists

    def replace_lists(self, lists: HashList | Iterable[HashList]) -> None:
        """Swap the lists at once; a screening under way finishes with those it began with."""
        new = (lists,) if isinstance(lists, HashList) else tuple(lists)
        if not new:
            raise DoorsillError("a Gate without a list would clear everything; give it a HashList")
        self._models = _models(new, self._models)
        if self._pool is not None:
            self._pool.models = self._models
        self._lists = new

    def screen(
        self,
        picture: Any,
        *,
        source: Any = None,
        canonical: bool = False,
        deadline: float | None = None,
        cancel: threading.Event | None = None,
    ) -> Verdict:
        """Return the verdict on one picture.

        Args:
            picture: What will be sent: a path, bytes, a binary file, a decoded PIL image, or a
                uint8 array of shape (height, width), (.., 3) RGB or (.., 4) RGBA.
            source: The original that the host re-encoded, as a path, bytes or a binary file;
                its digests are compared too.
            canonical: Whether to make `Verdict.canonical` of a file, for the host to send instead:
                the cure for files that read in two ways. It takes two to four times as long, for
                a new decode worker makes each, so that none can hold anything of another picture.
            deadline: Seconds; what is not read by then is UNREADABLE with reason "time".
            cancel: Once set, `Cancelled` is raised.

        Raises:
            Cancelled: `cancel` was set.
            IsolationError: No decode worker can be had.
            TypeError: `picture` is of no such type. Bad pixels never raise.
        """
        options = {"source": source, "canonical": canonical}
        if self._has_sealed():
            from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

            asked = self.ask(picture, deadline=deadline, cancel=cancel, **options)
            return self.answer(asked, asking.carry_all(asked))
        start, lists = time.perf_counter(), self._lists
        found = self.read(picture, deadline=deadline, cancel=cancel, **options)
        return self.decide(found, lists, start)

    def _has_sealed(self) -> bool:
        return any(each.is_sealed for each in self._lists)

    def ask(
        self,
        picture: Any,
        *,
        deadline: float | None = None,
        cancel: threading.Event | None = None,
        **options: Any,
    ) -> Asked:
        """Read a picture and return the questions that sealed lists have; arguments as `screen`'s.

        For hosts that carry them by a way of their own; `screen` does it by `SealedList.served_by`.
        """
        from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

        start, lists, patience = time.perf_counter(), self._lists, Patience(deadline, cancel)
        found = self.read(picture, deadline=deadline, cancel=cancel, margins=True, **options)
        return asking.ask(found, lists, patience.within(self.limits.answer_seconds), start)

    def answer(self, asked: Asked, answers: Sequence[Any]) -> Verdict:
        """Return the verdict once the questions of `ask` were carried.

        Args:
            asked: What `ask` returned; it is used up.
            answers: What came back, in the order of its questions; None where nothing did, which
                makes the picture UNREADABLE unless something else is found.
        """
        from doorsill.sealed import asking  # noqa: PLC0415 - likewise

        return self.decide(asked.found, asking.settle(asked, answers), asked.start)

    def screen_many(
        self, pictures: Iterable[Any], *, cancel: threading.Event | None = None, **options: Any
    ) -> Iterator[Verdict]:
        """Yield the verdict on each picture of an album, in its order, on all cores.

        Count what comes for a progress bar. No more pictures are taken from the iterable than
        cores are busy, and one: a generator that reads files keeps an album out of memory.

        Args:
            pictures: What `screen` takes.
            cancel: Once set, `Cancelled` is raised. Leaving the loop cancels the rest, too.
            options: As for `screen`; a deadline is each picture's own.

        Raises:
            Cancelled, IsolationError, TypeError: As from `screen`, where its turn comes.
        """
        from doorsill.album import in_order  # noqa: PLC0415 - only albums pay for its threads

        def screen(picture: Any, stop: threading.Event) -> Verdict:
            return self.screen(picture, cancel=stop, **options)

        return in_order(screen, pictures, cancel)

    async def screen_async(self, picture: Any, **options: Any) -> Verdict:
        """Return `screen(picture, **options)` from a thread, for asyncio hosts.

        Cancelling the task cancels the screening.
        """
        import asyncio  # noqa: PLC0415 - only async hosts pay for it
        import threading  # noqa: PLC0415 - likewise

        cancel = options.pop("cancel", None) or threading.Event()
        try:
            if self._has_sealed():
                from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

                asked = await asyncio.to_thread(self.ask, picture, cancel=cancel, **options)
                answers = await asking.carry_all_async(asked)
                return await asyncio.to_thread(self.answer, asked, answers)
            return await asyncio.to_thread(self.screen, picture, cancel=cancel, **options)
        except asyncio.CancelledError:
            cancel.set()
            raise

    def read(  # noqa: PLR0913 - all that a picture can be asked for
        self,
        picture: Any,
        *,
        source: Any = None,
        canonical: bool = False,
        margins: bool = False,
        deadline: float | None = None,
        cancel: threading.Event | None = None,
    ) -> reading.Reading:
        """Return the hashes and digests of a picture; arguments as for `screen`.

        With *margins* hashes come with how certain their bits are, for sealed lists.
        """
        patience = Patience(deadline, cancel)
        pool, models = self._pool, self._models
        decoder = None
        if pool is not None:
            decoder = partial(pool.decode, patience, canonical=canonical, margins=margins)
        found = reading.read(
            picture,
            self.limits,
            patience,
            decoder,
            canonical=canonical,
            margins=margins,
            models=models.load if models is not None else tuple,
        )
        if source is not None:
            try:
                found.digests.append(of_source(source, patience.check, self.limits.digest_bytes))
            except TooLong:
                found.unread.append(f"source: more than {self.limits.digest_bytes} bytes")
            except TimeUp:
                found.unread.append("time: the deadline passed before its source was read")
            except (OSError, ValueError) as error:  # ValueError: a NUL in the name
                why = getattr(error, "strerror", None) or "it cannot be read"
                found.unread.append(f"source: {why}")
        return found

    def decide(
        self,
        found: reading.Reading,
        lists: tuple[HashList, ...] | None = None,
        start: float | None = None,
    ) -> Verdict:
        """Return the verdict on a reading, as weighed by the C core."""
        start = time.perf_counter() if start is None else start
        lists = lists or self._lists
        models = self._models
        views = found.views[: core.MAX_VIEWS]
        if len(views) < len(found.views):
            found.unread.append(f"views: only {core.MAX_VIEWS} were compared")
        shown, views = _core_views(views)
        asked = _asked(lists)
        state = core.READ_PARTLY if found.unread else core.READ_WHOLE
        raw = core.screen(
            [each.handle for each in lists],
            shown,
            found.digests,
            state if found.is_picture else core.NOT_A_PICTURE,
            self.policy,
        )
        matches = tuple(telling.match(raw.matches[i], lists, views) for i in range(raw.match_count))
        outcome = OUTCOMES[raw.outcome]
        now = time.time()
        stale = any(each.is_stale(now) for each in lists)
        least = self.policy.stale if stale else Action.SEND
        return Verdict(
            outcome=outcome,
            action=max(ACTIONS[raw.action], least, key=ACTIONS.index),
            evidence=EVIDENCE[raw.evidence],
            reason=telling.reason(core.rule(raw), outcome, found.unread),
            matches=matches,
            quality=int(raw.quality),
            coverage=telling.coverage(found, asked),
            protection="inline" if found.in_host else self.isolation,
            trust=min((each.trust for each in lists), key=Trust.rank).tier,
            milliseconds=1000 * (time.perf_counter() - start),
            sha256=found.sha256.hex(),
            canonical=found.canonical,
            stale=stale,
            unchecked=telling.unchecked(found, asked, models),
        )

    def self_test(self) -> Verdict:
        """Screen the published test card and return its verdict.

        Raises:
            DoorsillError: The card does not match by its pixels in every list, a sealing server
                does not open it, or a neural hash of it disagrees: decoding, hashing, searching or
                the policy is not wired as it should be.
        """
        from doorsill.testcard import test_card  # noqa: PLC0415 - read only when asked for

        verdict = None
        for each in self._lists:
            start = time.perf_counter()
            found = self.read(test_card(), margins=each.is_sealed)
            found.digests.clear()  # so that it must be found by its pixels
            lists: tuple[HashList, ...] = (each,)
            if each.is_sealed:
                from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

                patience = Patience(self.limits.answer_seconds)
                lists = asking.opened(asking.ask(found, lists, patience, start))
            verdict = self.decide(found, lists, start)
            if not any(match.test for match in verdict.matches):
                raise DoorsillError(f"{each.path or each.name}: the test card does not match "
                                    f"({verdict.outcome.value}: {verdict.reason}); do not rely on "
                                    "this gate, and run `doorsill doctor`")  # fmt: skip
            if any(match.test and match.evidence == Evidence.CONTRADICTED
                   for match in verdict.matches):  # fmt: skip
                raise DoorsillError(f"{each.path or each.name}: the neural hash of the test card "
                                    "is not the published one; install doorsill-models and "
                                    "onnxruntime anew, or do without them")  # fmt: skip
        assert verdict is not None  # noqa: S101 - a Gate has at least one list
        return verdict


def _asked(lists: Iterable[HashList]) -> dict[bytes, str]:
    """Return the names of the models that lists ask for, by digest."""
    return {bytes.fromhex(hasher.model): hasher.name for each in lists for hasher in each.hashers
            if hasher.model}  # fmt: skip


def _models(lists: Iterable[HashList], before: Models | None) -> Models | None:
    """Return what neural hashes are made by, those that are open already where they will do."""
    asked = _asked(lists)
    if not asked:
        return None
    if before is not None and before.asked == asked.keys() and not before.lacking:
        return before
    from doorsill.models import Models  # noqa: PLC0415 - few lists ask for one

    return Models.wanted((name, digest) for digest, name in asked.items())


def _core_views(
    views: list[reading.HashedView],
) -> tuple[list[core.CoreView], list[reading.HashedView]]:
    """Return what the core weighs, and which view each stands for.

    It takes one code of a model with a view, so one with two codes of a model is given twice.
    """
    shown: list[core.CoreView] = []
    home: list[reading.HashedView] = []
    for view in views:
        rest = list(view.codes)
        while rest or not home or home[-1] is not view:
            codes = dict(reversed(rest))  # the first of each model
            shown.append(core.CoreView(view.pdq, tuple(codes.items())))
            home.append(view)
            for code in codes.items():
                rest.remove(code)
    return shown[: core.MAX_VIEWS], home
