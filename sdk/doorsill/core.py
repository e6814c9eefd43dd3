"""The one module that calls the C core: make buffers, call, check the status.

`native/include/doorsill.h` says what each call means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from doorsill._native import ffi, lib
from doorsill.errors import DoorsillError, ListError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorsill.policy import Policy

PROFILES = ("full", "cpp512")
SECTION_PROFILES = (*PROFILES, "unknown")
GROUNDS = ("white", "black", "gray", "ignored")
DIGESTS = ("sha256", "sha1", "md5")
FORMATS = {"L": lib.DOORSILL_GRAY, "RGB": lib.DOORSILL_RGB, "RGBX": lib.DOORSILL_RGBX,
           "RGBA": lib.DOORSILL_RGBA, "I;16": lib.DOORSILL_GRAY16}  # fmt: skip
MAX_SIDE = int(lib.DOORSILL_MAX_SIDE)
MAX_VIEWS = int(lib.DOORSILL_MAX_VIEWS)
MARGINS = int(lib.DOORSILL_MARGINS)
MARGINS_BYTES = int(ffi.sizeof("doorsill_margins"))
_NEAREST_QUERIES = 16  # that one pass over a column answers
_new_uncleared = ffi.new_allocator(should_clear_after_alloc=False)
READ_WHOLE, READ_PARTLY, NOT_A_PICTURE = range(3)


def text(pointer: Any) -> str:
    """Return a static C string."""
    return bytes(ffi.string(pointer)).decode()


def check(status: int) -> None:
    """Raise unless the core says that it worked."""
    if status != lib.DOORSILL_OK:
        raise DoorsillError(f"the core refused a call: {text(lib.doorsill_status_text(status))}")


def version() -> str:
    """Return the version of the core."""
    return text(lib.doorsill_version())


def kernel() -> str:
    """Return the name of the kernel in use."""
    return text(lib.doorsill_kernel())


def use_kernel(name: str) -> None:
    """Change the kernel of the whole process, for tests and benchmarks."""
    check(lib.doorsill_use_kernel(name.encode()))


def distance(a: bytes, b: bytes) -> int:
    """Return in how many bits two hashes of one width differ."""
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return int(lib.doorsill_distance(a, b, len(a)))


class Pdq(NamedTuple):
    """The PDQ hashes of some pixels, in both profiles and all 8 orientations.

    `margins` is a `doorsill_margins`, b"" where nobody asked for it.
    """

    raw: bytes
    margins: bytes = b""

    def hash(self, profile: str, orientation: int = 0) -> bytes:
        """Return 32 bytes, in the order of the usual hex."""
        at = 32 * (8 * PROFILES.index(profile) + orientation)
        return self.raw[at : at + 32]

    def quality(self, profile: str) -> int:
        """Return 0..100."""
        return self.raw[512 + PROFILES.index(profile)]

    def certainty(self, profile: str, orientation: int = 0) -> list[int]:
        """Return by the first 121 bits of the second plane how far they are from turning over."""
        margins, turned = ffi.new("doorsill_margins *"), ffi.new("uint8_t[]", MARGINS)
        ffi.buffer(margins)[:] = self.margins or bytes(MARGINS_BYTES)
        check(lib.doorsill_margins_turned(margins, PROFILES.index(profile), orientation, turned))
        return [(16 + code % 16) << code // 16 if code else 0 for code in turned]


def workspace(width: int, height: int) -> int:
    """Return how many bytes hashing a picture of that size in pixels takes beside the pixels."""
    return int(lib.doorsill_pdq_workspace(width, height))


def has_alpha(data: Any, width: int, height: int) -> bool:
    """Return whether any pixel of RGBA rows without gaps is other than opaque."""
    found = ffi.new("int *")
    with ffi.from_buffer("uint8_t[]", data) as buffer:
        if len(buffer) < 4 * width * height:
            raise ValueError(f"{len(buffer)} bytes are too few for {width} x {height} pixels")
        pixels = ffi.new("doorsill_pixels *", (buffer, 4 * width, width, height, lib.DOORSILL_RGBA))
        check(lib.doorsill_has_alpha(pixels, found))
    return bool(found[0])


def _give_rows(function: Any, state: Any, data: Any, stride: int, count: int) -> None:
    with ffi.from_buffer("uint8_t[]", data) as buffer:
        if len(buffer) < stride * count:
            raise ValueError(f"{len(buffer)} bytes are too few for {count} rows of {stride}")
        check(function(state, buffer, stride, count))


class Hasher:
    """Hashes pixels that come in bands, from top to bottom."""

    def __init__(self, width: int, height: int, mode: str, ground: str = "white") -> None:
        """Begin a picture of that size in pixels; `mode` is a key of `FORMATS`."""
        size = workspace(width, height)
        self._workspace = _new_uncleared("char[]", size)
        self._state = ffi.new("doorsill_hashing **")
        check(lib.doorsill_pdq_begin(self._workspace, size, width, height, FORMATS[mode],
                                     GROUNDS.index(ground), self._state))  # fmt: skip

    def rows(self, data: Any, stride: int, count: int) -> None:
        """Take the next `count` rows, `stride` bytes apart, from a buffer."""
        _give_rows(lib.doorsill_pdq_rows, self._state[0], data, stride, count)

    def end(self, *, margins: bool = False) -> Pdq:
        """Return the hashes once all rows have come, with how certain their bits are if asked."""
        certain = b""
        if margins:
            found = ffi.new("doorsill_margins *")
            check(lib.doorsill_pdq_margins(self._state[0], found))
            certain = bytes(ffi.buffer(found))
        pdq = ffi.new("doorsill_pdq *")
        check(lib.doorsill_pdq_end(self._state[0], pdq))
        return Pdq(bytes(ffi.buffer(pdq)), certain)


class Resizer:
    """Squashes pixels that come in bands to a small square, for a neural hasher."""

    def __init__(
        self, width: int, height: int, mode: str, side: int, ground: str = "white"
    ) -> None:
        """Begin a picture of that size in pixels; `mode` is a key of `FORMATS`."""
        size = int(lib.doorsill_resize_workspace(width, height, side))
        self.side, self.aspect = side, width / height
        self._workspace = _new_uncleared("char[]", size)
        self._state = ffi.new("doorsill_resizing **")
        check(lib.doorsill_resize_begin(self._workspace, size, width, height, FORMATS[mode],
                                        GROUNDS.index(ground), side, self._state))  # fmt: skip

    def rows(self, data: Any, stride: int, count: int) -> None:
        """Take the next `count` rows, `stride` bytes apart, from a buffer."""
        _give_rows(lib.doorsill_resize_rows, self._state[0], data, stride, count)

    def end(self) -> bytes:
        """Return 3 * side * side bytes of RGB once all rows have come."""
        rgb = ffi.new("uint8_t[]", 3 * self.side * self.side)
        check(lib.doorsill_resize_end(self._state[0], rgb))
        return bytes(ffi.buffer(rgb))


def pdq_planes(hashes: bytes) -> tuple[bytes, bytes]:
    """Split PDQ hashes, 32 bytes each, into the two planes that a list stores."""
    count = len(hashes) // 32
    planes = [bytearray(16 * count) for _ in range(2)]
    with (
        ffi.from_buffer("uint8_t[]", planes[0], require_writable=True) as first,
        ffi.from_buffer("uint8_t[]", planes[1], require_writable=True) as second,
    ):
        lib.doorsill_pdq_planes(hashes, count, first, second)
    return bytes(planes[0]), bytes(planes[1])


class HasherInfo(NamedTuple):
    """One hasher of a list; `model` is the digest of a neural one's file in hex, "" for PDQ."""

    name: str
    width: int
    rows: int
    limit: int
    quality: int
    profile: str
    model: str = ""


