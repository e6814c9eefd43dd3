"""Attacks on releases: each must end in an error that names the rule it broke."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from doorsill.errors import TrustError
from doorsill.publish import tree
from doorsill.publish.keys import LOG
from doorsill.publish.log import Checkpoint
from doorsill.publish.sign import Proof
from doorsill.releases import Accepted, check_release, check_trust
from doorsill.releases import Release as Checked
from publisher import (
    APPROVERS,
    DAY,
    HOUR,
    NOW,
    ORIGIN,
    WITNESSES,
    Publisher,
    Release,
    key,
    policy,
    small_list,
)

POLICY = policy()


def accept(
    release: Release,
    *,
    last: Accepted | None = None,
    now: int = NOW,
    tier: str = "witnessed",
    trust: bytes = POLICY,
) -> Checked:
    """Check a release as a client does."""
    return check_release(trust, tier, release.text, release.data, last, now)


def refused(kind: str, release: Release, **options: object) -> str:
    """Return the message of the refusal, which must be of this kind."""
    with pytest.raises(TrustError) as caught:
        accept(release, **options)  # type: ignore[arg-type]
    assert kind == caught.value.kind, caught.value
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_an_honest_release_is_accepted(size: int) -> None:
    """In a tree of any size; the result says what the manifest said."""
    publisher = Publisher()
    publisher.skip(size - 1)
    release = publisher.publish()
    found = accept(release)
    assert (ORIGIN, size - 1, "approved") == (found.list, found.epoch, found.tier)
    assert found.accepted().root == tree.root(publisher.leaves)
    assert len(release.text) < 4096


def test_each_release_follows_the_one_before() -> None:
    """A client that takes every release, every second or every fifth comes through."""
    publisher = Publisher()
    releases = [publisher.publish() for _ in range(21)]
    for step in (1, 2, 5):
        last = None
        for release in releases[::step]:
            last = accept(release, last=last).accepted()


def test_one_signer_short() -> None:
    """Two of three are asked for: one witness or one approver does not do."""
    release = Publisher().publish()
    refused("not_trusted", release.without(*WITNESSES[:2]))
    assert accept(release.without(WITNESSES[0])).tier == "approved"
    assert accept(release.without(*APPROVERS[:2])).tier == "witnessed"
    assert "approvers" in refused("not_trusted", release.without(*APPROVERS[:2]), tier="approved")
    assert "log" in refused("not_trusted", release.without(key(ORIGIN, LOG)))


def test_duplicate_signer() -> None:
    """A witness that signs twice is one witness."""
    release = Publisher().publish().without(*WITNESSES[:2])
    again = [WITNESSES[2].cosign_note(release.proof.checkpoint.text, NOW - i) for i in range(5)]
    refused("not_trusted", release.also(*again))


def test_one_key_under_two_names() -> None:
    """A policy in which a key has two voices is no policy, nor is a log that is its own witness."""
    twin = replace(key("other.example"), seed=WITNESSES[0].seed)
    log = replace(key(ORIGIN, LOG), seed=WITNESSES[0].seed)
    for bad in (policy([WITNESSES[0], twin]), policy(approvers=[twin]), policy(log=log)):
        with pytest.raises(TrustError, match="stands twice") as caught:
            check_trust(bad, "witnessed")
        assert caught.value.kind == "bad_trust"


def test_unknown_signer() -> None:
    """A stranger's signature counts for nothing, under his own name or under a known one."""
    release = Publisher().publish().without(*WITNESSES[:2])
    text = release.proof.checkpoint.text
    impostor = replace(key("stranger.example"), name=WITNESSES[0].name)
    strangers = [key(f"stranger-{i}.example").cosign_note(text, NOW) for i in range(9)]
    refused("not_trusted", release.also(*strangers, impostor.cosign_note(text, NOW)))


def test_other_algorithm() -> None:
    """Signatures of a type that is not asked for do not count, whoever made them."""
    release = Publisher().publish().without(*WITNESSES[:2])
    text = release.proof.checkpoint.text
    plain = [replace(each, kind=LOG).sign_note(text) for each in WITNESSES]
    refused("not_trusted", release.also(*plain))
    mldsa = f"— {WITNESSES[0].name} {base64.b64encode(b'1234' + bytes(8 + 2420)).decode()}\n"
    refused("not_trusted", release.also(mldsa))


