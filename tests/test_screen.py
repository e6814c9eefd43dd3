"""The decision: every rule of evidence and action, with ready hashes and given codes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from doorsill._native import ffi, lib

from doorsill import (
    Action,
    DoorsillError,
    Evidence,
    HashList,
    ListError,
    Outcome,
    Policy,
    Trust,
    core,
)  # fmt: skip
from doorsill.lists import SEED, TEST, WARN
from doorsill.publish.write import Contents, HasherRows, list_bytes
from doorsill.verdict import ACTIONS, EVIDENCE, OUTCOMES
from lists import MODEL, flip, hash_list, ready_pdq, view

PDQ = hashlib.sha256(b"pdq").digest()
NEURAL = hashlib.sha256(b"neural").digest()
FILE = b"the file"
DIGESTS = tuple(hashlib.new(kind, FILE).digest() for kind in core.DIGESTS)


def screen(lists: HashList | list[HashList], *views: core.CoreView, digests: Any = (),
           reading: int = core.READ_WHOLE, policy: Policy | None = None) -> Any:  # fmt: skip
    """Return (outcome, action, evidence, raw verdict)."""
    handles = [each.handle for each in (lists if isinstance(lists, list) else [lists])]
    raw = core.screen(handles, views, digests, reading, policy or Policy())
    return OUTCOMES[raw.outcome], ACTIONS[raw.action], EVIDENCE[raw.evidence], raw


BOTH = hash_list(pdq={0: PDQ}, neural={0: NEURAL})


@pytest.mark.parametrize(
    ("pdq", "neural", "evidence", "action"),
    [
        (0, 0, Evidence.AGREED, Action.WARN),
        (31, 69, Evidence.AGREED, Action.WARN),
        (31, 70, Evidence.CONTRADICTED, Action.WARN),
        (32, 50, Evidence.NEURAL_ONLY, Action.WARN),
        (32, 51, Evidence.NONE, Action.SEND),
        (31, None, Evidence.SINGLE, Action.BLOCK),
        (32, None, Evidence.NONE, Action.SEND),
    ],
)
def test_two_hashes(pdq: int, neural: int | None, evidence: Evidence, action: Action) -> None:
    """Two hashers that agree block, one that disagrees lowers a block, a missing one does not.

    Alone a neural hash matches to its limit of 50; beyond a quarter of the way to 128 it disagrees.
    """
    code = None if neural is None else flip(NEURAL, neural)
    outcome, *rest, _ = screen(BOTH, view(flip(PDQ, pdq), code))
    assert (Outcome.CLEAR if evidence is Evidence.NONE else Outcome.MATCH) == outcome
    assert [action, evidence] == rest


def test_entry_without_second_hash() -> None:
    """A client that has a neural hasher still blocks on an entry that has only a PDQ."""
    listed = hash_list(pdq={0: PDQ}, neural={1: NEURAL})
    *_, evidence, _ = screen(listed, view(PDQ, flip(NEURAL, 90)))
    assert Evidence.SINGLE == evidence


@pytest.mark.parametrize("models", [1, 15, 16, 17, 40])
def test_a_code_of_any_view_is_known(models: int) -> None:
    """However many models the host has: a view without a code does no more than if both agreed."""
    others = tuple((bytes([n]) * 32, b"\0" * 32) for n in range(models - 1))
    far = core.CoreView(ready_pdq(flip(PDQ, 120)), (*others, (MODEL, flip(NEURAL, 120))))
    _, action, evidence, _ = screen(BOTH, far, view(PDQ))
    assert (Action.WARN, Evidence.SINGLE) == (action, evidence)
    _, action, evidence, _ = screen(BOTH, replace(far, codes=others), view(PDQ))
    assert (Action.BLOCK, Evidence.SINGLE) == (action, evidence)


def test_agreement_is_about_one_entry() -> None:
    """PDQ near one entry and the neural hash near another do not agree."""
    listed = hash_list(pdq={0: PDQ, 1: flip(PDQ, 100)}, neural={0: flip(NEURAL, 120), 1: NEURAL})
    _, action, _, raw = screen(listed, view(PDQ, NEURAL))
    found = {
        raw.matches[i].entry: EVIDENCE[raw.matches[i].evidence] for i in range(raw.match_count)
    }
    assert Action.WARN == action
    assert {0: Evidence.CONTRADICTED, 1: Evidence.NEURAL_ONLY} == found


@pytest.mark.parametrize(
    ("kinds", "evidence"),
    [
        (("sha256",), Evidence.EXACT),
        (("sha1", "md5"), Evidence.EXACT),
        (("md5",), Evidence.SINGLE),
        (("sha1",), Evidence.SINGLE),
    ],
)
def test_digests(kinds: tuple[str, ...], evidence: Evidence) -> None:
    """sha256, or sha1 and md5 of one entry together, are exact; one of the weak two is not."""
    rows = {kind: [(hashlib.new(kind, FILE).digest(), 3)] for kind in kinds}
    outcome, _, found, raw = screen(hash_list(pdq={}, digests=rows), digests=[DIGESTS])
    assert (Outcome.MATCH, evidence, 3) == (outcome, found, raw.matches[0].entry)


def test_weak_digests_of_two_entries() -> None:
    """The md5 of one entry and the sha1 of another prove nothing together."""
    rows = {"md5": [(DIGESTS[2], 1)], "sha1": [(DIGESTS[1], 2)]}
    *_, evidence, raw = screen(hash_list(pdq={}, digests=rows), digests=[DIGESTS])
    assert (Evidence.SINGLE, 2) == (evidence, raw.match_count)


def test_digest_shared_by_entries() -> None:
    """A digest that several entries hold matches all of them."""
    rows = {"sha256": [(DIGESTS[0], entry) for entry in range(5)]}
    *_, raw = screen(hash_list(pdq={}, digests=rows), digests=[DIGESTS])
    assert 5 == raw.match_count


@pytest.mark.parametrize("flag", [SEED, WARN])
def test_publisher_lowers(flag: int) -> None:
    """An entry that its publisher marked never does more than warn, the same file included."""
    listed = hash_list(pdq={0: PDQ}, flags=flag, digests={"sha256": [(DIGESTS[0], 0)]})
    _, action, evidence, _ = screen(listed, view(PDQ), digests=[DIGESTS])
    assert (Action.WARN, Evidence.EXACT) == (action, evidence)


def test_flood_of_mild_matches() -> None:
    """A thousand unreviewed near-duplicates do not hide the one entry that blocks."""
    seeds = hash_list(pdq=dict.fromkeys(range(200), PDQ), entries=200, flags=SEED)
    real = hash_list(pdq={7: flip(PDQ, 30)})
    _, action, _, raw = screen([seeds, real], view(PDQ))
    assert (Action.BLOCK, 16) == (action, raw.match_count)
    assert (1, 7) == (raw.matches[0].list, raw.matches[0].entry)


@pytest.mark.parametrize(
    ("quality", "reading", "outcome"),
    [
        (100, core.READ_WHOLE, Outcome.CLEAR),
        (49, core.READ_WHOLE, Outcome.UNHASHABLE),
        (100, core.READ_PARTLY, Outcome.UNREADABLE),
        (49, core.READ_PARTLY, Outcome.UNREADABLE),
        (0, core.NOT_A_PICTURE, Outcome.OUT_OF_SCOPE),
    ],
)
def test_outcomes_without_match(quality: int, reading: int, outcome: Outcome) -> None:
    """What was not read, or tells too little, is never called clear."""
    far = hashlib.sha256(b"another").digest()
    found, action, *_ = screen(BOTH, view(far, quality=quality), reading=reading)
    assert outcome == found
    assert (Action.WARN if outcome is Outcome.UNREADABLE else Action.SEND) == action


def test_low_quality_never_matches() -> None:
    """At quality 49 even the very same hash is no match: a twentieth of all such pairs collide."""
    outcome, *_ = screen(BOTH, view(PDQ, quality=49))
    assert Outcome.UNHASHABLE == outcome


def test_match_beats_unread() -> None:
    """A match counts also where the rest cannot be read."""
    outcome, *_ = screen(BOTH, view(PDQ), reading=core.READ_PARTLY)
    assert Outcome.MATCH == outcome


def test_quench() -> None:
    """An entry that the host quenched is ignored, and only that one."""
    listed = hash_list(pdq={0: PDQ, 1: PDQ})
    *_, raw = screen(listed, view(PDQ), policy=Policy(quenched=frozenset({"0" * 12})))
    assert [1] == [raw.matches[i].entry for i in range(raw.match_count)]


def test_host_limit() -> None:
    """The host can narrow the distance, and not widen it beyond the list's."""
    near = view(flip(PDQ, 20))
    assert Outcome.CLEAR == screen(BOTH, near, policy=Policy(pdq_limit=19))[0]
    narrow = hash_list(pdq={0: PDQ}, limit=19)
    assert Outcome.CLEAR == screen(narrow, near, policy=Policy(pdq_limit=64))[0]


