"""Accepting releases into a folder: at once or not at all, whatever happens meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doorsill import HashList, ListError, Trust, TrustError
from publisher import DAY, NOW, WITNESSES, Publisher, Release, key, policy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """Return the trust of a client that knows the usual policy."""
    path = tmp_path / "trust.txt"
    path.write_bytes(policy())
    return Trust.load(path)


def accept(release: Release, folder: Path, trust: Trust, now: int = NOW) -> HashList:
    """Fetch a release and accept it."""
    path = folder.parent / "new.dsl"
    return HashList.accept(release.write(path), folder, trust, now=now)


def epoch(folder: Path, trust: Trust) -> int:
    """Return the epoch that opens."""
    return int(HashList.open(folder, trust).info["epoch"])


def test_accept_and_open_again(tmp_path: Path, trust: Trust) -> None:
    """The accepted list opens, tells its tier, and the folder keeps no other list."""
    publisher, folder = Publisher(), tmp_path / "kept"
    for number in range(3):
        assert number == accept(publisher.publish(), folder, trust).info["epoch"]
        opened = HashList.open(folder, trust)
        assert (number, "approved") == (opened.info["epoch"], opened.trust.tier)
    names = {path.name.split("-")[0] for path in folder.iterdir()}
    assert names == {"accepted", "lock", "list"}
    assert 4 == len(list(folder.iterdir()))


def test_a_laptop_that_was_off_for_two_weeks(tmp_path: Path, trust: Trust) -> None:
    """Its accepted list opens without a network; the next release is then accepted."""
    publisher, folder = Publisher(), tmp_path / "kept"
    accept(publisher.publish(), folder, trust)
    opened = HashList.open(folder, trust)
    assert not opened.is_stale(NOW + 14 * DAY)
    assert opened.is_stale(NOW + 31 * DAY)
    publisher.skip(13)
    later = NOW + 14 * DAY
    assert 14 == accept(publisher.publish(now=later), folder, trust, later).info["epoch"]


def test_a_stale_release_is_not_new(tmp_path: Path, trust: Trust) -> None:
    """What is refused leaves what was there."""
    publisher, folder = Publisher(), tmp_path / "kept"
    accept(publisher.publish(), folder, trust)
    late = publisher.publish()
    with pytest.raises(TrustError) as caught:
        accept(late, folder, trust, NOW + 4 * DAY)
    assert "stale" == caught.value.kind
    assert 0 == epoch(folder, trust)


def test_no_way_back(tmp_path: Path, trust: Trust) -> None:
    """An older release is refused; the same one may come again, with fresher signatures."""
    publisher, folder = Publisher(), tmp_path / "kept"
    old, new = publisher.publish(), publisher.publish()
    accept(new, folder, trust)
    with pytest.raises(TrustError, match="older"):
        accept(old, folder, trust)
    text = new.proof.checkpoint.text
    fresh = new.also(*(each.cosign_note(text, NOW + 9 * DAY) for each in WITNESSES))
    assert 1 == accept(fresh, folder, trust, NOW + 9 * DAY).info["epoch"]
    assert 1 == epoch(folder, trust)


def test_tiers(tmp_path: Path, trust: Trust) -> None:
    """Below `witnessed` nothing loads or opens unless the tier is named."""
    alone = tmp_path / "alone.txt"
    alone.write_bytes(policy(witnesses=[], approvers=[], quorum="none"))
    with pytest.raises(TrustError, match="witnesses"):
        Trust.load(alone)
    release = Publisher(policy=alone.read_bytes()).publish()
    path = release.write(tmp_path / "l.dsl")
    opened = HashList.open(path, Trust.load(alone, tier="signed"))
    assert ("signed", "none") == (opened.trust.tier, HashList.open(path, Trust.none()).trust.tier)
    with pytest.raises(TrustError):
        HashList.open(path, trust)
    with pytest.raises(TrustError, match="tier is one of"):
        Trust.load(alone, tier="none")
    with pytest.raises(TrustError, match="cannot accept"):
        HashList.accept(path, tmp_path / "kept", Trust.none())


def test_bundled_list(tmp_path: Path, trust: Trust) -> None:
    """A list that came with the app opens by the proof beside it, at any time, and not without."""
    path = Publisher().publish().write(tmp_path / "l.dsl")
    assert "approved" == HashList.open(path, trust).trust.tier
    (tmp_path / "l.dsl.tlog-proof").unlink()
    with pytest.raises(ListError, match="tlog-proof"):
        HashList.open(path, trust)


def test_unsigned_is_never_accepted(tmp_path: Path, trust: Trust) -> None:
    """A list whose bytes were swapped in the folder, or a bent state, is an error, not a list."""
    folder = tmp_path / "kept"
    publisher = Publisher()
    accept(publisher.publish(), folder, trust)
    kept = next(folder.glob("list-*.dsl"))
    good = kept.read_bytes()
    kept.write_bytes(good[:-1] + b"x")
    with pytest.raises(TrustError, match="not the one that was signed"):
        HashList.open(folder, trust)
    kept.write_bytes(good)
    state = folder / "accepted"
    text = state.read_bytes()
    for bent in (b"", text[:-10], text.replace(b"size 1", b"size x"), b"\xff" + text):
        state.write_bytes(bent)
        with pytest.raises(ListError):
            HashList.open(folder, trust)


def test_another_list_for_the_folder(tmp_path: Path, trust: Trust) -> None:
    """One folder keeps one list: a policy with two logs does not mix them."""
    from doorsill.publish.keys import LOG  # noqa: PLC0415

    other = key("other.example/list", LOG)
    both = tmp_path / "both.txt"
    both.write_bytes(policy() + f"log {other.vkey}\n".encode())
    trust = Trust.load(both)
    accept(Publisher(policy=both.read_bytes()).publish(), tmp_path / "kept", trust)
    stranger = Publisher(policy=both.read_bytes(), log=other)
    stranger.skip(5)
    with pytest.raises(TrustError, match="keeps the list"):
        accept(stranger.publish(), tmp_path / "kept", trust)


def rotated(folder: Path, path: Path, publisher: Publisher, times: int) -> tuple[Release, bytes]:
    """Rotate several times, lay the links beside the path, and return the last release."""
    text = publisher.policy
    for version in range(2, 2 + times):
        new = [key(f"v{version}-{i}.example") for i in range(3)]
        text = policy(new)
        link = publisher.rotate(text, witnesses=new)
        (folder / f"{path.name}.policy-{version}").write_bytes(text)
        (folder / f"{path.name}.policy-{version}.tlog-proof").write_bytes(link.text)
    return publisher.publish(), text


def test_a_client_that_missed_three_policies(tmp_path: Path, trust: Trust) -> None:
    """It walks them in order, keeps them, and opens the list again from its old policy alone."""
    publisher, folder, path = Publisher(), tmp_path / "kept", tmp_path / "new.dsl"
    accept(publisher.publish(), folder, trust)
    release, last_policy = rotated(tmp_path, path, publisher, 3)
    opened = accept(release, folder, trust)
    assert (4, last_policy) == (opened.info["epoch"], opened.trust.policy)
    assert 4 == epoch(folder, trust)
    assert 5 == accept(publisher.publish(), folder, trust).info["epoch"]
    assert 5 == epoch(folder, trust)
    (tmp_path / "trust.txt").write_bytes(last_policy)  # an app that came with the newest
    assert 5 == epoch(folder, Trust.load(tmp_path / "trust.txt"))


def test_a_missing_link(tmp_path: Path, trust: Trust) -> None:
    """Without the link in the middle the release is refused and the old one stays."""
    publisher, folder, path = Publisher(), tmp_path / "kept", tmp_path / "new.dsl"
    accept(publisher.publish(), folder, trust)
    release, _ = rotated(tmp_path, path, publisher, 3)
    for end in ("", ".tlog-proof"):
        (tmp_path / f"new.dsl.policy-3{end}").unlink()
    with pytest.raises(TrustError):
        accept(release, folder, trust)
    assert 0 == epoch(folder, trust)


def test_a_link_without_the_release(tmp_path: Path, trust: Trust) -> None:
    """Links that a crash left in the folder do not get in the way of the list that is there."""
    publisher, folder, path = Publisher(), tmp_path / "kept", tmp_path / "new.dsl"
    accept(publisher.publish(), folder, trust)
    rotated(tmp_path, path, publisher, 1)
    for end in ("", ".tlog-proof"):
        (folder / f"policy-2{end}").write_bytes((tmp_path / f"new.dsl.policy-2{end}").read_bytes())
    assert 0 == epoch(folder, trust)


@pytest.mark.parametrize("end", [".dsl", ".dsl.tlog-proof"])
@pytest.mark.parametrize("damage", [b"", None])
def test_a_damaged_folder_heals(
    tmp_path: Path, trust: Trust, end: str, damage: bytes | None
) -> None:
    """Where list or proof went bad, the same release or the next puts it right, none older."""
    publisher, folder = Publisher(), tmp_path / "kept"
    old, release = publisher.publish(), publisher.publish()
    for new, number in ((release, 1), (publisher.publish(), 2)):
        accept(release, folder, trust)
        bad = next(folder.glob(f"list-*{end}"))
        bad.write_bytes(damage) if damage is not None else bad.unlink()
        with pytest.raises(ListError):
            HashList.open(folder, trust)
        with pytest.raises(TrustError, match="older"):
            accept(old, folder, trust)
        accept(new, folder, trust)
        assert number == epoch(folder, trust)


def test_an_app_with_a_newer_policy(tmp_path: Path, trust: Trust) -> None:
    """An app that comes with the newest policy goes on from a list accepted under an older one."""
    publisher, folder, path = Publisher(), tmp_path / "kept", tmp_path / "elsewhere.dsl"
    accept(publisher.publish(), folder, trust)
    release, newest = rotated(tmp_path, path, publisher, 2)
    (tmp_path / "new.txt").write_bytes(newest)
    newer = Trust.load(tmp_path / "new.txt")
    with pytest.raises(TrustError):
        HashList.open(folder, newer)
    accept(release, folder, newer)
    assert 3 == epoch(folder, newer)
