"""SEALED.md's bytes: rows, files, messages and tokens, against a twin and against nonsense."""

from __future__ import annotations

import json
import os
import random
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import naive_voprf as naive
import sealing
from doorsill import HashList, ListError, Trust, hash_image
from doorsill.core import pdq_planes
from doorsill.errors import RowsError
from doorsill.publish import sealing as work
from doorsill.publish.build import ListWords, build_list
from doorsill.publish.seal import seal_list
from doorsill.publish.sources import Source
from doorsill.reading import HashedView, Reading
from doorsill.sealed import lists, protocol
from doorsill.sealed.question import SealedQuestion, readings
from sealing import EPOCH, SEED, Sealing, opened, picture, sealed_file
from test_margins import hashed

if TYPE_CHECKING:
    from doorsill.sealed import SealedList

EXAMPLES = int(os.environ.get("DOORSILL_EXAMPLES", "100"))
VECTORS = json.loads((Path(__file__).parent / "data/vectors/sealed.json").read_text())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seal a list once."""
    return sealed_file(tmp_path_factory.mktemp("sealed"))


def rows_of(data: bytes) -> list[bytes]:
    """Return clear plane, slots and record of each row."""
    found = {each.kind: data[each.offset : each.offset + each.length]
             for each in lists.sections(data)}  # fmt: skip
    count = len(found[lists.KIND_CLEAR]) // 16
    sizes = ((lists.KIND_CLEAR, 16), (lists.KIND_SLOTS, 80), (lists.KIND_RECORDS, 32))
    return [b"".join(found[k][s * row : s * row + s] for k, s in sizes) for row in range(count)]


def test_rows_are_the_twins(path: Path) -> None:
    """Every row of a sealed list is the one that the twin makes of hash, class and id."""
    raw = HashList(sealing.raw_list(), Trust.none())
    expected = []
    for seed in range(6):
        data = (
            sealing.test_card() if not seed
            else sealing.drawn.saved(sealing.drawn.scene(seed=seed), "PNG")
        )  # fmt: skip
        entry = bytes.fromhex(raw.entry(seed).id)
        expected.append(sealing.twin_row(hash_image(data).bytes, int(seed > 0), entry))
    assert rows_of(path.read_bytes()) == sorted(expected, key=lambda row: row[:16] + row[-8:])


def test_committed_vectors() -> None:
    """Sealer and server give the committed bytes, which others can rely on."""
    seed, epoch = bytes.fromhex(VECTORS["seed"]), VECTORS["sealing_epoch"]
    row = VECTORS["row"]
    plain = bytes.fromhex(row["f"] + row["record"])
    assert work.Sealer(seed, epoch).row(plain).hex() == row["sealed"]
    server = Sealing(seed, [epoch])
    assert server.public_key(epoch).hex() == VECTORS["public_key"]
    question = bytes.fromhex(VECTORS["question"])
    status, answer = server.answer(question)
    elements, proof = protocol.unpack_answer(answer, epoch)
    assert (status, VECTORS["answer"]["elements"]) == (200, elements.hex())
    parts = [[data[at : at + 32] for at in range(0, 1024, 32)]
             for data in (protocol.unpack_question(question).elements, elements)]  # fmt: skip
    key = bytes.fromhex(VECTORS["public_key"])
    assert naive.verify(key, *parts, proof)
    assert naive.verify(key, *parts, bytes.fromhex(VECTORS["answer"]["proof"]))


def test_readings_are_the_likeliest() -> None:
    """Of all flips of a slot's bits the four with the least sum of margins are asked for."""
    rng = random.Random(1)  # noqa: S311 - drawn numbers
    for _ in range(50):
        second, margins = rng.randbytes(16), [rng.randrange(1, 5000) for _ in range(121)]
        for slot in range(8):
            places = protocol.window(slot)
            bits = int.from_bytes(sealing.window_bytes(second, slot), "big") >> 4
            weighed = sorted(
                (sum(margins[places[i]] for i in range(20) if flips >> (19 - i) & 1), flips)
                for flips in _few_flips()
            )
            asked = readings(second, margins, slot)
            assert asked[0] == bits
            assert [w for w, _ in weighed[:4]] == [
                sum(margins[places[i]] for i in range(20) if (each ^ bits) >> (19 - i) & 1)
                for each in asked
            ]