def test_forged_line_of_a_known_key() -> None:
    """One bad signature of a known key makes the note worthless, however many are good."""
    release = Publisher().publish()
    text = release.proof.checkpoint.text
    forged = replace(WITNESSES[0]).cosign_note(text.replace("1", "2", 1), NOW)
    assert "bad" in refused("not_trusted", release.also(forged))


def test_room_for_a_second_algorithm() -> None:
    """A policy may name ML-DSA keys: they cannot count yet, and the others suffice."""
    name, raw = "pq.example", b"\x06" + bytes(1312)
    id_ = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex()
    line = f"witness pq {name}+{id_}+{base64.b64encode(raw).decode()}\n".encode()
    text = POLICY.replace(b"group witnesses 2 w0", line + b"group witnesses 2 pq w0")
    publisher = Publisher(policy=text)
    release = publisher.publish()
    assert accept(release, trust=text).tier == "approved"
    refused("not_trusted", release.without(*WITNESSES[:2]), trust=text)


@pytest.mark.parametrize("flip", [1, 0x20, 0x80])
def test_every_byte_of_the_proof_flipped(flip: int) -> None:
    """No changed byte is accepted, unless it only unsays a signature that was not needed."""
    publisher = Publisher(approvers=[], witnesses=WITNESSES[:2])
    publisher.skip(6)
    release = publisher.publish()
    text = release.text
    for at in range(len(text)):
        bent = text[:at] + bytes([text[at] ^ flip]) + text[at + 1 :]
        with pytest.raises(TrustError):
            check_release(POLICY, "witnessed", bent, release.data, None, NOW)


def test_every_truncation() -> None:
    """No cut is accepted, of the proof or of the list."""
    publisher = Publisher(approvers=[], witnesses=WITNESSES[:2])
    publisher.skip(6)
    release = publisher.publish()
    for at in range(len(release.text)):
        with pytest.raises(TrustError):
            check_release(POLICY, "witnessed", release.text[:at], release.data, None, NOW)
    for at in range(len(release.data)):
        refused("other_list", replace(release, data=release.data[:at]))


def test_every_byte_of_the_list_flipped() -> None:
    """The list is the one that was signed, to the bit."""
    release = Publisher().publish()
    for at in range(len(release.data)):
        bent = bytearray(release.data)
        bent[at] ^= 1 << at % 8
        refused("other_list", replace(release, data=bytes(bent)))


def test_older_epoch() -> None:
    """Yesterday's list, good as its signatures are, stays yesterday's."""
    publisher = Publisher()
    old, new = publisher.publish(), publisher.publish()
    last = accept(new).accepted()
    assert "older" in refused("rolled_back", old, last=last)
    assert accept(new, last=last).epoch == 1  # the same again is no way back


def test_smaller_tree() -> None:
    """The same leaf in a smaller tree than the accepted one is refused."""
    publisher = Publisher()
    publisher.skip(3)
    small = publisher.publish()
    last = Accepted(9, bytes(32), bytes(32))
    refused("rolled_back", small, last=last)


def test_fast_forward() -> None:
    """An epoch ahead of the log, in manifest, list or both, is refused."""
    publisher = Publisher()
    data = small_list(2**40)
    refused("not_trusted", publisher.publish(data))
    honest = publisher.manifest(small_list(1))
    refused("other_list", publisher.publish(data, manifest=honest))
    only_list = publisher.manifest(data).replace(b"epoch %d" % 2**40, b"epoch 2")
    assert "epoch" in refused("other_list", publisher.publish(data, manifest=only_list))


def test_side_leaf() -> None:
    """A leaf that is in the tree but not its last one is no release."""
    publisher = Publisher()
    data = small_list(0)
    manifest = publisher.manifest(data)
    publisher.leaves = [tree.leaf_hash(manifest), tree.leaf_hash(b"something else")]
    refused("not_trusted", publisher.sign(data, manifest, 0))


