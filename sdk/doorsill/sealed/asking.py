"""From a reading to questions, and from answers to lists: what a Gate does for its sealed lists.

The host's own function carries the messages. Whatever goes wrong on the way ends in
`Reading.unread`, so that a picture that could not be asked about is never clear.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill.errors import DoorsillError
from doorsill.patience import TimeUp
from doorsill.sealed.lists import NO_KEY, SealedList
from doorsill.sealed.protocol import NO_TOKEN, Refusal
from doorsill.sealed.question import SealedQuestion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from doorsill.lists import HashList
    from doorsill.patience import Patience
    from doorsill.reading import Reading

    Carry = Callable[[bytes], bytes | Awaitable[bytes]]

_NO_WAY = "the host gave no way to ask it (SealedList.served_by)"
_LATE = "no answer came in time"


@dataclass(frozen=True)
class Asked:
    """A picture that was read, and the questions to be carried before it has a verdict.

    Attributes:
        questions: One for each sealed list that can be asked. Carry each `message` to the server of
            its `sealed` list, and give the answers, in this order, to `Gate.answer`.
        found: What the picture gave.
        lists: What it is compared with.
        patience: How long the answers may take.
        start: When it began, of `time.perf_counter`.
    """

    questions: tuple[SealedQuestion, ...]
    found: Reading = field(repr=False)
    lists: tuple[HashList, ...] = field(repr=False)
    patience: Patience = field(repr=False)
    start: float = field(repr=False)


class Failed(NamedTuple):
    """Why there is no answer."""

    why: str


def ask(found: Reading, lists: tuple[HashList, ...], patience: Patience, start: float) -> Asked:
    """Return one question for each sealed list: always one, whatever the picture holds.

    Not for what is no picture: nothing of it could be compared.
    """
    questions = []
    for each in lists:
        if not isinstance(each, SealedList) or not found.is_picture:
            continue
        token: bytes | None = NO_TOKEN
        if each.sealed.token_key != NO_KEY:
            token = each.tokens.pop() if each.tokens is not None else None
        if token is None:
            found.unread.append(_trouble(each, "there is no token left to ask it with"))
        else:
            questions.append(SealedQuestion(found, each, token))
    return Asked(tuple(questions), found, lists, patience, start)


def opened(asked: Asked) -> tuple[HashList, ...]:
    """Ask about the test card, and return what the answers open.

    Raises:
        DoorsillError: They open nothing.
    """
    lists = tuple(each for each in settle(asked, carry_all(asked)) if not each.is_sealed)
    if not lists:
        name, why = asked.lists[0].path or asked.lists[0].name, "; ".join(asked.found.unread)
        raise DoorsillError(f"{name}: the test card does not match "
                            f"({why or 'the answer opens nothing'}); do not rely on this gate, "
                            "and see that server and list belong together")  # fmt: skip
    return lists


def _trouble(sealed: SealedList, why: str) -> str:
    return f"sealing server of {sealed.name}: {why}"


def settle(asked: Asked, answers: Sequence[bytes | Failed | None]) -> tuple[HashList, ...]:
    """Return the lists to weigh: raw ones, and of sealed ones what the answers opened.

    What an answer lacks is added to the reading.
    """
    if len(answers) != len(asked.questions):
        raise ValueError(f"{len(answers)} answers to {len(asked.questions)} questions; pass None "
                         "for one that could not be had")  # fmt: skip
    opened: dict[int, list[HashList]] = {}
    for question, answer in zip(asked.questions, answers, strict=True):
        sealed, unread = question.sealed, asked.found.unread
        try:
            if not isinstance(answer, bytes | bytearray):
                why = answer.why if isinstance(answer, Failed) else "there is no answer"
                raise Refusal(why)  # noqa: TRY301 - one place says what follows from it
            opened[id(sealed)] = question.understand(bytes(answer))
            asked.found.asked.append(sealed.name)
        except Refusal as refusal:
            unread.append(_trouble(sealed, str(refusal)))
        except ValueError:
            unread.append(_trouble(sealed, "its proof does not hold: it does not have the list's "
                                   "key, or somebody changed the answer"))  # fmt: skip
    # The open part, which holds the test card, stands in where nothing was opened.
    return tuple(list_ for each in asked.lists for list_ in opened.get(id(each)) or (each,))


def _failed(error: BaseException) -> Failed:
    return Failed(f"it could not be asked ({type(error).__name__})")


def carry_all(asked: Asked) -> list[bytes | Failed]:
    """Have the host's functions carry all questions at once, each in a thread; wait for them.

    A function that never returns keeps its thread; it ends with the host.
    """
    done: SimpleQueue[tuple[int, bytes | Failed]] = SimpleQueue()
    answers: list[bytes | Failed] = [Failed(_LATE)] * len(asked.questions)

    def carry(place: int, function: Carry, message: bytes) -> None:
        try:
            answer = function(message)
            done.put((place, asyncio.run(_awaited(answer)) if inspect.isawaitable(answer)
                      else answer))  # fmt: skip
        except BaseException as error:  # noqa: BLE001 - the host's function may raise anything
            done.put((place, _failed(error)))

    waiting = 0
    for place, question in enumerate(asked.questions):
        function = question.sealed.carry
        if function is None:
            answers[place] = Failed(_NO_WAY)
            continue
        waiting += 1
        threading.Thread(target=carry, args=(place, function, question.message), daemon=True,
                         name="doorsill-question").start()  # fmt: skip
    while waiting:
        try:
            place, answer = done.get(timeout=asked.patience.pause())
        except Empty:
            continue
        except TimeUp:
            break
        answers[place] = answer
        waiting -= 1
    return answers


async def _awaited(answer: Awaitable[bytes]) -> bytes:
    return await answer


async def carry_all_async(asked: Asked) -> list[bytes | Failed]:
    """Have the host's functions carry all questions at once, in this loop; wait for them."""
    tasks = [asyncio.ensure_future(_carried(question)) for question in asked.questions]
    try:
        while not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=asked.patience.pause())
    except TimeUp:
        pass
    finally:
        for task in tasks:
            task.cancel()
    return [task.result() if task.done() else Failed(_LATE) for task in tasks]


async def _carried(question: SealedQuestion) -> bytes | Failed:
    function: Any = question.sealed.carry
    if function is None:
        return Failed(_NO_WAY)
    if not inspect.iscoroutinefunction(function):
        function = _threaded(function)
    try:
        answer: bytes = await function(question.message)
    except Exception as error:  # noqa: BLE001 - the host's function may raise anything
        return _failed(error)
    return answer


def _threaded(function: Carry) -> Callable[[bytes], Awaitable[bytes]]:
    async def threaded(message: bytes) -> bytes:
        answer = await asyncio.to_thread(function, message)
        return await answer if inspect.isawaitable(answer) else answer

    return threaded
