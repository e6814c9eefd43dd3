"""The commands of a publisher: keys, signing in three roles, verifying, with real files."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from doorsill import HashList, Trust, TrustError
from doorsill.cli import main
from doorsill.publish.keys import Key, KeyFileError, PublicKey
from test_audit import growing_list

ORIGIN = "hotline.example/list"


class Desk:
    """Keys, a policy and a folder, as a hotline has them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Make the keys of a publisher, two witnesses and an approver by the command itself."""
        self.folder, self.capsys = folder, capsys
        lines = [self.key("log", ORIGIN, "publisher")]
        lines += [self.key(name, f"{name}.example", "witness") for name in ("w0", "w1")]
        lines += [self.key("a0", "a0.example", "approver")]
        names = [line.split()[1] for line in lines[1:]]
        lines += [
            f"group witnesses all {names[0]} {names[1]}",
            f"group approvers any {names[2]}",
            "quorum witnesses",
        ]
        self.policy = folder / "trust.txt"
        self.policy.write_text("".join(f"{line}\n" for line in lines))

    def key(self, file: str, name: str, role: str) -> str:
        """Return the line for the policy."""
        assert 0 == main(["keys", "new", name, "--role", role, "-o", str(self.folder / file)])
        return self.capsys.readouterr().out.splitlines()[-1]

    def release(self, epoch: int) -> Path:
        """Return a list that is still unsigned."""
        path = self.folder / f"{epoch}.dsl"
        path.write_bytes(growing_list(epoch))
        return path

    def sign(self, role: str, who: str, epoch: int, *more: str) -> int:
        """Run `list sign`."""
        return main(["list", "sign", str(self.folder / f"{epoch}.dsl"), "--as", role, "--key",
                     str(self.folder / who), "--policy", str(self.policy), *more])  # fmt: skip

    def publish(self, epoch: int, *more: str) -> int:
        """Sign as the publisher."""
        before = ["--before", str(self.folder / f"{epoch - 1}.dsl")] if epoch else []
        return self.sign(
            "publisher", "log", epoch, "--log", str(self.folder / "tree"), *before, *more
        )

    def witness(self, who: str, epoch: int) -> int:
        """Sign as a witness."""
        return self.sign("witness", who, epoch, "--log", str(self.folder / "tree"), "--state",
                         str(self.folder / f"{who}.seen"))  # fmt: skip

    def approve(self, epoch: int, rebuilt: bytes) -> int:
        """Sign as an approver who has built these bytes."""
        mine = self.folder / "mine.dsl"
        mine.write_bytes(rebuilt)
        before = ["--before", str(self.folder / f"{epoch - 1}.dsl")] if epoch else []
        return self.sign("approver", "a0", epoch, "--rebuilt", str(mine), *before)

    def verify(self, epoch: int, tier: str = "witnessed") -> int:
        """Check as a client does."""
        return main(
            [
                "list",
                "verify",
                str(self.folder / f"{epoch}.dsl"),
                "--policy",
                str(self.policy),
                "--fresh",
                "--tier",
                tier,
                "--json",
            ]
        )


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Return a new one."""
    return Desk(tmp_path, capsys)


def test_from_keys_to_an_approved_list(desk: Desk) -> None:
    """Two epochs, each signed by publisher, witnesses and approver, verify step by step."""
    for epoch in range(2):
        desk.release(epoch)
        assert 0 == desk.publish(epoch)
        assert 2 == desk.verify(epoch)
        assert 0 == desk.witness("w0", epoch) + desk.witness("w1", epoch)
        assert 0 == desk.verify(epoch)
        assert 2 == desk.verify(epoch, "approved")
        assert 0 == desk.approve(epoch, growing_list(epoch))
        desk.capsys.readouterr()
        assert 0 == desk.verify(epoch, "approved")
        facts = json.loads(desk.capsys.readouterr().out)
        assert (epoch, "approved", "w0.example, w1.example, a0.example") == (
            facts["epoch"], facts["tier"], facts["signed_by"])  # fmt: skip


def test_an_approver_signs_only_what_was_rebuilt(desk: Desk) -> None:
    """Another list, the very file itself, or facts that are not true get no signature."""
    path = desk.release(0)
    assert 0 == desk.publish(0)
    assert 2 == desk.approve(0, growing_list(1))
    assert 2 == desk.sign("approver", "a0", 0, "--rebuilt", str(path))
    assert 2 == desk.sign("approver", "a0", 0)
    proof = Path(f"{path}.tlog-proof")
    assert 0 == desk.approve(0, growing_list(0))
    assert 3 == len(proof.read_text().split("\n\n")[-1].splitlines()) + 1
    path.write_bytes(growing_list(1))
    assert 2 == desk.approve(0, growing_list(1))