def test_a_path_that_is_too_long_or_leads_elsewhere() -> None:
    """The path has as many hashes as a last leaf's, and they lead to the root."""
    publisher = Publisher()
    publisher.skip(5)
    release = publisher.publish()
    path = release.proof.path
    for bent in (path[:-1], (*path, bytes(32)), path[::-1], (bytes(32), *path[1:])):
        refused("not_trusted", replace(release, proof=replace(release.proof, path=bent)))


def signed_as(size: int, index: int) -> Release:
    """Return epoch 5 of 6, under a checkpoint that everybody signed with another size, or index."""
    publisher = Publisher()
    publisher.skip(5)
    proof = publisher.publish().proof
    made = Checkpoint.make(ORIGIN, size, proof.checkpoint.root)
    lines = [publisher.log.sign_note(made.text)]
    lines += [each.cosign_note(made.text, NOW) for each in WITNESSES + APPROVERS]
    note = replace(made, signatures=tuple(lines))
    return Release(small_list(5), replace(proof, index=index, checkpoint=note))


@pytest.mark.parametrize(("size", "index"), [(6, 6), (6, 3), (9, 5), (7, 5), (5, 5), (7, 6)])
def test_one_number_for_epoch_index_and_size(size: int, index: int) -> None:
    """Whoever signs it: a leaf that is not its tree's last, or not of its epoch, is refused."""
    assert accept(signed_as(6, 5)).epoch == 5
    refused("not_trusted", signed_as(size, index))


def test_a_path_of_another_tree() -> None:
    """A root that a shorter path leads to is not that of a tree with as many leaves as signed."""
    publisher, data = Publisher(), small_list(3)
    manifest = publisher.manifest(data)
    publisher.leaves = [tree.leaf_hash(b"only one"), tree.leaf_hash(manifest)]
    made = Checkpoint.make(ORIGIN, 4, tree.root(publisher.leaves))
    lines = [publisher.log.sign_note(made.text)]
    lines += [each.cosign_note(made.text, NOW) for each in WITNESSES]
    note = replace(made, signatures=tuple(lines))
    refused("not_trusted", Release(data, Proof(manifest, 3, (publisher.leaves[0],), note)))


@pytest.mark.parametrize("common", [0, 1, 4])
def test_forked_log(common: int) -> None:
    """Another branch is seen at the accepted size and at the next, whoever signs it."""
    honest, other = Publisher(), Publisher()
    for each in (honest, other):
        each.skip(common)
    last = accept(honest.publish()).accepted()
    bent = other.publish(now=NOW + 1)
    assert "forked" in refused("rolled_back", bent, last=last, now=NOW + 1)
    assert "forked" in refused("rolled_back", other.publish(), last=last)


def test_stale_witnesses() -> None:
    """72 hours are fresh, a second more is stale; the future counts for nothing."""
    release = Publisher().publish()
    assert accept(release, now=NOW + 72 * HOUR).epoch == 0
    refused("stale", release, now=NOW + 72 * HOUR + 1)
    assert accept(release, now=NOW - HOUR).epoch == 0
    refused("not_trusted", release, now=NOW - HOUR - 1)
    text = release.proof.checkpoint.text
    fresh = [each.cosign_note(text, NOW + 9 * DAY) for each in WITNESSES[:2]]
    assert accept(release.also(*fresh), now=NOW + 9 * DAY).tier == "approved"
    assert accept(release, now=0).epoch == 0  # opened again: no freshness is asked


def test_past_its_use() -> None:
    """What should no longer be used is not accepted as new, however fresh the witnesses are."""
    release = Publisher().publish()
    text, late = release.proof.checkpoint.text, NOW + 30 * DAY
    fresh = release.also(*(each.cosign_note(text, late) for each in WITNESSES))
    assert accept(fresh, now=late).epoch == 0
    again = release.also(*(each.cosign_note(text, late + 1) for each in WITNESSES))
    assert "use_until" in refused("stale", again, now=late + 1)


