"""The letter of tlog-proof and manifest: every way in which one can miss it is refused."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest

from doorsill.errors import TrustError
from doorsill.publish import tree
from doorsill.publish.keys import LOG, Key
from doorsill.publish.log import Checkpoint
from doorsill.releases import Accepted, check_link, check_release
from publisher import APPROVERS, DAY, NOW, ORIGIN, WITNESSES, Publisher, key, policy, small_list
from test_trust_policies import BAD_UTF8, vkey

POLICY = policy()
W0 = WITNESSES[0].vkey.encode()
LOG_LINE = POLICY[: POLICY.index(b"\n") + 1]
PUBLISHER = Publisher()
PUBLISHER.skip(5)
RELEASE = PUBLISHER.publish()
TEXT = RELEASE.text
NOTE = RELEASE.proof.checkpoint.text.encode()
LINE = RELEASE.proof.checkpoint.signatures[1].encode()
HASH = base64.b64encode(RELEASE.proof.path[0])
STRANGER = key("stranger.example").cosign_note(NOTE.decode(), NOW).encode()

PROOFS = {
    "other first line": (b"proof@v1", b"proof@v2"),
    "no extra": (b"extra ", b"Extra "),
    "manifest not base64": (b"extra ", b"extra *"),
    "manifest too long": (b"extra ", b"extra " + b"A" * 6000),
    "no index": (b"index", b"Index"),
    "index with zero": (b"index ", b"index 0"),
    "index not a number": (b"index 5", b"index :"),
    "index empty": (b"index 5", b"index "),
    "path with a short hash": (HASH, HASH[:40]),
    "path too long": (HASH + b"\n", (HASH + b"\n") * 70),
    "no origin": (b"\n\n" + ORIGIN.encode(), b"\n\n"),
    "no size": (b"\n6\n", b"\nsix\n"),
    "root too short": (base64.b64encode(RELEASE.proof.checkpoint.root), b"AAAA"),
    "root with loose bits": (base64.b64encode(RELEASE.proof.checkpoint.root), b"A" * 42 + b"B="),
    "long extension": (NOTE, NOTE + b"x" * 1024 + b"\n"),
    "control character": (NOTE, NOTE + b"\t\n"),
    "extension that nobody signed": (NOTE, NOTE + b"more\n"),
    "no dash": (LINE, LINE[3:]),
    "no name": (LINE, "—  AAAA\n".encode()),
    "name with plus": (LINE, "— a+b AAAA\n".encode()),
    "no signature": (LINE, "— a\n".encode()),
    "signature too short": (LINE, "— a AAAA\n".encode()),
    "signature of four bytes": (LINE, "— a AAAAAA==\n".encode()),
    "signature too long": (LINE, f"— a {'A' * 4000}\n".encode()),
    "signature not base64": (LINE, "— a A=AA\n".encode()),
    "signature all padding": (LINE, "— a ====\n".encode()),
    "empty line between": (LINE, b"\n" + LINE),
    "too many": (LINE, STRANGER * 60),
    "too large": (LINE, STRANGER * 600),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_proofs_that_miss_the_letter(name: str) -> None:
    """Each is refused, however good its signatures."""
    old, new = PROOFS[name]
    assert TEXT.count(old) >= 1
    with pytest.raises(TrustError) as caught:
        check_release(POLICY, "witnessed", TEXT.replace(old, new, 1), RELEASE.data, None, NOW)
    assert caught.value.kind in {"bad_proof", "not_trusted"}


@pytest.mark.parametrize("bad", BAD_UTF8)
def test_notes_are_utf8(bad: bytes) -> None:
    """What is not UTF-8 is no note, wherever it stands, and no manifest either."""
    for at in (b"\xe2\x80\x94 w", NOTE[-5:]):
        with pytest.raises(TrustError) as caught:
            check_release(
                POLICY, "witnessed", TEXT.replace(at, bad + at, 1), RELEASE.data, None, NOW
            )
        assert "bad_proof" == caught.value.kind


def test_extension_lines_are_signed_like_the_rest() -> None:
    """A log may add lines to its checkpoints."""
    proof = RELEASE.proof
    text = f"{proof.checkpoint.text}anything at all\n"
    lines = (PUBLISHER.log.sign_note(text), *(w.cosign_note(text, NOW) for w in WITNESSES))
    made = replace(proof, checkpoint=replace(proof.checkpoint, text=text, signatures=lines))
    assert (
        5 == check_release(POLICY, "witnessed", made.text().encode(), RELEASE.data, None, NOW).epoch
    )


def refused(
    kind: str,
    text: bytes,
    proof: bytes,
    *,
    data: bytes = RELEASE.data,
    tier: str = "witnessed",
    last: Accepted | None = None,
) -> None:
    """Check that it is."""
    with pytest.raises(TrustError) as caught:
        check_release(text, tier, proof, data, last, NOW)
    assert kind == caught.value.kind, caught.value


def test_signatures_of_another_kind_under_a_known_id() -> None:
    """A signature too short or too long for its key, or from beyond the end of time, is bad."""
    log, who = PUBLISHER.log, WITNESSES[0]
    for each in (log, who):
        for size in (1, 100):
            line = f"— {each.name} {base64.b64encode(each.id + bytes(size)).decode()}\n"
            refused("not_trusted", POLICY, RELEASE.also(line).text)
    late = RELEASE.without(*WITNESSES[:2]).also(who.cosign_note(NOTE.decode(), 2**63))
    refused("not_trusted", POLICY, late.text)


def test_a_log_signs_for_its_own_origin_only() -> None:
    """Another log of the policy cannot vouch for this one's tree."""
    other = key("other.example/list", LOG)
    both = POLICY + f"log {other.vkey}\n".encode()
    publisher = Publisher(policy=both)
    release = publisher.publish()
    stranger = release.without(publisher.log).also(other.sign_note(release.proof.checkpoint.text))
    refused("not_trusted", both, stranger.text, data=release.data)
    unusable = POLICY.replace(
        LOG_LINE, b"log " + vkey(ORIGIN.encode(), b"\x06" + bytes(1312)) + b"\n"
    )
    strange = Key(ORIGIN, 6, bytes(32))
    line = f"— {ORIGIN} {base64.b64encode(base64.b64decode('AAAA') + bytes(65)).decode()}\n"
    refused("not_trusted", unusable, release.also(line).text, data=release.data)
    assert strange.kind == 6


