"""What an auditor finds out, and what cannot be hidden from one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from doorsill.cli import main
from doorsill.publish import tree
from doorsill.publish.audit import audit_log, check_sizes, entry_story, extends
from doorsill.publish.keys import LOG
from doorsill.publish.log import Checkpoint, Log, LogError
from doorsill.publish.manifest import Manifest, ManifestError, Terms
from doorsill.publish.sections import ListFile
from doorsill.publish.sign import add_signature, publish
from doorsill.publish.write import Contents, HasherRows, list_bytes
from publisher import APPROVERS, DAY, NOW, ORIGIN, WITNESSES, key, policy

if TYPE_CHECKING:
    from pathlib import Path

POLICY = policy()


def growing_list(epoch: int) -> bytes:
    """Return a list that gains two entries each epoch and loses one of them two epochs later."""
    texts = [(0, 0, "en", "Pictures <known>"), (1, 0, "en", "Hotline A"), (1, 1, "en", "Hotline B"),
             (2, 0, "en", "category one"), (2, 1, "en", "category two")]  # fmt: skip
    contents = Contents(epoch=epoch, texts=texts)
    rows = HasherRows("pdq", "full")
    gone = range(max(0, epoch - 1))
    for number in range(2 * epoch + 2):
        if number % 2 == 0 and number // 2 in gone:
            continue
        entry = contents.add_entry((number % 2, 0, 1 + number % 3), number.to_bytes(6, "big"))
        rows.hashes += tree.leaf_hash(b"%d" % number)
        rows.entries.append(entry)
    contents.sort_classes()
    contents.hashers = [rows]
    contents.withdrawn = [((2 * number).to_bytes(6, "big"), number + 2) for number in gone]
    return list_bytes(contents)


def publish_epochs(folder: Path, count: int) -> Path:
    """Publish epochs a day apart into `log` and `releases`, signed by everybody; return the log."""
    log, before = Log(folder / "log"), None
    for epoch in range(count):
        path = folder / "releases" / f"{epoch}.dsl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(growing_list(epoch))
        new, when = ListFile.open(path), NOW + epoch * DAY
        proof = publish(path, new, before, log, key(ORIGIN, LOG), Terms(ORIGIN, POLICY, 1, when))
        for each in WITNESSES + (APPROVERS if epoch % 3 else []):
            add_signature(path, each.cosign_note(proof.checkpoint.text, when))
        before = new
    return folder / "log"


def test_a_sound_log(tmp_path: Path) -> None:
    """Every epoch is one leaf; facts, signers and times to withdraw come out as they went in."""
    log = publish_epochs(tmp_path, 8)
    found = audit_log(log, POLICY, tmp_path / "releases")
    assert [] == found.problems
    assert [(e.number, e.tier) for e in found.epochs[:2]] == [(0, "witnessed"), (1, "approved")]
    assert found.epochs[1].signers == ("w0", "w1", "w2", "a0", "a1", "a2")
    last = found.epochs[-1].manifest
    assert (10, 2, 1, 1) == tuple(
        last.number(k) for k in ("entries", "added", "removed", "withdrawn")
    )
    assert {"category one", "category two"} == set(last.counts("category"))
    assert [2 * DAY] * 6 == [each.seconds for each in found.withdrawals]
    for size in range(9):
        for new_size in range(size, 9):
            check_sizes(found, size, new_size)


@pytest.mark.parametrize("count", [1, 255, 256, 257, 513])
def test_logs_of_many_tiles(tmp_path: Path, count: int) -> None:
    """Tiles are as tlog-tiles says, with full ones at 256 leaves and the level above them."""
    log, signer = Log(tmp_path), key(ORIGIN, LOG)
    entries = [b"entry %d" % i for i in range(count)]
    for entry in entries[:-1][-3:] if count > 3 else entries[:-1]:
        assert entry
    leaves = [tree.leaf_hash(each) for each in entries]
    from doorsill.publish import log as module  # noqa: PLC0415 - its writing parts

    for end in sorted({min(256, count), min(512, count), count}):
        first = (end - 1) // 256 * 256
        bundle = b"".join(len(e).to_bytes(2, "big") + e for e in entries[first:end])
        log._write("entries", first // 256, end - first, bundle)  # noqa: SLF001
    log._write_tiles(leaves)  # noqa: SLF001
    made = Checkpoint.make(ORIGIN, count, tree.root(leaves))
    log.keep(made.signed(signer.sign_note(made.text)))
    assert entries == log.entries()
    assert module._tile_name(1234067) == "x001/x234/067"  # noqa: SLF001 - tlog-tiles' own example
    if count >= 256:
        upper = tmp_path / "tile/1/000.p" / str(count // 256)
        assert upper.read_bytes()[:32] == tree.root(leaves[:256])
    checkpoint = log.append(b"one more", signer)
    assert checkpoint.root == tree.root([*leaves, tree.leaf_hash(b"one more")])
    assert [*entries, b"one more"] == log.entries()


def test_rewritten_logs(tmp_path: Path) -> None:
    """A changed entry, tile or root, a foreign signature and a log cut short are all seen."""
    log = publish_epochs(tmp_path, 5)
    entries = next(log.glob("tile/entries/000.p/5"))
    tiles = next(log.glob("tile/0/000.p/5"))
    checkpoint = log / "checkpoint"
    for path, bend, words in (
        (entries, lambda d: d.replace(b"added 2", b"added 1", 1), "root"),
        (entries, lambda d: d.replace(b"epoch 3", b"epoch 4", 1), "epoch 4"),
        (entries, lambda d: d.replace(b"list hot", b"list cot", 1), "about the list"),
        (tiles, lambda d: d[:-1] + b"x", "tiles"),
        (checkpoint, lambda d: d.replace(b"\n\n", b"\nmore\n\n", 1), "signed"),
    ):
        good = path.read_bytes()
        path.write_bytes(bend(good))
        assert any(words in problem for problem in audit_log(log, POLICY).problems), words
        path.write_bytes(good)
    assert [] == audit_log(log, POLICY).problems
    entries.write_bytes(entries.read_bytes()[:-1])
    with pytest.raises(LogError, match="cut short"):
        audit_log(log)


def test_a_fork_is_proved_by_an_old_checkpoint(tmp_path: Path) -> None:
    """Whoever kept a checkpoint sees that the log no longer extends it."""
    log = publish_epochs(tmp_path / "a", 4)
    old = (log / "checkpoint").read_text()
    longer = publish_epochs(tmp_path / "b", 6)
    kept = tmp_path / "kept"
    kept.write_text(old)
    assert 0 == main(["audit", "log", str(longer), "--since", str(kept), "--sizes", "4", "6"])
    other = old.replace(old.splitlines()[2], "A" * 43 + "=")
    kept.write_text(other)
    assert 2 == main(["audit", "log", str(longer), "--since", str(kept)])
    assert not extends(audit_log(longer), Checkpoint.parse(other))


def test_consistency_proofs_against_all_trees() -> None:
    """Each proof verifies for its own two trees, and for no others."""
    leaves = [tree.leaf_hash(b"%d" % i) for i in range(34)]
    roots = [tree.root(leaves[:size]) for size in range(35)]
    for size in range(35):
        for new_size in range(size, 35):
            proof = tree.consistency(size, leaves[:new_size])
            assert tree.extends(size, roots[size], new_size, roots[new_size], proof)
            if 0 < size < new_size:
                assert not tree.extends(size, roots[size - 1], new_size, roots[new_size], proof)
                assert not tree.extends(size, roots[size], new_size, roots[new_size - 1], proof)
                assert not tree.extends(
                    size, roots[size], new_size, roots[new_size], [*proof, roots[1]]
                )
                assert not tree.extends(size, roots[size], new_size, roots[new_size], proof[:-1])


def test_the_story_of_an_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who vouched, since when, and when it went."""
    log = publish_epochs(tmp_path, 6)
    found = audit_log(log, POLICY, tmp_path / "releases")
    story = entry_story(found, "000000000002")
    assert (1, 2, 3) == (story.first, story.last, story.withdrawn)
    assert ("Hotline A", "Hotline B") == story.publishers
    arguments = [
        "audit",
        "entry",
        str(log),
        "000000000003",
        "--releases",
        str(tmp_path / "releases"),
    ]
    assert 2 == main(arguments)  # no policy to check the proofs by
    arguments += ["--policy", str(written(tmp_path))]
    assert 0 == main(arguments)
    said = capsys.readouterr().out
    assert re.search(r"listed since +epoch 1", said)
    assert 2 == main([arg.replace("000000000003", "ffffffffffff") for arg in arguments])