def _few_flips() -> list[int]:
    ones = [1 << i for i in range(20)]
    return [0, *ones, *(a | b for i, a in enumerate(ones) for b in ones[:i])]


def test_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped sealing keeps whole portions, does not believe broken ones, and ends the same."""
    monkeypatch.setattr(work, "_PORTION", 2)
    raw, made = tmp_path / "raw.dsl", tmp_path / "s.dsl"
    raw.write_bytes(sealing.raw_list())

    class StoppedError(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done >= 4:
            raise StoppedError

    seen: list[int] = []
    kept = made.with_name("s.dsl.sealing")
    for damage in (None, b"x", b""):
        with pytest.raises(StoppedError):
            seal_list(raw, made, SEED, jobs=1, progress=stop)
        assert not made.exists()
        if damage is not None:
            kept.write_bytes(kept.read_bytes()[:-5] + damage)
        seen.clear()
        seal_list(raw, made, SEED, jobs=1, progress=lambda done, _: seen.append(done))
        assert seen == ([6] if damage is None else [4, 6])
        assert not kept.exists()
        made.rename(tmp_path / f"{damage!r}")
    both = seal_list(raw, made, SEED, jobs=2)
    assert (both.rows, both.entries) == (6, 5)
    assert 1 == len({path.read_bytes() for path in tmp_path.iterdir() if path != raw})
    with pytest.raises(StoppedError):
        seal_list(raw, made, SEED, jobs=1, sealing_epoch=1, progress=stop)
    other = made.with_name("s.dsl.sealing").read_bytes()
    seal_list(raw, made, SEED, jobs=1, sealing_epoch=2)  # another epoch begins anew
    assert rows_of(made.read_bytes())[0] not in other


def test_near_duplicates_do_not_show() -> None:
    """Rows that share f and all but one bit share no byte of slots by more than chance."""
    f, r = bytes(16), (1 << 127 | 12345).to_bytes(16, "big")
    sealer = work.Sealer(SEED, 0)
    a, b = (sealer.row(f + protocol.RECORD.pack(each, 0, bytes(6)))
            for each in (r, (int.from_bytes(r, "big") ^ 1).to_bytes(16, "big")))  # fmt: skip
    pads = [protocol.xor(a[16 + 10 * s : 26 + 10 * s], b[16 + 10 * s : 26 + 10 * s])
            for s in range(8)]  # fmt: skip
    assert len(set(pads)) == 8  # else the xor of the keys would show in each


def test_only_pdq_is_sealed(tmp_path: Path) -> None:
    """A list without a PDQ row or a test card is refused, in words."""
    from doorsill.publish.write import Contents, list_bytes  # noqa: PLC0415 - likewise
    from lists import hash_list  # noqa: PLC0415 - one test's

    raw = tmp_path / "raw.dsl"
    raw.write_bytes(list_bytes(Contents()))
    with pytest.raises(RowsError, match="no PDQ hash"):
        seal_list(raw, tmp_path / "s.dsl", SEED)
    assert hash_list(pdq={0: bytes(32)})
    contents = Contents(classes=[(0, 0, 1)])
    contents.hashers = [sealing.HasherRows("pdq", "full", hashes=bytearray(32))]
    contents.hashers[0].entries.append(contents.add_entry((0, 0, 1), bytes(6)))
    raw.write_bytes(list_bytes(contents))
    with pytest.raises(RowsError, match="no test card"):
        seal_list(raw, tmp_path / "s.dsl", SEED)


def test_what_would_match_nothing_is_not_sealed(tmp_path: Path) -> None:
    """A sealed list, and one of digests whose only PDQ row is the card's, are refused by name."""
    sealed, source, made = sealed_file(tmp_path), tmp_path / "md5.csv", tmp_path / "s.dsl"
    with pytest.raises(RowsError, match=r"sealed\.dsl: sealed already; name the raw list"):
        seal_list(sealed, made, SEED, jobs=1)
    source.write_text(f"md5\n{'0123456789abcdef' * 2}\n")
    (tmp_path / "map.toml").write_text('md5 = "md5"\n')
    digests = Source(source, map="map.toml")
    build_list([digests], tmp_path / "md5.dsl", ListWords("l", "P", "C"))
    with pytest.raises(RowsError, match=r"md5\.dsl: no entry has a PDQ hash"):
        seal_list(tmp_path / "md5.dsl", made, SEED, jobs=1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("s.dsl")]