def test_keys_of_a_later_algorithm_are_passed_by() -> None:
    """Lines under the id of an ML-DSA key count for nothing, of a witness and of a log."""
    raw = b"\x06" + bytes(1312)
    name = WITNESSES[0].name.encode()
    text = (
        POLICY.replace(W0, vkey(name, raw))
        + b"log "
        + vkey(ORIGIN.encode(), b"\x06" + bytes(1311) + b"1")
        + b"\n"
    )
    publisher = Publisher(policy=text)
    release = publisher.publish()
    lines = []
    for who, key_ in ((name, raw), (ORIGIN.encode(), b"\x06" + bytes(1311) + b"1")):
        id_ = hashlib.sha256(who + b"\n" + key_).digest()[:4]
        lines.append(f"— {who.decode()} {base64.b64encode(id_ + bytes(8 + 2420)).decode()}\n")
    found = check_release(text, "witnessed", release.also(*lines).text, release.data, None, NOW)
    assert 0b110 == found.cosigners & 0b111


def test_tiers_without_a_quorum() -> None:
    """With `quorum none` the tier alone asks, for witnesses as for approvers."""
    text = policy(quorum="none")
    publisher = Publisher(policy=text)
    release = publisher.publish()
    bare = release.without(*WITNESSES, *APPROVERS)
    refused("not_trusted", text, bare.text, data=release.data)
    assert "signed" == check_release(text, "signed", bare.text, release.data, None, NOW).tier
    late = check_release(text, "signed", release.text, release.data, None, NOW + 4 * DAY)
    assert "signed" == late.tier  # its witnesses spoke too long ago to count


def test_memory_of_the_same_size() -> None:
    """At the accepted size both root and list are the accepted ones."""
    found = check_release(POLICY, "witnessed", RELEASE.text, RELEASE.data, None, NOW)
    assert found.accepted().size == 6
    refused("rolled_back", POLICY, RELEASE.text, last=Accepted(6, found.root, bytes(32)))
    refused("rolled_back", POLICY, RELEASE.text, last=Accepted(6, bytes(32), found.sha256))
    refused("rolled_back", POLICY, RELEASE.text, last=Accepted(5, bytes(32), bytes(32)))
    assert check_release(
        POLICY, "witnessed", RELEASE.text, RELEASE.data, Accepted(0, b"", b""), NOW
    )