class Entry(NamedTuple):
    """One entry of a list."""

    id: str
    category: int
    flags: int
    publishers: tuple[int, ...]


_REMEDIES = {
    lib.DOORSILL_NOT_A_LIST: "name a file made by `doorsill list build`",
    lib.DOORSILL_NEWER_FORMAT: "it is sealed (open it with SealedList), or written for a newer "
    "doorsill: update yours",
    lib.DOORSILL_DAMAGED_LIST: "the list is damaged, fetch it again",
}


class ListHandle:
    """An open list of the core, and the bytes that it stands on."""

    def __init__(self, data: Any) -> None:
        """Open the list in these bytes; `ListError` says what is wrong with them."""
        self._data = ffi.from_buffer("uint8_t[]", data)
        handle, detail = ffi.new("doorsill_list **"), ffi.new("char **")
        status = lib.doorsill_list_open(self._data, len(data), handle, detail)
        if status != lib.DOORSILL_OK:
            why = text(detail[0]) if detail[0] else "no reason is known"
            raise ListError(f"{why}; {_REMEDIES.get(status, 'free some memory')}")
        self.pointer = ffi.gc(handle[0], lib.doorsill_list_close, len(data))

    def describe(self) -> dict[str, Any]:
        """Return the fields of `doorsill_list_info`."""
        info = ffi.new("doorsill_list_info *")
        lib.doorsill_list_describe(self.pointer, info)
        fields = {name: int(getattr(info, name)) for name in
                  ("epoch", "size", "flags", "entries", "test_entries", "withdrawn", "categories",
                   "publishers", "hashers")}  # fmt: skip
        return fields | {"digests": {name: int(info.digests[i]) for i, name in enumerate(DIGESTS)}}

    def hasher(self, index: int) -> HasherInfo:
        """Return one hasher, 0-based."""
        info = ffi.new("doorsill_hasher_info *")
        check(lib.doorsill_list_hasher(self.pointer, index, info))
        name = text(info.name)
        model = "" if name == "pdq" else bytes(info.model).hex()
        return HasherInfo(name, int(info.width), int(info.rows), int(info.limit),
                          int(info.quality), SECTION_PROFILES[info.profile], model)  # fmt: skip

    def entry(self, index: int) -> Entry:
        """Return one entry, 0-based."""
        entry = ffi.new("doorsill_entry *")
        check(lib.doorsill_list_entry(self.pointer, index, entry))
        publishers = tuple(p for p in range(64) if entry.publishers >> p & 1)
        return Entry(bytes(entry.id).hex(), int(entry.category), int(entry.flags), publishers)

    def words(self, kind: int, key: int, language: str) -> str:
        """Return a text of the list, "" if it has none."""
        length = ffi.new("size_t *")
        pointer = lib.doorsill_list_text(self.pointer, kind, key, language.encode(), length)
        return bytes(ffi.buffer(pointer, length[0])).decode() if pointer else ""

    def search(self, index: int, queries: bytes, radius: int, capacity: int = 64) -> list[Any]:
        """Return (distance, row, entry) of the nearest rows within the radius, nearest first.

        At most 16 queries stand one behind another and are answered in one pass.
        """
        hits, found = ffi.new("doorsill_hit[]", capacity), ffi.new("size_t *")
        count = len(queries) * 8 // self.hasher(index).width
        check(
            lib.doorsill_search(self.pointer, index, queries, count, radius, hits, capacity, found)
        )
        kept = range(min(int(found[0]), capacity))
        return [(int(hits[i].distance), int(hits[i].row), int(hits[i].entry)) for i in kept]


