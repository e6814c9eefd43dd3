"""Logs, policies and kept proofs that are not what they should be, and what an audit says then."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doorsill import HashList, Trust, TrustError
from doorsill.cli import main
from doorsill.publish.audit import audit_log
from doorsill.publish.keys import LOG
from doorsill.publish.log import Log
from doorsill.publish.manifest import Manifest, ManifestError, form_fault
from doorsill.publish.sign import Proof
from publisher import NOW, ORIGIN, WITNESSES, key
from test_audit import POLICY, publish_epochs, written

if TYPE_CHECKING:
    from pathlib import Path


def audit(command: str, log: Path, *more: object) -> int:
    """Run a command on a log under the policy of its publisher."""
    policy_file = str(written(log.parent))
    return main(["audit", command, str(log), "--policy", policy_file, *map(str, more)])


def test_an_empty_policy_is_no_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy file without a log is an error that names it, whoever signed the checkpoint."""
    log = publish_epochs(tmp_path, 1)
    bad = tmp_path / "empty.pol"
    for text in (b"", b"quorum none\n", b"\xff\x00", bytes(1 << 20)):
        bad.write_bytes(text)
        assert 2 == main(["audit", "log", str(log), "--policy", str(bad)])
        told = capsys.readouterr()
        assert "" == told.out
        assert f"{bad}: " in told.err
    with pytest.raises(TrustError):
        audit_log(log, b"")


def test_signed_is_said_only_of_what_was_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands, JSON and report say "signed" from the result, not because a policy was named."""
    log, page = publish_epochs(tmp_path, 1), tmp_path / "page.html"
    assert 0 == audit("log", log)
    assert re.search(r"sound: 1 epoch, .*, signed by the log", capsys.readouterr().out)
    assert 0 == main(["audit", "report", str(log), "-o", str(page)])
    assert "not checked: no --policy" in capsys.readouterr().out
    assert "Signatures were not checked" in page.read_text()
    checkpoint = log / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().partition("\n\n")[0] + "\n\n")
    assert 2 == audit("log", log)
    told = capsys.readouterr()
    assert ", NOT signed by" in told.out
    assert ", signed by" not in told.out
    assert "no log of the trust policy" in told.err
    assert 2 == audit("log", log, "--json")
    assert json.loads(capsys.readouterr().out)["signed"] is False
    assert 2 == audit("report", log, "-o", page)
    assert ", 1 problem, NOT signed" in capsys.readouterr().out


BENT = {
    "a time that is none": ("issued 1", "issued x1"),
    "a negative time": ("issued ", "issued -"),
    "an end that is none": ("use_until ", "use_until x"),
    "no end": ("use_until ", "used_until "),
    "a number that is none": ("entries 2", "entries abc"),
    "a number too large": ("entries 2", "entries 9223372036854775808"),
    "a leading zero": ("entries 2", "entries 02"),
    "no number of entries": ("entries 2\n", ""),
    "two numbers of entries": ("entries 2\n", "entries 2\nentries 2\n"),
    "two epochs": ("entries 2\n", "entries 2\nepoch 7\n"),
    "another order": ("entries 2\nadded 2\n", "added 2\nentries 2\n"),
    "a hasher cut short": ("hasher pdq full 256", "hasher pdq full"),
    "a category without a number": ("category 1 ", "category one "),
    "policy 0": ("policy 1", "policy 0"),
    "no last newline": ("category two\n", "category two"),
    "another first line": ("manifest/v1", "manifest/v2"),
}


@pytest.mark.parametrize("name", BENT)
def test_leaves_that_break_the_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A signed leaf that is not as FORMAT.md says is a problem, is left out and crashes nothing."""
    log = publish_epochs(tmp_path, 2)
    good = Log(log).entries()[0].partition(b"publisher ")[0]
    bent = good.replace(*(each.encode() for each in BENT[name]), 1)
    assert good != bent
    assert "" == form_fault(good)
    Log(log).append(bent, key(ORIGIN, LOG))
    found = audit_log(log, POLICY)
    assert [0, 1] == [epoch.number for epoch in found.epochs]
    assert any(problem.startswith("leaf 2 breaks the form: ") for problem in found.problems)
    for command in (["log"], ["report", "-o", str(tmp_path / "page.html")]):
        assert 2 == audit(command[0], log, *command[1:])
        told = capsys.readouterr()
        assert "leaf 2 breaks the form" in told.err
        assert "fault of doorsill" not in told.err