def test_a_list_shorter_than_a_header() -> None:
    """Signed or not, it is no list; nor is one with a byte more than was signed."""
    refused("other_list", POLICY, TEXT, data=RELEASE.data + b"x")
    publisher, data = Publisher(), b"\x89DSL"
    size, digest = len(small_list(0)), hashlib.sha256(small_list(0)).hexdigest()
    manifest = publisher.manifest(small_list(0)).replace(b"size %d" % size, b"size 4").replace(
        digest.encode(), hashlib.sha256(data).hexdigest().encode())  # fmt: skip
    refused("other_list", POLICY, publisher.publish(data, manifest=manifest).text, data=data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"list hotline.example/list\n", b"list \n"),
        (b"entries 1\n", b" 1\n"),
        (b"entries 1\n", b"entries \n"),
        (b"entries 1", b"Z 1"),
        (b"entries 1", b"~ 1"),
        (b"entries 1", b"/ 1"),
        (b"entries 1", b"a:b 1"),
        (b"policy 1 ", b"policy x "),
        (b"entries 1", b"entries \x7f"),
        (b"policy 1 ", b"policy 1 z"),
        (b"sha256 ", b"sha512 "),
        (b"size ", b"bytes "),
        (b"issued ", b"made "),
        (b"use_until ", b"until "),
        (b"list ", b"name "),
        (b"policy 1", b"polity 1"),
        (b"epoch 0", b"epoch 9999999999999999999"),
        (b"size ", b"size  "),
    ],
)
def test_manifests_that_miss_the_letter(old: bytes, new: bytes) -> None:
    """Each is refused, everybody's signature under it."""
    publisher, data = Publisher(), small_list(0)
    manifest = publisher.manifest(data)
    assert old in manifest
    refused(
        "bad_proof",
        POLICY,
        publisher.publish(data, manifest=manifest.replace(old, new, 1)).text,
        data=data,
    )


@pytest.mark.parametrize(
    "end", [b"doorsill-manifest/v1\n", b"list hot", b"epoch 0", b"policy 1 ab"]
)
def test_manifests_that_end_too_soon(end: bytes) -> None:
    """A manifest cut within its first lines is none."""
    publisher, data = Publisher(), small_list(0)
    manifest = publisher.manifest(data)
    cut = manifest[: manifest.index(end) + len(end)] if end in manifest else manifest[:200]
    refused("bad_proof", POLICY, publisher.publish(data, manifest=cut).text, data=data)


def test_links_that_fork() -> None:
    """A link that does not follow the accepted release is refused like a release."""
    witnesses = [key(f"new-{i}.example") for i in range(3)]
    publisher, new = Publisher(), policy(witnesses)
    publisher.skip(1)
    text = publisher.rotate(new, witnesses=witnesses).text
    assert 1 == check_link(POLICY, new, "witnessed", text, None).epoch
    with pytest.raises(TrustError, match="forked"):
        check_link(POLICY, new, "witnessed", text, Accepted(1, bytes(32), bytes(32)))
    with pytest.raises(TrustError, match="does not begin"):
        check_link(POLICY, new, "witnessed", b"", None)
    with pytest.raises(TrustError, match="quorum"):
        check_link(POLICY, b"", "witnessed", text, None)
    with pytest.raises(TrustError, match="quorum"):
        check_link(b"", new, "witnessed", text, None)
    assert (
        1
        == check_link(
            POLICY, new, "witnessed", text, Accepted(1, publisher_root(publisher), bytes(32))
        ).epoch
    )


def publisher_root(publisher: Publisher) -> bytes:
    """Return the root of the tree before the last leaf."""
    return tree.root(publisher.leaves[:-1])


def test_known_answers_of_the_specifications() -> None:
    """The example note and key of c2sp.org/signed-note verify, key id and all."""
    from nacl.signing import VerifyKey  # noqa: PLC0415 - used once

    name, id_, raw = ["example.com/foo", "530d903a", "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"]
    line = (
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"
        "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    )
    data, signature = base64.b64decode(raw), base64.b64decode(line)
    assert f"{name}+{id_}+{raw}".encode() == vkey(name.encode(), data)
    assert signature[:4].hex() == id_
    VerifyKey(data[1:]).verify(b"This is an example message.\n", signature[4:])
    made = Checkpoint.make(
        "example.com/behind-the-sofa",
        20852163,
        base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="),
    )
    assert made.text == (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