def test_manifest_of_another_list() -> None:
    """A manifest of another list in this log, or this list in another's log, is refused."""
    data = small_list(0)
    publisher = Publisher()
    refused(
        "not_trusted",
        publisher.publish(data, manifest=publisher.manifest(data, origin="x.example")),
    )
    other = Publisher(log=key("evil.example/list", LOG))
    assert "no log" in refused("not_trusted", other.publish())
    refused(
        "other_list",
        Publisher().publish(small_list(0, "another"), manifest=Publisher().manifest(data)),
    )


def manifest_with(old: bytes, new: bytes) -> Release:
    """Return a release whose manifest says something else, everybody's signature under it."""
    publisher = Publisher()
    data = small_list(0)
    manifest = publisher.manifest(data)
    assert old in manifest
    return publisher.publish(data, manifest=manifest.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"epoch 0\n", b"epoch 0\nepoch 0\n"),
        (b"entries 1\n", b"entries 1\nepoch 0\n"),
        (b"entries 1\n", b"entries 1\npolicy_before " + b"0" * 64 + b"\n"),
        (b"entries 1\n", b"sha256 " + b"0" * 64 + b"\n"),
        (b"epoch 0", b"epoch NaN"),
        (b"epoch 0", b"epoch 00"),
        (b"epoch 0", b"epoch -0"),
        (b"epoch 0", b"epoch 0x0"),
        (b"epoch 0", b"epoch 0.0"),
        (b"epoch 0", b"epoch "),
        (b"epoch 0", b"epoch 9223372036854775808"),
        (b"epoch 0", b"epoch 18446744073709551616"),
        (b"use_until 1", b"use_until Infinity"),
        (b"issued 1", b"issued 1e9"),
        (b"epoch 0", b"[" * 3000),
        (b"entries 1", b"{" * 3000),
        (b"entries 1", b"entries"),
        (b"entries 1\n", b"\n"),
        (b"entries 1", b"En 1"),
        (b"entries 1", b"entries \x00"),
        (b"entries 1", b"entries \xff"),
        (b"entries 1", b"entries \xc2\x85"),
        (b"doorsill-manifest/v1", b"doorsill-manifest/v2"),
        (b"policy 1 ", b"policy 0 "),
        (b"policy 1 ", b"policy 1  "),
        (b"policy 1 ", b"policy "),
        (b"list h", b"list " + b"h" * 300),
        (b"entries 1\n", b"policy_before x\n"),
    ],
)
def test_bent_manifests(old: bytes, new: bytes) -> None:
    """Duplicates, numbers that are none, nesting and odd bytes are refused, signed or not."""
    refused("bad_proof", manifest_with(old, new))


def test_a_manifest_ends_with_a_line() -> None:
    """A manifest that was cut within its last line is none."""
    publisher = Publisher()
    data = small_list(0)
    refused("bad_proof", publisher.publish(data, manifest=publisher.manifest(data)[:-1]))
    refused("bad_proof", publisher.publish(data, manifest=b"doorsill-manifest/v1"))


def test_facts_of_later_versions_are_passed_by() -> None:
    """A key that this reader does not know is no error."""
    assert accept(manifest_with(b"entries 1\n", b"entries 1\nmood calm \xc3\xa9\n")).epoch == 0


def test_policies_to_the_letter() -> None:
    """Comments, blank lines, tabs, URLs, nested groups and `all`, `any` are as tlog-policy says."""
    text = POLICY.replace(b"quorum witnesses", b"group both all witnesses approvers\nquorum both")
    text = text.replace(b"witness w0 ", b"# who\n\n\t witness  w0\t").replace(
        b"\nwitness w1", b" https://w0.example/\nwitness w1")  # fmt: skip
    assert "approved" == check_trust(text, "approved")
    publisher = Publisher(policy=text)
    release = publisher.publish()
    assert accept(release, trust=text).tier == "approved"
    assert "quorum" in refused("not_trusted", release.without(*APPROVERS), trust=text)


def test_signed_alone_must_be_named() -> None:
    """A policy without witnesses serves the tier `signed`, and only if that is asked for."""
    text = policy(witnesses=[], approvers=[], quorum="none")
    publisher = Publisher(policy=text)
    release = publisher.publish()
    assert accept(release, trust=text, tier="signed").tier == "signed"
    with pytest.raises(TrustError, match="witnesses"):
        accept(release, trust=text)
