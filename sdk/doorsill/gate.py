"""`Gate`: the door that a picture passes before it is sent."""

from __future__ import annotations

import time
import weakref
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from doorsill import core, reading, telling
from doorsill.digests import TooLong, of_source
from doorsill.errors import DoorsillError
from doorsill.limits import Limits
from doorsill.lists import HashList
from doorsill.listset import ListSet
from doorsill.listset import asked as asked_models
from doorsill.patience import Patience, TimeUp
from doorsill.policy import Policy
from doorsill.trust import Trust
from doorsill.verdict import ACTIONS, EVIDENCE, OUTCOMES, Action, Evidence, Verdict

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence

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
        self._pool: Pool | None = None
        self._own = ListSet()  # with a pool it is the pool's that counts
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
        return pool.Pool(self.limits, self._own, command)

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
        return self._listed.lists

    @property
    def _listed(self) -> ListSet:
        return self._own if self._pool is None else self._pool.listed

    def replace_lists(self, lists: HashList | Iterable[HashList]) -> None:
        """Swap the lists at once; a screening under way ends with the old ones or the new.

        It never mixes them: what its picture is compared with is what it was hashed for.
        """
        new = (lists,) if isinstance(lists, HashList) else tuple(lists)
        if not new:
            raise DoorsillError("a Gate without a list would clear everything; give it a HashList")
        listed = ListSet.of(new, self._listed.models)
        if self._pool is None:
            self._own = listed
        else:
            self._pool.listed = listed

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
        start, patience = time.perf_counter(), Patience(deadline, cancel)
        options = {"source": source, "canonical": canonical}
        found = self.read(picture, deadline=deadline, cancel=cancel, **options)
        if not found.listed.has_sealed:
            return self.decide(found, found.listed.lists, start)
        from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

        asked = self._asked(found, patience, start)
        return self.answer(asked, asking.carry_all(asked))

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
        start, patience = time.perf_counter(), Patience(deadline, cancel)
        found = self.read(picture, deadline=deadline, cancel=cancel, **options)
        return self._asked(found, patience, start)

    def _asked(self, found: reading.Reading, patience: Patience, start: float) -> Asked:
        from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

        patience = patience.within(self.limits.answer_seconds)
        return asking.ask(found, found.listed.lists, patience, start)

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

        Count what comes for a progress bar. No more pictures are held than one a core, and one that
        waits: a generator that reads files keeps an album out of memory.

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

        from doorsill.album import Stop  # noqa: PLC0415 - likewise

        cancel = Stop(options.pop("cancel", None))  # the host's own may stop others, too
        try:
            if self._listed.has_sealed:
                from doorsill.sealed import asking  # noqa: PLC0415 - only sealed lists pay for it

                asked = await asyncio.to_thread(self.ask, picture, cancel=cancel, **options)
                answers = await asking.carry_all_async(asked)
                return await asyncio.to_thread(self.answer, asked, answers)
            return await asyncio.to_thread(self.screen, picture, cancel=cancel, **options)
        except asyncio.CancelledError:
            cancel.set()
            raise

    def read(
        self,
        picture: Any,
        *,
        source: Any = None,
        canonical: bool = False,
        deadline: float | None = None,
        cancel: threading.Event | None = None,
    ) -> reading.Reading:
        """Return the hashes and digests of a picture; arguments as for `screen`.

        They are made for its `listed`, the lists to compare it with: those of now or, where a
        decode worker took the picture after these were swapped, the ones in their place.
        """
        patience = Patience(deadline, cancel)
        pool, listed = self._pool, self._listed
        decoder = None if pool is None else partial(pool.decode, patience, canonical=canonical)
        found = reading.read(
            picture,
            self.limits,
            patience,
            decoder,
            canonical=canonical,
            margins=listed.has_sealed,
            models=listed.models.load if listed.models is not None else tuple,
        )
        if not found.listed.lists:  # no worker was asked
            found.listed = listed
        if source is not None:
            self._add_source(source, found, patience)
        return found

    def _add_source(self, source: Any, found: reading.Reading, patience: Patience) -> None:
        try:
            found.digests.append(of_source(source, patience.check, self.limits.digest_bytes))
        except TooLong:
            why = f"source: more than {self.limits.digest_bytes} bytes"
        except TimeUp:
            why = "time: the deadline passed before its source was read"
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            why = f"source: {getattr(error, 'strerror', None) or 'it cannot be read'}"
        else:
            return
        found.unread.append(why)
        found.is_picture = True  # whatever is sent: what it was made from was not compared

    def decide(
        self,
        found: reading.Reading,
        lists: tuple[HashList, ...] | None = None,
        start: float | None = None,
    ) -> Verdict:
        """Return the verdict on a reading, as weighed by the C core.

        Args:
            found: What `read` returned.
            lists: What it is compared with, by default the lists that it was made for.
            start: When it began, of `time.perf_counter`.
        """
        start = time.perf_counter() if start is None else start
        listed = found.listed if found.listed.lists else self._listed
        if lists is None:
            if listed.has_sealed:
                raise DoorsillError(
                    "a sealing server is to be asked: use screen, or ask and answer"
                )
            lists = listed.lists
        views = found.views[: core.MAX_VIEWS]
        if len(views) < len(found.views):
            found.unread.append(f"views: only {core.MAX_VIEWS} were compared")
        shown, views = _core_views(views)
        asked = asked_models(lists)
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
            unchecked=telling.unchecked(found, asked, listed.models),
        )

    def self_test(self) -> Verdict:
        """Screen the published test card and return its verdict.

        Raises:
            DoorsillError: The card does not match by its pixels in every list, a sealing server
                does not open it, or a neural hash of it disagrees: decoding, hashing, searching or
                the policy is not wired as it should be.
        """
        from doorsill.testcard import test_card  # noqa: PLC0415 - read only when asked for

        verdict, start = None, time.perf_counter()
        card = self.read(test_card())
        for each in card.listed.lists:
            # Without digests, so that it must be found by its pixels.
            found = replace(card, digests=[], unread=[*card.unread], asked=[])
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
                                    "is not the published one; install its model and "
                                    "onnxruntime anew, or do without them")  # fmt: skip
        assert verdict is not None  # noqa: S101 - a Gate has at least one list
        return verdict


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