def nearest(plane: Any, queries: bytes, radius: int) -> tuple[int, int, int] | None:
    """Return (distance, row, query) of the row nearest to any query, None if none is within.

    Args:
        plane: Rows of 16 bytes, in any buffer.
        queries: Of 16 bytes each, any number; of equals the first row and query are taken.
        radius: Bits, at most 32.
    """
    hit, found = ffi.new("doorsill_hit *"), ffi.new("int *")
    best: tuple[int, int, int] | None = None
    with ffi.from_buffer("uint8_t[]", plane) as rows:
        for first in range(0, len(queries), _NEAREST_QUERIES * 16):
            some = queries[first : first + _NEAREST_QUERIES * 16]
            check(lib.doorsill_nearest(rows, len(rows) // 16, some, len(some) // 16, radius,
                                       hit, found))  # fmt: skip
            if found[0]:
                now = int(hit.distance), int(hit.row), int(hit.query) + first // 16
                best = now if best is None else min(best, now)
    return best


class DeltaInfo(NamedTuple):
    """What a delta says of itself; sizes in bytes."""

    base_size: int
    result_size: int
    base_sha256: bytes
    result_sha256: bytes


def _delta_error(detail: Any) -> ListError:
    why = text(detail[0]) if detail[0] else "no reason is known"
    return ListError(f"{why}; fetch it again, or the whole list")