def test_a_witness_never_signs_a_branch(desk: Desk) -> None:
    """Once it has signed a tree, another one of that size, or one without it, is refused."""
    desk.release(0)
    assert 0 == desk.publish(0)
    assert 0 == desk.witness("w0", 0)
    assert 0 == desk.witness("w0", 0)  # the same again makes it fresh
    tree = desk.folder / "tree"
    tree.rename(desk.folder / "hidden")
    assert 0 == desk.publish(0, "--use-days", "5")
    assert 2 == desk.witness("w0", 0)
    assert 0 == desk.witness("w1", 0)  # who had not seen the first cannot know


def test_epochs_are_the_logs(desk: Desk) -> None:
    """A list of another epoch, or one that does not name the list before, is not published."""
    desk.release(1)
    assert 2 == desk.publish(1)
    desk.release(0)
    assert 0 == desk.publish(0)
    assert 2 == desk.publish(0)
    assert 2 == desk.sign("publisher", "log", 1, "--log", str(desk.folder / "tree"))
    assert 2 == desk.sign("publisher", "w0", 1, "--log", str(desk.folder / "tree"))
    assert 0 == desk.publish(1)


def test_rotation_by_commands(desk: Desk, tmp_path: Path) -> None:
    """A new policy goes out with a release that old and new witnesses sign."""
    desk.release(0)
    assert 0 == desk.publish(0) + desk.witness("w0", 0) + desk.witness("w1", 0)
    old = tmp_path / "old.txt"
    old.write_bytes(desk.policy.read_bytes())
    HashList.accept(tmp_path / "0.dsl", tmp_path / "kept", Trust.load(old))
    line = desk.key("w2", "w2.example", "witness").split()
    desk.policy.write_text(
        desk.policy.read_text()
        .replace("group witnesses", f"{' '.join(line)}\ngroup witnesses", 1)
        .replace("all w0.example w1.example", "2 w0.example w1.example w2.example")
    )
    desk.release(1)
    assert 0 == desk.publish(1, "--policy-version", "2", "--policy-before", str(old))
    assert 0 == desk.witness("w0", 1)
    with pytest.raises(TrustError):
        HashList.accept(tmp_path / "1.dsl", tmp_path / "kept", Trust.load(old))
    assert 0 == desk.witness("w1", 1)
    assert (
        1 == HashList.accept(tmp_path / "1.dsl", tmp_path / "kept", Trust.load(old)).info["epoch"]
    )
    assert 1 == HashList.open(tmp_path / "kept", Trust.load(old)).info["epoch"]


def test_private_keys_are_private(tmp_path: Path) -> None:
    """0600, never written over, refused where others can read them or where they are none."""
    path = tmp_path / "key"
    key = Key.new("a.example", 4)
    key.write(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert key == Key.read(path)
    assert PublicKey.parse(key.vkey).key == key.public
    with pytest.raises(KeyFileError, match="stays"):
        key.write(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="others can read"):
        Key.read(path)
    for text in ("", "PRIVATE+KEY+a", path.read_text().replace("a.example", "b.example")):
        bad = tmp_path / "bad"
        bad.write_text(text)
        bad.chmod(0o600)
        with pytest.raises(KeyFileError, match="no private key"):
            Key.read(bad)
    for name in ("", "a b", "a+b", "a\u00a0b"):
        with pytest.raises(KeyFileError, match="no name"):
            Key.new(name, 4)
    with pytest.raises(KeyFileError, match="another key"):
        PublicKey.parse(key.vkey.replace("a.example", "b.example"))


def test_screening_with_trust(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`screen` and `doctor` ask for signatures with --trust, and say loudly when nobody did."""
    path = desk.release(0)
    picture = str(Path(__file__).parent / "data/images/card.py")
    assert 0 == desk.publish(0)
    signed = [
        "screen",
        "--list",
        str(path),
        "--isolation",
        "inline",
        "--trust",
        str(desk.policy),
        "--json",
        picture,
    ]
    assert 2 == main(signed)
    assert 0 == desk.witness("w0", 0) + desk.witness("w1", 0)
    capsys.readouterr()
    assert 0 == main(signed)
    told = capsys.readouterr()
    assert '"trust": "witnessed"' in told.out
    assert "UNSIGNED" not in told.err
    assert 0 == main(["screen", "--list", str(path), "--isolation", "inline", "--json", picture])
    assert "UNSIGNED" in capsys.readouterr().err
    assert tmp_path