def test_a_log_of_broken_leaves_alone(tmp_path: Path) -> None:
    """The report of a log in which nothing can be read does not say that nothing was published."""
    Log(tmp_path / "log").append(b"x", key(ORIGIN, LOG))
    page = tmp_path / "page.html"
    assert 2 == audit("report", tmp_path / "log", "-o", page)
    assert "No release of it can be read" in page.read_text()


def test_a_line_ends_where_the_core_ends_it(tmp_path: Path) -> None:
    """A name with U+2028 in it is one name: it cannot bring a second line of numbers."""
    leaf = Log(publish_epochs(tmp_path, 1)).entries()[0]
    leaf = leaf.replace(b"category one", "one\u2028added 9".encode())
    assert "" == form_fault(leaf)
    assert 2 == Manifest.parse(leaf).number("added")
    assert "one\u2028added 9" in Manifest.parse(leaf).counts("category")


def test_numbers_of_a_manifest_are_numbers() -> None:
    """Whoever reads one that is none gets a `ManifestError`."""
    made = Manifest.parse(b"doorsill-manifest/v1\nissued x\ncategory y z\n")
    with pytest.raises(ManifestError, match="issued"):
        made.number("issued")
    with pytest.raises(ManifestError, match="category"):
        made.counts("category")


def test_checkpoints_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Binary bytes, a size that is none and a file without end are errors that name the file."""
    log, kept = publish_epochs(tmp_path, 1), tmp_path / "kept"
    good = (log / "checkpoint").read_bytes()
    bad = (b"\xff\xfe\x00", b"", good.replace(b"\n1\n", b"\n+1\n", 1), bytes(1 << 17))
    for text in bad:
        for path, more in ((kept, ["--since", kept]), (log / "checkpoint", [])):
            path.write_bytes(text)
            assert 2 == audit("log", log, *more)
            told = capsys.readouterr()
            assert f"{path}: " in told.err
            assert "fault of doorsill" not in told.err
            (log / "checkpoint").write_bytes(good)


def test_a_checkpoint_that_is_extended_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each --since is answered, in words and in JSON."""
    log = publish_epochs(tmp_path, 2)
    kept = log / "checkpoint"
    assert 0 == audit("log", log, "--since", kept)
    assert f"extends {kept} (size 2)\n" in capsys.readouterr().out
    assert 0 == audit("log", log, "--since", kept, "--json")
    said = json.loads(capsys.readouterr().out)
    assert [{"path": str(kept), "size": 2, "extends": True}] == said["since"]