def delta_describe(delta: bytes) -> DeltaInfo:
    """Return what a delta says of itself; `ListError` if it is none."""
    info, detail = ffi.new("doorsill_delta_info *"), ffi.new("char **")
    if lib.doorsill_delta_describe(delta, len(delta), info, detail) != lib.DOORSILL_OK:
        raise _delta_error(detail)
    return DeltaInfo(int(info.base_size), int(info.result_size), bytes(info.base_sha256),
                     bytes(info.result_sha256))  # fmt: skip


def delta_apply(base: Any, delta: bytes, size: int) -> bytearray:
    """Return the so many bytes that a delta makes; whether they are right, their digest tells."""
    made, detail = bytearray(size), ffi.new("char **")
    with (
        ffi.from_buffer("uint8_t[]", base) as old,
        ffi.from_buffer("uint8_t[]", made, require_writable=True) as new,
    ):
        status = lib.doorsill_delta_apply(old, len(old), delta, len(delta), new, size, detail)
    if status != lib.DOORSILL_OK:
        raise _delta_error(detail)
    return made


@dataclass(frozen=True)
class CoreView:
    """One view for `screen`: its PDQ, and neural codes as (model digest, code) pairs."""

    pdq: Pdq
    codes: tuple[tuple[bytes, bytes], ...] = ()


def _views(views: Sequence[CoreView], keep: list[Any]) -> Any:
    array = ffi.new("doorsill_view[]", len(views))
    for slot, view in zip(array, views, strict=True):
        pdq = ffi.new("doorsill_pdq *")
        ffi.buffer(pdq)[:] = view.pdq.raw
        codes = ffi.new("doorsill_code[]", len(view.codes))
        for code, (model, value) in zip(codes, view.codes, strict=True):
            code.model[0 : len(model)] = model
            code.bytes[0 : len(value)] = value
            code.width = 8 * len(value)
        keep += [pdq, codes]
        slot.pdq, slot.codes, slot.code_count = pdq, codes, len(view.codes)
    return array


def _policy(policy: Policy, keep: list[Any]) -> Any:
    from doorsill.verdict import ACTIONS  # noqa: PLC0415 - policy.py loads it anyway

    raw = ffi.new("doorsill_policy *")
    raw.on_evidence = [ACTIONS.index(action) for action in policy.on_evidence()]
    raw.on_outcome = [ACTIONS.index(action) for action in policy.on_outcome()]
    raw.pdq_limit = policy.pdq_limit
    ids = ffi.new("uint8_t[]", b"".join(bytes.fromhex(i) for i in sorted(policy.quenched)))
    keep.append(ids)
    raw.quenched, raw.quenched_count = ids, len(policy.quenched)
    return raw


def screen(
    lists: Sequence[ListHandle],
    views: Sequence[CoreView],
    digests: Sequence[tuple[bytes, bytes, bytes]],
    reading: int,
    policy: Policy,
) -> Any:
    """Return the core's `doorsill_verdict` about hashed views and (sha256, sha1, md5) triples."""
    keep: list[Any] = []
    handles = ffi.new("doorsill_list *[]", [handle.pointer for handle in lists])
    files = ffi.new("doorsill_digests[]", len(digests))
    for slot, triple in zip(files, digests, strict=True):
        slot.sha256, slot.sha1, slot.md5 = map(list, triple)
    verdict = ffi.new("doorsill_verdict *")
    array = _views(views, keep)
    check(lib.doorsill_screen(handles, len(lists), array, len(views), files, len(digests),
                              reading, _policy(policy, keep), ffi.NULL, 0, verdict))  # fmt: skip
    return verdict


def rule(verdict: Any) -> str:
    """Return the rule that decided, in a sentence."""
    return text(lib.doorsill_verdict_reason(verdict))