def test_the_report(tmp_path: Path) -> None:
    """One page, no script, nothing from elsewhere, strangers' words escaped."""
    log = publish_epochs(tmp_path, 12)
    out = tmp_path / "report.html"
    assert 0 == main(
        [
            "audit",
            "report",
            str(log),
            "-o",
            str(out),
            "--policy",
            str(written(tmp_path)),
            "--releases",
            str(tmp_path / "releases"),
        ]
    )
    page = out.read_text()
    assert "The log is sound" in page
    assert page.count("<svg") == 4
    assert not re.search(r"<script|src=|href=|url\(", page)


def written(folder: Path) -> Path:
    """Return a file with the policy."""
    path = folder / "policy.txt"
    path.write_bytes(POLICY)
    return path


def test_over_the_cap(tmp_path: Path) -> None:
    """Too many changes need a reason, and the manifest shows it."""
    contents = Contents(epoch=1)
    for number in range(1200):
        contents.add_entry((0, 0, 1), (10**9 + number).to_bytes(6, "big"))
    rows = HasherRows("pdq", "full")
    contents.hashers = [rows]
    log = Log(publish_epochs(tmp_path, 1))
    path = tmp_path / "next.dsl"
    path.write_bytes(list_bytes(contents))
    before, new = ListFile.open(tmp_path / "releases/0.dsl"), ListFile.open(path)
    signer, when = key(ORIGIN, LOG), NOW + DAY
    with pytest.raises(ManifestError, match="over the cap"):
        publish(path, new, before, log, signer, Terms(ORIGIN, POLICY, 1, when))
    with pytest.raises(ManifestError, match="before it"):
        publish(path, new, None, log, signer, Terms(ORIGIN, POLICY, 1, when))
    terms = Terms(ORIGIN, POLICY, 1, when, reason="a new\nsource")
    manifest = Manifest.parse(publish(path, new, before, log, signer, terms).manifest)
    assert "a new source" == manifest.one("over_cap")