def test_no_proof_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--releases with nothing to look at are never sound: missing, empty, a file, no proofs."""
    log, empty = publish_epochs(tmp_path, 2), tmp_path / "empty"
    for folder in (tmp_path / "missing", tmp_path / "releases/0.dsl"):
        assert 2 == audit("log", log, "--releases", folder)
        told = capsys.readouterr()
        assert "" == told.out
        assert f"{folder}: " in told.err
    empty.mkdir()
    lists = tmp_path / "lists"
    shutil.copytree(tmp_path / "releases", lists, ignore=shutil.ignore_patterns("*.tlog-proof"))
    for folder in (empty, lists):
        assert 2 == audit("log", log, "--releases", folder)
        told = capsys.readouterr()
        assert "proofs looked at: 0 of 2 epochs" in told.out
        assert f"{folder}: no proof" in told.err
    assert 0 == audit("log", log, "--releases", tmp_path / "releases")
    assert "proofs looked at: 2 of 2 epochs" in capsys.readouterr().out


def test_proofs_and_lists_under_any_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A proof is known by its first line, its list by its digest; one that is bad is a problem."""
    log, kept = publish_epochs(tmp_path, 2), tmp_path / "kept"
    kept.mkdir()
    for number, name in ((0, "tuesday"), (1, "later.hashes")):
        shutil.copy(tmp_path / f"releases/{number}.dsl", kept / name)
        shutil.copy(tmp_path / f"releases/{number}.dsl.tlog-proof", kept / f"{number}.txt")
    found = audit_log(log, POLICY, kept)
    assert ([], 2) == (found.problems, found.proofs)
    assert ["tuesday", "later.hashes"] == [e.list.name for e in found.epochs if e.list]
    (kept / "more.tlog-proof").write_bytes(b"\xff")
    assert 2 == audit("log", log, "--releases", kept)
    assert "more.tlog-proof: this is no tlog-proof" in capsys.readouterr().err
    (kept / "more.tlog-proof").unlink()
    proof = (kept / "1.txt").read_text()
    (kept / "1.txt").write_text(proof.replace("index 1", "index +1"))  # no client would take it
    assert ["1.txt"] == [str(p).rpartition("/")[2].partition(":")[0]
                         for p in audit_log(log, POLICY, kept).problems]  # fmt: skip


def test_a_clients_own_folder_can_be_looked_at(tmp_path: Path) -> None:
    """What a client accepted is a kept list with its proof, whatever links lie beside it."""
    log, kept = publish_epochs(tmp_path, 1), tmp_path / "kept"
    HashList.accept(tmp_path / "releases/0.dsl", kept, Trust.load(written(tmp_path)), now=NOW)
    for name in ("policy-2", "policy-2.tlog-proof"):
        source = "releases/0.dsl.tlog-proof" if name.endswith("proof") else "policy.txt"
        shutil.copy(tmp_path / source, kept / name)
    found = audit_log(log, POLICY, kept)
    assert ([], 1) == (found.problems, found.proofs)


def test_a_proof_under_a_policy_that_is_not_kept(tmp_path: Path) -> None:
    """The problem says which policy is missing."""
    log = publish_epochs(tmp_path, 1)
    found = audit_log(log, POLICY + b"# more\n", tmp_path / "releases")
    assert any("neither yours nor kept" in problem for problem in found.problems)


def test_a_signed_list_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list that its publisher signed and nobody can open is a problem, and the audit goes on."""
    publish_epochs(tmp_path, 1)
    path, kept = tmp_path / "releases/0.dsl", tmp_path / "kept"
    kept.mkdir()
    bad = path.read_bytes()[:64].ljust(200, b"x")
    leaf = Log(tmp_path / "log").entries()[0].decode()
    for word, value in (("sha256", hashlib.sha256(bad).hexdigest()), ("size", "200")):
        leaf = re.sub(rf"(?m)^{word} .*$", f"{word} {value}", leaf)
    made = Log(tmp_path / "other").append(leaf.encode(), key(ORIGIN, LOG))
    proof = Proof(leaf.encode(), 0, (), made)
    for each in WITNESSES:
        proof = replace(proof, checkpoint=proof.checkpoint.signed(each.cosign_note(made.text, NOW)))
    (kept / "0.dsl").write_bytes(bad)
    (kept / "0.dsl.tlog-proof").write_text(proof.text())
    found = audit_log(tmp_path / "other", POLICY, kept)
    assert ["epoch 0"] == [problem.partition(":")[0] for problem in found.problems]
    assert 2 == audit("log", tmp_path / "other", "--releases", kept)
    assert "proofs looked at: 1 of 1 epoch\n" in capsys.readouterr().out
