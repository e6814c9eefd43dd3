"""Edits for training: drawn at random, chained at random, on benign photos.

Written apart from the edits that judge the model (`examples/evaluate`): other code, other strengths,
drawn rather than fixed, so that a good figure there is no memory of these.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Edit = Callable[[Image.Image, random.Random], Image.Image]


def colour(r: random.Random) -> tuple[int, int, int]:
    kind = r.random()
    if kind < 0.3:
        return (255, 255, 255)
    if kind < 0.55:
        return (0, 0, 0)
    if kind < 0.7:
        return (g := r.randrange(256), g, g)
    return (r.randrange(256), r.randrange(256), r.randrange(256))


def scribble(
    draw: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    r: random.Random,
    ink: tuple[int, int, int],
) -> None:
    """Rows of word-like bars: what lettering looks like to a small network, in any font."""
    left, top, right, bottom = box
    high = max(2, (bottom - top) // r.choice((1, 2, 2, 3, 4)))
    for y in range(top, bottom - high // 2, high):
        x = left + r.randrange(max(1, (right - left) // 6))
        end = right - r.randrange(max(1, (right - left) // 3))
        while x < end:
            wide = max(1, int(high * r.uniform(0.1, 0.35)))
            up = r.randrange(max(1, high // 3))
            if r.random() < 0.82:
                draw.rectangle(
                    (x, y + up, min(end, x + wide), y + int(high * 0.75)),
                    outline=ink,
                    fill=ink if r.random() < 0.6 else None,
                )
            x += wide + max(1, int(high * 0.12)) + (high // 3 if r.random() < 0.2 else 0)


def crop(im: Image.Image, r: random.Random) -> Image.Image:
    w, h = im.size
    least = r.choice((0.4, 0.5, 0.6, 0.75))
    kw, kh = r.uniform(least, 1), r.uniform(least, 1)
    if r.random() < 0.4:  # in its own shape
        kw = kh = r.uniform(0.5, 0.9)
    x, y = r.uniform(0, 1 - kw) * w, r.uniform(0, 1 - kh) * h
    return im.crop((int(x), int(y), int(x + kw * w), int(y + kh * h)))


def rotate(im: Image.Image, r: random.Random) -> Image.Image:
    angle = r.choice((-1, 1)) * abs(r.gauss(0, 14))
    turned = im.rotate(
        angle, Image.Resampling.BILINEAR, expand=r.random() < 0.5, fillcolor=colour(r)
    )
    if r.random() < 0.35:  # as editors do: the largest part without corners, about
        a = math.radians(min(abs(angle), 40))
        keep = 1 / (1 + 1.2 * math.sin(a))
        w, h = turned.size
        turned = turned.crop(
            (
                int(w * (1 - keep) / 2),
                int(h * (1 - keep) / 2),
                int(w * (1 + keep) / 2),
                int(h * (1 + keep) / 2),
            )
        )
    return turned


def quarter(im: Image.Image, r: random.Random) -> Image.Image:
    return im.transpose(
        r.choice(
            (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
        )
    )


def flip(im: Image.Image, r: random.Random) -> Image.Image:
    return ImageOps.mirror(im) if r.random() < 0.8 else ImageOps.flip(im)


def caption(im: Image.Image, r: random.Random) -> Image.Image:
    w, h = im.size
    bar = int(h * r.uniform(0.08, 0.35))
    ground = colour(r)
    ink = (0, 0, 0) if sum(ground) > 380 else (255, 255, 255)
    top = r.random() < 0.5
    page = Image.new("RGB", (w, h + bar), ground)
    page.paste(im, (0, bar if top else 0))
    y = 0 if top else h
    scribble(
        ImageDraw.Draw(page),
        (int(w * 0.03), y + bar // 8, int(w * 0.97), y + bar - bar // 8),
        r,
        ink,
    )
    return page


def letters_on_it(im: Image.Image, r: random.Random) -> Image.Image:
    im = im.copy()
    w, h = im.size
    for _ in range(r.choice((1, 1, 2))):
        high = int(h * r.uniform(0.06, 0.25))
        y = r.choice((0, h - high, r.randrange(max(1, h - high))))
        scribble(
            ImageDraw.Draw(im),
            (int(w * 0.04), y, int(w * 0.96), y + high),
            r,
            r.choice(((255, 255, 255), (0, 0, 0), (255, 230, 0), colour(r))),
        )
    return im


def frame(im: Image.Image, r: random.Random) -> Image.Image:
    """A border, even or not; sometimes with words in it, as of a meme."""
    w, h = im.size
    most = r.choice((0.06, 0.15, 0.35))
    left, right, top, bottom = (int(side * r.uniform(0, most)) for side in (w, w, h, h))
    if r.random() < 0.5:
        left = right = top = bottom = int(min(w, h) * r.uniform(0.01, most))
    page = Image.new("RGB", (w + left + right, h + top + bottom), colour(r))
    page.paste(im, (left, top))
    if r.random() < 0.5 and bottom > 8:
        scribble(ImageDraw.Draw(page), (left, top + h, left + w, top + h + bottom), r, colour(r))
    return page


def screen(im: Image.Image, r: random.Random) -> Image.Image:
    """The picture among bars, bubbles and lines, as on a screen."""
    w, h = im.size
    tall = r.random() < 0.6
    pw = int(w * r.uniform(1, 1.25))
    ph = int(h * r.uniform(1.3, 2.1)) if tall else int(h * r.uniform(1.05, 1.4))
    if not tall:
        pw = int(w * r.uniform(1.2, 1.8))
    ground = r.choice(((255, 255, 255), (18, 18, 18), (240, 242, 245), colour(r)))
    page = Image.new("RGB", (pw, ph), ground)
    draw = ImageDraw.Draw(page)
    ink = (30, 30, 30) if sum(ground) > 380 else (230, 230, 230)
    for _ in range(r.randrange(2, 7)):
        x, y = r.randrange(pw), r.randrange(ph)
        x2, y2 = x + r.randrange(pw // 8, pw), y + r.randrange(ph // 40 + 2, ph // 8 + 3)
        if r.random() < 0.5:
            draw.rounded_rectangle((x, y, x2, y2), radius=min(9, (y2 - y) // 2), fill=colour(r))
        scribble(draw, (x + 3, y + 2, min(pw - 2, x2), max(y + 4, y2 - 2)), r, ink)
    draw.rectangle((0, 0, pw, int(ph * r.uniform(0.02, 0.1))), fill=colour(r))
    if r.random() < 0.7:
        draw.rectangle((0, int(ph * r.uniform(0.9, 0.98)), pw, ph), fill=colour(r))
    page.paste(im, (r.randrange(max(1, pw - w + 1)), r.randrange(max(1, ph - h + 1))))
    return page


def sticker(im: Image.Image, r: random.Random) -> Image.Image:
    im = im.copy()
    draw = ImageDraw.Draw(im)
    w, h = im.size
    for _ in range(r.choice((1, 1, 2, 4))):
        size = int(min(w, h) * r.uniform(0.08, 0.38))
        x, y = r.randrange(max(1, w - size // 2)), r.randrange(max(1, h - size // 2))
        shape = r.choice((draw.ellipse, draw.rectangle))
        shape(
            (x, y, x + size, y + size), fill=colour(r), outline=colour(r), width=max(1, size // 12)
        )
        if r.random() < 0.6:
            inner = size // 3
            draw.ellipse(
                (x + inner // 2, y + inner, x + inner, y + inner + inner // 2), fill=colour(r)
            )
            draw.ellipse(
                (x + 2 * inner, y + inner, x + 2 * inner + inner // 2, y + inner + inner // 2),
                fill=colour(r),
            )
    return im


def mark(im: Image.Image, r: random.Random) -> Image.Image:
    """A mark all over it that one sees through."""
    over = Image.new("RGB", im.size, colour(r))
    strength = r.uniform(0.15, 0.75)
    veil = Image.new("L", (im.width, im.height))
    draw = ImageDraw.Draw(veil)
    step = max(12, int(im.height * r.uniform(0.1, 0.35)))
    for y in range(0, im.height, step):
        scribble(draw, (r.randrange(step), y, im.width, y + step // 2), r, 255)  # type: ignore[arg-type]
    if r.random() < 0.5:
        veil = veil.rotate(r.uniform(-35, 35))
    return Image.composite(over, im, veil.point(lambda v: int(v * strength)))


def tones(im: Image.Image, r: random.Random) -> Image.Image:
    for kind in r.sample(
        (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), r.randrange(1, 4)
    ):
        im = kind(im).enhance(math.exp(r.gauss(0, 0.5)))
    if r.random() < 0.4:
        g = math.exp(r.gauss(0, 0.4))
        im = im.point([round(255 * (v / 255) ** g) for v in range(256)] * 3)
    if r.random() < 0.25:
        gains = [math.exp(r.gauss(0, 0.2)) for _ in range(3)]
        im = im.point([min(255, round(v * gain)) for gain in gains for v in range(256)])
    return im


def style(im: Image.Image, r: random.Random) -> Image.Image:
    kind = r.randrange(6)
    if kind == 0:
        return ImageOps.grayscale(im).convert("RGB")
    if kind == 1:
        return ImageOps.colorize(
            ImageOps.grayscale(im), colour(r) if r.random() < 0.3 else (20, 10, 0), (255, 240, 200)
        )
    if kind == 2:
        return ImageOps.posterize(im, r.randrange(2, 5))
    if kind == 3:
        return ImageOps.autocontrast(im, cutoff=r.randrange(0, 8))
    if kind == 4:
        return ImageOps.equalize(im)
    return Image.merge("RGB", r.sample(im.split(), 3))


def soften(im: Image.Image, r: random.Random) -> Image.Image:
    if r.random() < 0.75:
        return im.filter(ImageFilter.GaussianBlur(abs(r.gauss(0, 2.2)) + 0.3))
    return im.filter(ImageFilter.UnsharpMask(r.uniform(0.5, 3), r.randrange(60, 300)))


def noise(im: Image.Image, r: random.Random) -> Image.Image:
    grain = Image.effect_noise(im.size, r.uniform(8, 60))
    return Image.blend(im, Image.merge("RGB", (grain,) * 3), r.uniform(0.05, 0.3))


def encode(im: Image.Image, r: random.Random) -> Image.Image:
    file = io.BytesIO()
    im.save(file, "JPEG" if r.random() < 0.8 else "WEBP", quality=int(r.triangular(6, 95, 40)))
    return Image.open(file).convert("RGB")


def shrink(im: Image.Image, r: random.Random) -> Image.Image:
    share = r.uniform(0.25, 0.9)
    size = (
        max(24, int(im.width * share)),
        max(24, int(im.height * share * (r.uniform(0.7, 1.4) if r.random() < 0.3 else 1))),
    )
    return im.resize(
        size,
        r.choice(
            (
                Image.Resampling.BILINEAR,
                Image.Resampling.BOX,
                Image.Resampling.NEAREST,
                Image.Resampling.BICUBIC,
            )
        ),
    )


def tilt(im: Image.Image, r: random.Random) -> Image.Image:
    w, h = im.size
    much = r.uniform(0.02, 0.16)
    corners = [
        (r.uniform(-much, much) * w + x, r.uniform(-much, much) * h + y)
        for x, y in ((0, 0), (0, h), (w, h), (w, 0))
    ]
    return im.transform(
        (w, h),
        Image.Transform.QUAD,
        [c for corner in corners for c in corner],
        Image.Resampling.BILINEAR,
        fillcolor=colour(r),
    )


def beside(im: Image.Image, r: random.Random, other: Image.Image) -> Image.Image:
    """With another picture, side by side or with that one on it."""
    w, h = im.size
    kind = r.random()
    if kind < 0.35:
        second = other.resize((max(8, int(w * r.uniform(0.4, 1))), h))
        page = Image.new("RGB", (w + second.width, h))
        first_left = r.random() < 0.5
        page.paste(im, (0 if first_left else second.width, 0))
        page.paste(second, (w if first_left else 0, 0))
        return page
    if kind < 0.7:
        second = other.resize((w, max(8, int(h * r.uniform(0.4, 1)))))
        page = Image.new("RGB", (w, h + second.height))
        first_up = r.random() < 0.5
        page.paste(im, (0, 0 if first_up else second.height))
        page.paste(second, (0, h if first_up else 0))
        return page
    share = r.uniform(0.2, 0.5)
    page = im.copy()
    small = other.resize((max(4, int(w * share)), max(4, int(h * share))))
    page.paste(small, (r.randrange(w - small.width + 1), r.randrange(h - small.height + 1)))
    return page


# An edit and how often it is drawn.
EDITS: tuple[tuple[Edit, float], ...] = (
    (crop, 4.5), (rotate, 2.6), (caption, 1.6), (frame, 1.8), (screen, 1.6), (letters_on_it, 1.8),
    (sticker, 1.8), (mark, 2.6), (tones, 3.0), (style, 1.2), (soften, 2.4), (noise, 0.6),
    (encode, 1.2), (shrink, 0.8), (tilt, 1.0), (flip, 0.8), (quarter, 0.5),
)  # fmt: skip


def edited(im: Image.Image, r: random.Random, other: Image.Image) -> Image.Image:
    """One to four edits in a row."""
    if r.random() < 0.14:
        im = beside(im, r, other)
    edits, weights = zip(*EDITS, strict=True)
    for _ in range(r.choices((1, 2, 3, 4), (4, 4, 2, 1))[0]):
        im = r.choices(edits, weights)[0](im, r)
    return encode(im, r) if r.random() < 0.4 else im


def lightly(im: Image.Image, r: random.Random) -> Image.Image:
    """What happens to the listed picture: next to nothing."""
    if r.random() < 0.3:
        im = shrink(im, r) if r.random() < 0.3 else encode(im, r)
    return im