def test_bent_files(path: Path) -> None:
    """A sealed list that is cut, bent or contradicts itself is refused or harmless."""
    good = path.read_bytes()
    rng = random.Random(2)  # noqa: S311 - drawn numbers
    with pytest.raises(ListError, match="unknown kind"):
        HashList(good, Trust.none())
    with pytest.raises(ListError, match="not sealed"):
        lists.SealedList(sealing.raw_list(), Trust.none())
    shown = Reading([HashedView("", hashed(sealing.drawn.scene()))])
    for _ in range(EXAMPLES):
        bent = bytearray(good[: rng.choice((len(good), rng.randrange(len(good))))])
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(min(len(bent), 640) if rng.random() < 0.7 else len(bent) or 1)
            if at < len(bent):
                bent[at] ^= 1 << rng.randrange(8)
        if rng.random() < 0.5 and len(bent) > 640:
            _mend(bent)
        try:
            found = lists.SealedList(bytes(bent), Trust.none())
        except ListError:
            continue
        question = SealedQuestion(shown, found, bytes(162))
        assert len(question.message) == protocol.QUESTION_BYTES


def _mend(data: bytearray) -> None:
    """Set length and checksum right, so that what was bent gets past them."""
    import zlib  # noqa: PLC0415 - this helper's

    data[16:24] = struct.pack("<Q", len(data))
    table = data[64 : 64 + 24 * struct.unpack_from("<I", data, 12)[0]]
    data[60:64] = struct.pack("<I", zlib.crc32(table, zlib.crc32(data[:60])))


def _nonsense(rng: random.Random, good: bytes) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(1300))
    bent = bytearray(good)
    for _ in range(rng.choice((1, 1, 3, 40))):
        bent[rng.randrange(len(bent))] = rng.randrange(256)
    if kind == 1:
        return bytes(bent)
    at = rng.randrange(len(bent))
    return bytes(bent[:at]) if kind == 2 else bytes(bent[:at] + rng.randbytes(20) + bent[at:])


def test_nonsense_at_the_server(path: Path) -> None:
    """Random and mutated questions get a refusal or an answer of the one length, never a crash."""
    server, rng = Sealing(SEED, [EPOCH]), random.Random(3)  # noqa: S311 - drawn numbers
    good = SealedQuestion(Reading(), opened(path), bytes(162)).message
    statuses = set()
    for _ in range(10 * EXAMPLES):
        status, body = server.answer(_nonsense(rng, good))
        statuses.add(status)
        assert len(body) == (protocol.ANSWER_BYTES if status == 200 else 10)
    assert statuses >= {400, 409}


def test_nonsense_at_the_client(path: Path) -> None:
    """Random and mutated answers are refused, never a crash, and never open anything."""
    sealed: SealedList = opened(path)
    server, rng = Sealing(SEED, [EPOCH]), random.Random(4)  # noqa: S311 - drawn numbers
    view = HashedView("", hashed(sealing.drawn.scene(seed=sealing.LISTED)))
    question = SealedQuestion(Reading([view]), sealed, bytes(162))
    good = server.answer(question.message)[1]
    assert question.understand(good)
    for _ in range(10 * EXAMPLES):
        bad = _nonsense(rng, good)
        if bad != good:
            with pytest.raises((protocol.Refusal, ValueError)):
                question.understand(bad)


def test_hostile_record(path: Path) -> None:
    """A record with a class that the list does not have opens nothing."""
    sealed = opened(path)
    record = protocol.RECORD.pack(bytes(16), 999, bytes(6))
    assert sealed.opened(bytes(16), record) is None
    assert sealed.opened(bytes(16), protocol.RECORD.pack(bytes(16), 1, bytes(6))) is not None


def test_clear_plane_is_plane_0() -> None:
    """What stays in clear is the plane that FORMAT.md calls 0."""
    first, second = pdq_planes(hash_image(picture()).bytes)
    assert protocol.oprf_input(0, first, 0, protocol.reading(int.from_bytes(second, "big"), 0)) == (
        sealing.twin_input(first, 0, sealing.window_bytes(second, 0), 0))  # fmt: skip
