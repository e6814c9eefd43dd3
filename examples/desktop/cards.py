"""What a picture's bubble shows at each step: notes, and the two cards that a verdict may ask for.

Everything that comes from a list is shown as plain text, shortened, and its links are https only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attachments import one_line
from checker import Step
from parts import Busy, Button, Buttons, Part, Prose, link
from words import why_unread

from doorsill import Outcome
from doorsill.lists import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from checker import State
    from words import Words

    from doorsill import HashList, Match, Verdict

_NAME, _MESSAGE = 80, 300  # characters of a list's texts


def reference(match: Match) -> str:
    """Return what names a match to its publisher: the entry's id, and the list's epoch."""
    return f"{match.entry}-{match.epoch}"


def note(state: State, words: Words) -> str:
    """Return the line below a picture at this step."""
    said = {
        Step.CHECKING: words.checking,
        Step.SENDING: words.sending,
        Step.SENT: words.sent,
        Step.DECLINED: words.declined,
        Step.CANCELLED: words.cancelled,
        Step.NO_CHECK: words.no_check,
        Step.FAILED: words.failed,
        Step.BLOCKED: words.blocked,
        Step.ASKING: words.ask,
    }[state.step]
    unchecked = _not_compared(state.verdict, words) if state.step == Step.SENT else ""
    return f"{said}. {unchecked}" if unchecked else said


def _not_compared(verdict: Verdict | None, words: Words) -> str:
    """Return what of a picture that was sent had not been compared, "" if all was."""
    if verdict is None:
        return ""
    gaps = {
        Outcome.UNHASHABLE: words.little_detail,
        Outcome.OUT_OF_SCOPE: words.not_a_picture,
        Outcome.UNREADABLE: words.partly,
    }
    return gaps.get(verdict.outcome, words.one_hash if verdict.unchecked else "")


def waiting(state: State, words: Words, cancel: Callable[[], None]) -> list[Part]:
    """Return what shows that something goes on."""
    said = note(state, words)
    return [Busy(said), Prose(said, quiet=True), Buttons(Button(words.cancel, cancel))]


def ended(state: State, words: Words, again: Callable[[], None]) -> list[Part]:
    """Return what became of it, where no card says more."""
    parts: list[Part] = [Prose(note(state, words), quiet=True)]
    if state.trouble:
        parts.append(Prose(state.trouble, quiet=True, scale=0.9))
    if state.step in {Step.FAILED, Step.NO_CHECK, Step.CANCELLED}:
        parts.append(Buttons(Button(words.again, again)))
    return parts


def blocked(
    verdict: Verdict,
    lists: Iterable[HashList],
    words: Words,
    host_does: str,
    copy: Callable[[str], None],
) -> list[Part]:
    """Return the card "This picture can't be sent".

    Args:
        verdict: What held it back.
        lists: Those that were compared.
        words: The person's language.
        host_does: What this app does with such a picture and with the fact, in that language.
        copy: Takes the reference code if the person wants it.

    Raises:
        ValueError: *host_does* is empty: whoever is stopped has a right to know it.
    """
    if not host_does.strip():
        raise ValueError("host_does is empty; say what the app does with a picture it stops")
    parts: list[Part] = [Prose(words.blocked, bold=True, scale=1.15)]
    match = next(iter(verdict.matches), None)
    if match is None:
        parts.append(Prose(f"{words.unread_held} {why_unread(words, verdict.reason)}"))
    else:
        parts.append(Prose(_named(words.matches, match)))
        message = _texts(match, lists, words.code)[0]
        if message:
            parts.append(Prose(words.list_says.format(text=one_line(message, _MESSAGE))))
    parts += [Prose(words.on_device), Prose(host_does)]
    return parts if match is None else [*parts, *_ways_on(match, lists, words, copy)]


def asking(
    verdict: Verdict,
    lists: Iterable[HashList],
    words: Words,
    answer: Callable[[bool], None],
    copy: Callable[[str], None],
) -> list[Part]:
    """Return the card that asks; both answers look the same, and neither is chosen beforehand."""
    match = next(iter(verdict.matches), None)
    parts: list[Part] = [Prose(words.ask, bold=True, scale=1.15)]
    if match is not None:
        parts.append(Prose(_named(words.resembles, match)))
    else:
        parts.append(Prose(f"{words.unread} {why_unread(words, verdict.reason)}"))
    parts.append(Prose(f"{words.on_device} {words.own_choice}"))
    if match is not None:
        parts += _ways_on(match, lists, words, copy)
    answers = (
        Button(words.dont_send, lambda: answer(False)),
        Button(words.send_anyway, lambda: answer(True)),
    )
    return [*parts, Buttons(*answers)]


def _named(sentence: str, match: Match) -> str:
    return sentence.format(list=one_line(match.list, _NAME),
                           publisher=one_line(match.publisher, _NAME))  # fmt: skip


def _texts(match: Match, lists: Iterable[HashList], language: str) -> tuple[str, str, str]:
    """Return the list's message, help and appeal for a match, in the person's language if it can.

    A Match has the links in English; its category's name says which of the list's texts they are.
    """
    for each in lists:
        if each.name != match.list:
            continue
        for key in range(each.info["categories"]):
            if each.text(Text.CATEGORY, key) == match.category:
                found = [each.text(kind, key, language)
                         for kind in (Text.MESSAGE, Text.HELP, Text.APPEAL)]  # fmt: skip
                return found[0], found[1], found[2]
    return "", match.help, match.appeal


def _ways_on(
    match: Match, lists: Iterable[HashList], words: Words, copy: Callable[[str], None]
) -> list[Part]:
    """Return what the person can do: get help, ask for a review, name the match."""
    _, help_address, appeal_address = _texts(match, lists, words.code)
    code = reference(match)
    links = link(words.help, help_address, words), link(words.appeal, appeal_address, words)
    named = Prose(words.reference.format(code=code), quiet=True)
    return [
        Prose(words.care),
        *(each for each in links if each is not None),
        Buttons(named, Button(words.copy, lambda: copy(code), name=f"{words.copy}: {code}")),
    ]