def test_cautious_and_strict() -> None:
    """`cautious` makes one hash alone warn; `strict` holds the unreadable back, matched or not."""
    assert Action.WARN == screen(BOTH, view(PDQ), policy=Policy.cautious())[1]
    for near in (PDQ, hashlib.sha256(b"far").digest()):
        verdict = screen(BOTH, view(near), reading=core.READ_PARTLY, policy=Policy.strict())
        assert Action.BLOCK == verdict[1]


@pytest.mark.parametrize(("profile", "entry_found"), [("full", 0), ("cpp512", 1), ("unknown", 0)])
def test_profiles(profile: str, entry_found: int) -> None:
    """A list is searched with the hash of its own profile; an unknown one with both."""
    other = hashlib.sha256(b"cpp512").digest()
    listed = hash_list(pdq={0: PDQ, 1: other}, profile=profile)
    from lists import ready_pdq  # noqa: PLC0415 - used once

    *_, raw = screen(listed, core.CoreView(ready_pdq(PDQ, cpp512=other)))
    assert entry_found == raw.matches[0].entry
    assert (2 if profile == "unknown" else 1) == raw.match_count


def test_no_lists_no_views() -> None:
    """Compared with no list nothing is clear; without a view it is too little, not a crash."""
    for views in ((), (view(PDQ),)):
        with pytest.raises(DoorsillError, match="no correct caller"):
            screen([], *views)
    assert Outcome.UNHASHABLE == screen(BOTH)[0]


