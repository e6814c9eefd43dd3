"""The list file: a reader written from FORMAT.md alone agrees with the core."""

from __future__ import annotations

import struct
import zlib
from array import array
from pathlib import Path
from typing import Any

import pytest

from doorsill import HashList, ListError, Trust, core
from doorsill.lists import Text
from doorsill.publish.write import Contents, HasherRows, list_bytes

VECTOR = Path(__file__).parent / "data/vectors/list.dsl"
DATA = VECTOR.read_bytes()


def naive_sections(data: bytes) -> dict[tuple[int, int, int], bytes]:
    """Return the sections by (kind, a, b), as FORMAT.md tells it."""
    count = struct.unpack_from("<I", data, 12)[0]
    rows = [struct.unpack_from("<HHHHQQ", data, 64 + 24 * i) for i in range(count)]
    return {(kind, a, b): data[at : at + size] for kind, _, a, b, at, size in rows}


def naive_planes(value: bytes) -> tuple[bytes, bytes]:
    """Return plane 0 and 1 of a PDQ hash, by sorting the coefficients as FORMAT.md says."""
    order = sorted(range(256), key=lambda i: max(divmod(i, 16)))  # stable: ties in index order
    bits = "".join(str(value[(255 - i) // 8] >> (7 - (255 - i) % 8) & 1) for i in order)
    return tuple(int(half, 2).to_bytes(16, "big") for half in (bits[128:], bits[:128]))  # type: ignore[return-value]


def resealed(data: bytes, at: int, value: bytes) -> bytes:
    """Return the list with a field changed and the checksum mended."""
    bent = bytearray(data)
    bent[at : at + len(value)] = value
    table = bent[64 : 64 + 24 * struct.unpack_from("<I", bent, 12)[0]]
    bent[60:64] = struct.pack("<I", zlib.crc32(table, zlib.crc32(bent[:60])))
    return bytes(bent)


def opened(data: bytes) -> HashList:
    """Return the list in these bytes."""
    return HashList(data, Trust.none())


def test_planes() -> None:
    """Planes are as FORMAT.md says, its three vectors included."""
    one = 1 << 255
    for value in (one, 1, int.from_bytes(bytes(range(32)), "big"), 3**160):
        raw = value.to_bytes(32, "big")
        assert naive_planes(raw) == core.pdq_planes(raw)
    plane0, plane1 = (plane.hex() for plane in core.pdq_planes(bytes(range(32))))
    page = (Path(__file__).parent.parent / "native/FORMAT.md").read_text()
    assert f"plane 0  {plane0}" in page
    assert f"plane 1  {plane1}" in page


def test_vector_list() -> None:
    """The committed list reads as it was made."""
    vector, sections = opened(DATA), naive_sections(DATA)
    assert [("pdq", 70, "full"), ("pdq", 40, "unknown"), ("example-model", 35, "full")] == [
        (h.name, h.rows, h.profile) for h in vector.hashers
    ]
    counted = ("epoch", "withdrawn", "categories", "publishers")
    assert (69, 7, 1, 2, 2) == (len(vector), *(vector.info[name] for name in counted))
    assert {"sha256": 5, "sha1": 5, "md5": 5} == vector.info["digests"]
    ids = sections[5, 0, 0]
    assert [ids[6 * i :][:6].hex() for i in range(70)] == [vector.entry(i).id for i in range(70)]
    assert ("vector list", "Prüfliste", "vector list") == tuple(
        vector.text(Text.LIST, 0, language) for language in ("en", "de", "fr")
    )


def test_vector_list_is_current() -> None:
    """The committed list is what its script makes today."""
    import runpy  # noqa: PLC0415 - used once

    made = runpy.run_path(str(VECTOR.with_name("make_list.py")))["contents"]()
    assert DATA == list_bytes(made)


def test_search_against_brute_force() -> None:
    """Every row within the radius is found, nearest first, in every hasher of the vector list."""
    vector, sections = opened(DATA), naive_sections(DATA)
    for index, hasher in enumerate(vector.hashers):
        planes = [sections[2, index, p] for p in range(hasher.width // 128)]
        rows = [b"".join(p[16 * r : 16 * r + 16] for p in planes) for r in range(hasher.rows)]
        query = bytes(range(hasher.width // 8))
        ordered = b"".join(naive_planes(query)) if hasher.name == "pdq" else query
        radius = hasher.width // 4
        near = sorted((core.distance(ordered, row), r) for r, row in enumerate(rows))
        expected = [pair for pair in near if pair[0] <= radius]
        found = vector.handle.search(index, query, radius)
        assert expected == [(distance, row) for distance, row, _ in found]
        hits = vector.handle.search(index, query, 0)
        assert [] == hits


HEADER_FIELDS: list[tuple[int, bytes, str]] = [
    (0, b"X", "does not begin with the mark"),
    (8, b"\2", "format version"),
    (12, b"\xff\xff", "section table"),
    (16, b"\0", "shorter or longer"),
    (32, b"\xff", "column of the entries"),
    (36, b"\x80", "fields that this reader lacks"),
    (40, b"\1", "fields that this reader lacks"),
]


@pytest.mark.parametrize(("at", "value", "words"), HEADER_FIELDS)
def test_header_fields(at: int, value: bytes, words: str) -> None:
    """Each header field that is wrong is refused with its own reason, the checksum being right."""
    bent = bytearray(DATA)
    bent[at : at + len(value)] = value
    data = bytes(bent) if at in (0, 8, 12, 16) else resealed(DATA, at, value)
    with pytest.raises(ListError, match=words):
        opened(data)


def test_unsealed_changes() -> None:
    """Any bit that flips in header or section table is seen."""
    count = struct.unpack_from("<I", DATA, 12)[0]
    for at in range(64 + 24 * count):
        with pytest.raises(ListError):
            opened(DATA[:at] + bytes([DATA[at] ^ 4]) + DATA[at + 1 :])


def test_cut_anywhere() -> None:
    """A list cut at any byte is refused."""
    for cut in range(0, len(DATA), 7):
        with pytest.raises(ListError):
            opened(DATA[:cut])


def test_unknown_sections() -> None:
    """An unknown optional section is skipped, an unknown required one refused."""
    table = 64
    kind, flags, *rest = struct.unpack_from(
        "<HHHHQQ", DATA, table + 24 * (len(naive_sections(DATA)) - 1)
    )
    at = table + 24 * (len(naive_sections(DATA)) - 1)
    assert (11, 1) == (kind, flags)
    optional = resealed(DATA, at, struct.pack("<HHHHQQ", 999, 0, *rest))
    assert 0 == opened(optional).info["withdrawn"]
    with pytest.raises(ListError, match="unknown kind"):
        opened(resealed(DATA, at, struct.pack("<HHHHQQ", 999, 1, *rest)))


def contents(**changes: Any) -> Contents:
    """Return a list of one entry, with fields of its PDQ rows changed."""
    made = Contents()
    made.add_entry((0, 0, 1), b"abcdef")
    rows = HasherRows("pdq", "full", hashes=bytearray(32), entries=array("I", [0]))
    for name, value in changes.items():
        setattr(rows, name, value)
    made.hashers = [rows]
    return made


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 24}, "name"),
        ({"limit": 65}, "quarter"),
        ({"quality": 101}, "quality"),
        ({"entries": array("I", [1])}, "out of order or range"),
        ({"width": 128}, "256 bits"),
        ({"hashes": bytearray(64)}, "plane's length"),
    ],
)
def test_hasher_fields(changes: dict[str, Any], words: str) -> None:
    """A hasher's record that contradicts the format or its columns is refused."""
    with pytest.raises(ListError, match=words):
        opened(list_bytes(contents(**changes)))


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\x7fb",
        "a\u202eb",
        "a\u2028b",
        "a\u200fb",
        "x" * 501,
        b"\xff\xfe",
        b"\xc0\x80",
        b"\xed\xa0\x80",
    ],
)
def test_bad_texts(text: str | bytes) -> None:
    """Controls, bidi marks, long texts and broken UTF-8 are refused."""
    made = contents()
    raw = text.encode() if isinstance(text, str) else text
    made.texts = [(Text.LIST, 0, "en", "#" * len(raw))]
    with pytest.raises(ListError, match="a text is too long"):
        opened(list_bytes(made).replace(b"#" * len(raw), raw))


def test_good_texts() -> None:
    """500 characters of any script are fine."""
    made = contents()
    made.texts = [(Text.LIST, 0, "en", "漢🙂é" * 166 + "ab")]
    assert 500 == len(opened(list_bytes(made)).name)


@pytest.mark.parametrize("link", ["http://example.org", "https://", "javascript:1"])
def test_links(link: str) -> None:
    """A link that is not https is refused."""
    made = contents()
    made.texts = [(Text.HELP, 0, "en", link)]
    with pytest.raises(ListError, match="https"):
        opened(list_bytes(made))


def test_empty_list() -> None:
    """A list of no entries, no hashers and no texts opens."""
    assert 0 == len(opened(list_bytes(Contents())))


def test_errors_name_the_file(tmp_path: Path) -> None:
    """An error says which file and what to do."""
    bad = tmp_path / "bad.dsl"
    bad.write_bytes(DATA[:1000])
    with pytest.raises(ListError, match=r"bad\.dsl.*fetch it again"):
        HashList.open(bad, Trust.none())
    with pytest.raises(ListError, match=r"none\.dsl.*doorsill list build"):
        HashList.open(tmp_path / "none.dsl", Trust.none())
