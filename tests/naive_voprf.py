"""The naive twin of the oblivious function: RFC 9497 over RFC 9496, said plainly with integers.

Mode VOPRF, suite ristretto255-SHA512. Slow and not in constant time: for tests alone.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"


def sqrt_ratio(u: int, v: int) -> tuple[bool, int]:
    """Return whether u/v is a square, and the root of u/v or of SQRT_M1 * u/v that is not odd."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    if check in {-u % P, -u * SQRT_M1 % P}:
        r = r * SQRT_M1 % P
    return check in {u % P, -u % P}, positive(r)


def positive(x: int) -> int:
    """Return x or -x, whichever is even."""
    x %= P
    return P - x if x & 1 else x


INVSQRT_A_MINUS_D = sqrt_ratio(1, -1 - D)[1]
# RFC 9496 fixes the odd one of the two roots.
SQRT_AD_MINUS_ONE = P - sqrt_ratio(-D - 1, 1)[1]


class Point(NamedTuple):
    """A point of edwards25519 in extended coordinates."""

    x: int
    y: int
    z: int
    t: int

    def __add__(self, other: Point) -> Point:  # type: ignore[override]
        """Add, by the formulas for a = -1."""
        a = (self.y - self.x) * (other.y - other.x)
        b = (self.y + self.x) * (other.y + other.x)
        c, d = 2 * self.t * D * other.t, 2 * self.z * other.z
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def times(self, scalar: int) -> Point:
        """Multiply, by doubling and adding."""
        made, power = IDENTITY, self
        while scalar:
            if scalar & 1:
                made = made + power
            power = power + power
            scalar >>= 1
        return made

    def encode(self) -> bytes:
        """Return the 32 bytes of the ristretto element."""
        x, y, z, t = self
        u1, u2 = (z + y) * (z - y) % P, x * y % P
        _, inverse = sqrt_ratio(1, u1 * u2 * u2)
        den1, den2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = den1 * den2 * t % P
        if t * z_inverse % P & 1:
            x, y, den = y * SQRT_M1 % P, x * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
        else:
            den = den2
        if x * z_inverse % P & 1:
            y = -y
        return positive(den * (z - y)).to_bytes(32, "little")


IDENTITY = Point(0, 1, 1, 0)


def decode(data: bytes) -> Point:
    """Return an element; `ValueError` if it is none."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or s & 1:
        raise ValueError("not the canonical encoding of an element")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-(D * u1 * u1) - u2 * u2) % P
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    den_x = inverse * u2 % P
    x = positive(2 * s * den_x)
    y = u1 * inverse * den_x * v % P
    if not square or x * y % P & 1 or y == 0:
        raise ValueError("not an element")
    return Point(x, y, 1, x * y % P)


def _elligator(t: int) -> Point:
    r = SQRT_M1 * t * t % P
    u = (r + 1) * (1 - D * D) % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio(u, v)
    c = -1
    if not square:
        s, c = -positive(s * t) % P, r
    n = (c * (r - 1) * (D - 1) * (D - 1) - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def _expand(message: bytes, dst: bytes) -> bytes:
    """RFC 9380's expand_message_xmd with SHA-512, 64 bytes."""
    suffix = dst + bytes((len(dst),))
    first = hashlib.sha512(bytes(128) + message + b"\x00\x40\x00" + suffix).digest()
    return hashlib.sha512(first + b"\x01" + suffix).digest()


def hash_to_group(message: bytes) -> Point:
    """RFC 9497, section 4.1."""
    uniform = _expand(message, b"HashToGroup-" + CONTEXT)
    halves = (int.from_bytes(uniform[at : at + 32], "little") % 2**255 for at in (0, 32))
    first, second = (_elligator(half % P) for half in halves)
    return first + second


def hash_to_scalar(message: bytes, dst: bytes = b"HashToScalar-" + CONTEXT) -> int:
    """RFC 9497, section 4.1."""
    return int.from_bytes(_expand(message, dst), "little") % ORDER


def _sized(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


BASE = Point(
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
    1,
    15112221349535400772501151409588531511454012693041857206046113283949847762202
    * 46316835694926478169428394003475163141307993866256225615783033603165251855960
    % P,
)


def derive_key(seed: bytes, info: bytes) -> int:
    """RFC 9497, section 3.2.1."""
    for counter in range(256):
        told = seed + _sized(info) + bytes((counter,))
        if key := hash_to_scalar(told, b"DeriveKeyPair" + CONTEXT):
            return key
    raise ValueError("no key")


def _composites(key: bytes, pairs: list[tuple[bytes, bytes]]) -> tuple[Point, Point]:
    seed = hashlib.sha512(_sized(key, b"Seed-" + CONTEXT)).digest()
    m = z = IDENTITY
    for number, (c, d) in enumerate(pairs):
        told = _sized(seed) + number.to_bytes(2, "big") + _sized(c, d) + b"Composite"
        weight = hash_to_scalar(told)
        m, z = m + decode(c).times(weight), z + decode(d).times(weight)
    return m, z


def _challenge(key: bytes, *points: Point) -> int:
    return hash_to_scalar(_sized(key, *(point.encode() for point in points)) + b"Challenge")


def blind(value: bytes, scalar: int) -> bytes:
    """Return a blinded element."""
    return hash_to_group(value).times(scalar).encode()


def evaluate(secret: int, blinded: list[bytes], random: int) -> tuple[list[bytes], bytes]:
    """Return evaluated elements and the proof made with that random scalar."""
    key = BASE.times(secret).encode()
    made = [decode(each).times(secret).encode() for each in blinded]
    m, z = _composites(key, list(zip(blinded, made, strict=True)))
    c = _challenge(key, m, z, BASE.times(random), m.times(random))
    s = (random - c * secret) % ORDER
    return made, c.to_bytes(32, "little") + s.to_bytes(32, "little")


def verify(key: bytes, blinded: list[bytes], evaluated: list[bytes], proof: bytes) -> bool:
    """Tell whether the key's owner made these of those."""
    c, s = (int.from_bytes(part, "little") for part in (proof[:32], proof[32:]))
    m, z = _composites(key, list(zip(blinded, evaluated, strict=True)))
    t2 = BASE.times(s) + decode(key).times(c)
    return c == _challenge(key, m, z, t2, m.times(s) + z.times(c))


def finalize(value: bytes, scalar: int, evaluated: bytes) -> bytes:
    """Return the output of an input that was blinded with a scalar."""
    unblinded = decode(evaluated).times(pow(scalar, -1, ORDER)).encode()
    return hashlib.sha512(_sized(value, unblinded) + b"Finalize").digest()