def test_core_refuses_bad_policy() -> None:
    """A limit above a quarter of the width is refused, by Python with words."""
    with pytest.raises(ValueError, match=r"0\.\.64"):
        Policy(pdq_limit=65)
    with pytest.raises(ValueError, match="12 lower-case"):
        Policy(quenched=frozenset({"xyz"}))


@pytest.mark.parametrize(("bits", "status"), [(69, "OK"), (70, "NOT_WIRED")])
def test_card_that_the_neural_hash_denies(bits: int, status: str) -> None:
    """The core's self-test fails where PDQ finds the card and the neural hash of it disagrees."""
    listed = hash_list(pdq={0: PDQ}, neural={0: NEURAL}, flags=TEST)
    keep: list[Any] = []
    card = core._views([view(PDQ, flip(NEURAL, bits))], keep)  # noqa: SLF001 - hosts in C make these
    policy = core._policy(Policy(), keep)  # noqa: SLF001 - likewise
    lists = ffi.new("doorsill_list *[]", [listed.handle.pointer])
    expected = getattr(lib, f"DOORSILL_{status}")
    assert expected == lib.doorsill_self_test(lists, 1, card, policy, ffi.NULL, 0)


@pytest.mark.parametrize("count", [1, 2, 7, 200])
def test_one_digest_of_many_entries(count: int) -> None:
    """Each entry of a digest is found with all that it shares with the file, and no more."""
    file = (b"s" * 32, b"t" * 20, b"m" * 16)
    pairs = {"md5": [(file[2], n) for n in range(count)], "sha1": [(file[1], count - 1)]}
    listed = hash_list(pdq={}, digests=pairs, entries=count)
    *_, raw = screen(listed, digests=[file])
    matches = [raw.matches[i] for i in range(raw.match_count)]
    found = {match.entry: (EVIDENCE[match.evidence], int(match.via)) for match in matches}
    assert (Evidence.EXACT, 6) == found.pop(count - 1)
    assert {(Evidence.SINGLE, 4)} >= set(found.values())
    assert min(count, 16) - 1 == len(found)


def test_digests_stand_in_order() -> None:
    """A list in which entries of one digest stand in no order, or one twice, is damaged."""
    for owners in ([1, 0], [1, 1]):
        pairs = ((b"m" * 16, owner) for owner in owners)  # as they come
        with pytest.raises(ListError, match="not sorted"):
            hash_list(pdq={}, digests={"md5": pairs})


def test_rows_of_one_entry_have_one_opinion() -> None:
    """Many rows of an entry that PDQ finds are weighed by its neural rows as one would be."""
    contents = Contents()
    rows = [HasherRows("pdq", "full", limit=31, quality=50),
            HasherRows("net", "full", width=256, limit=40, quality=0, model=MODEL)]  # fmt: skip
    for number, code in enumerate((flip(NEURAL, 120), NEURAL)):
        entry = contents.add_entry((0, 0, 1), bytes([number]) * 6)
        for n in range(40):
            rows[0].hashes += flip(PDQ, n % 20)
            rows[0].entries.append(entry)
            rows[1].hashes += code
            rows[1].entries.append(entry)
    contents.hashers = rows
    contents.texts = [(number, 0, "en", "many") for number in range(3)]
    listed = HashList(list_bytes(contents), Trust.none())
    *_, raw = screen(listed, view(PDQ, NEURAL))
    matches = [raw.matches[i] for i in range(raw.match_count)]
    found = {match.entry: EVIDENCE[match.evidence] for match in matches}
    assert {0: Evidence.CONTRADICTED, 1: Evidence.AGREED} == found
