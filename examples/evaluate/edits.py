"""The edits that judge a hasher: what people and programs do to a picture that they share.

Written apart from the edits that a model is trained with: other code, fixed strengths. Each is
deterministic from a seed, the edit's name and the photo's name. `main` marks the 20 that the
headline figure is the mean of.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Others = Sequence[Image.Image]
    Draw = Callable[[Image.Image, random.Random, Others], Image.Image]

WORDS = (
    "when you see it",
    "nobody:",
    "Monday again",
    "look at this",
    "top ten",
    "so true",
    "wait for it",
    "me after lunch",
    "best of 2019",
    "share this",
    "how it started",
    "the view today",
    "not again",
)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Edit:
    """One edit at one strength."""

    name: str
    draw: Draw
    main: bool = False

    def __call__(self, photo: Image.Image, seed: str, others: Others) -> Image.Image:
        """Return the edited photo, in RGB.

        Args:
            photo: In RGB.
            seed: Of this photo and run; the edit's name is added.
            others: Three other photos, for collages.
        """
        drawn = random.Random(f"{seed}/{self.name}")
        return self.draw(photo, drawn, others).convert("RGB")


def encode(im: Image.Image, kind: str, quality: int) -> Image.Image:
    """Return what a receiver decodes."""
    file = io.BytesIO()
    im.save(file, kind, quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def lettering(
    im: Image.Image,
    box: tuple[int, int, int, int],
    text: str,
    ink: tuple[int, int, int],
    outline: tuple[int, int, int] | None = None,
) -> None:
    """Write a text as large as it fits into (left, top, right, bottom)."""
    left, top, right, bottom = box
    draw = ImageDraw.Draw(im)
    size = max(6, bottom - top)
    while size > 6:
        font = ImageFont.load_default(size)
        x0, y0, x1, y1 = draw.textbbox((0, 0), text, font=font)
        if x1 - x0 <= right - left and y1 - y0 <= bottom - top:
            break
        size = int(size * 0.85)
    font = ImageFont.load_default(size)
    draw.text(
        ((left + right) // 2, (top + bottom) // 2),
        text,
        fill=ink,
        font=font,
        anchor="mm",
        stroke_width=max(1, size // 14) if outline else 0,
        stroke_fill=outline,
    )


def _coded(kind: str, quality: int) -> Draw:
    return lambda im, _r, _o: encode(im, kind, quality)


def _resized(share: float) -> Draw:
    return lambda im, _r, _o: im.resize(
        (max(8, round(im.width * share)), max(8, round(im.height * share))),
        Image.Resampling.LANCZOS,
    )


def _messenger(longest: int, quality: int) -> Draw:
    """As messengers do: no side longer than that, then JPEG; smaller pictures are only encoded."""

    def draw(im: Image.Image, _r: random.Random, _o: Others) -> Image.Image:
        im = im.copy()
        im.thumbnail((longest, longest), Image.Resampling.BICUBIC)
        return encode(im, "JPEG", quality)

    return draw


def _crop(share: float) -> Draw:
    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        w, h = round(im.width * share), round(im.height * share)
        x, y = r.randint(0, im.width - w), r.randint(0, im.height - h)
        return im.crop((x, y, x + w, y + h))

    return draw


def _border(share: float) -> Draw:
    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        fill = r.choice((_WHITE, _BLACK, (200, 30, 40)))
        return ImageOps.expand(im, max(1, round(min(im.size) * share)), fill)

    return draw


def _rotation(degrees: float) -> Draw:
    return lambda im, r, _o: im.rotate(
        r.choice((-1, 1)) * degrees, Image.Resampling.BICUBIC, expand=True
    )


def _transposed(how: Image.Transpose) -> Draw:
    return lambda im, _r, _o: im.transpose(how)


def _caption(share: float) -> Draw:
    """A white bar with a line of text above the picture."""

    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        bar = round(im.height * share)
        page = Image.new("RGB", (im.width, im.height + bar), _WHITE)
        page.paste(im, (0, bar))
        box = (im.width // 20, bar // 6, im.width - im.width // 20, bar - bar // 6)
        lettering(page, box, r.choice(WORDS), _BLACK)
        return page

    return draw


def _text(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
    im = im.copy()
    w, h = im.size
    for top in (0.03, 0.8):
        box = (w // 20, round(h * top), w - w // 20, round(h * (top + 0.17)))
        lettering(im, box, r.choice(WORDS).upper(), _WHITE, _BLACK)
    return im


def _emoji(count: int) -> Draw:
    """Round yellow faces, each a quarter of the shorter side."""

    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        im = im.copy()
        pen = ImageDraw.Draw(im)
        s = min(im.size) // 4
        for _ in range(count):
            x, y = r.randint(0, im.width - s), r.randint(0, im.height - s)
            pen.ellipse((x, y, x + s, y + s), fill=(255, 205, 60), outline=(190, 130, 20), width=2)
            for eye in (0.3, 0.6):
                pen.ellipse(
                    (x + s * eye, y + s * 0.3, x + s * (eye + 0.1), y + s * 0.45), fill=_BLACK
                )
            pen.arc((x + s * 0.25, y + s * 0.3, x + s * 0.75, y + s * 0.8), 20, 160, _BLACK, 3)
        return im

    return draw


def _logo(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
    im = im.copy()
    w, h = max(20, im.width // 4), max(12, im.height // 9)
    x, y = r.choice((4, im.width - w - 4)), r.choice((4, im.height - h - 4))
    ImageDraw.Draw(im).rounded_rectangle((x, y, x + w, y + h), h // 3, fill=(20, 90, 200))
    lettering(im, (x + 3, y + 2, x + w - 3, y + h - 2), "pixly.tv", _WHITE)
    return im


def _watermark(strength: float) -> Draw:
    def draw(im: Image.Image, _r: random.Random, _o: Others) -> Image.Image:
        over = Image.new("RGB", im.size, _BLACK)
        lettering(over, (0, im.height // 3, im.width, im.height * 2 // 3), "SAMPLE", _WHITE)
        veil = over.rotate(25).convert("L").point(lambda v: int(v * strength))
        return Image.composite(Image.new("RGB", im.size, _WHITE), im, veil)

    return draw


def _meme(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
    """A black poster around the picture, a heading and a line under it."""
    w, h = im.size
    side, top, foot = w // 8, h // 8, h // 3
    page = Image.new("RGB", (w + 2 * side, h + top + foot), _BLACK)
    ImageDraw.Draw(page).rectangle(
        (side - 4, top - 4, side + w + 3, top + h + 3), outline=_WHITE, width=2
    )
    page.paste(im, (side, top))
    lettering(
        page,
        (side, top + h + foot // 6, side + w, top + h + foot * 3 // 5),
        r.choice(WORDS).upper(),
        _WHITE,
    )
    lettering(
        page,
        (side, top + h + foot * 2 // 3, side + w, top + h + foot - 6),
        r.choice(WORDS),
        (210, 210, 210),
    )
    return page


def _screenshot(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
    """A telephone's screen, 9 to 16: bars, a name, the picture full width, lines of a chat."""
    w = im.width
    h = max(round(w * 16 / 9), im.height + w // 2)
    dark = r.random() < 0.5
    ground, ink = ((24, 26, 30), (225, 225, 225)) if dark else ((250, 250, 250), (40, 40, 40))
    page = Image.new("RGB", (w, h), ground)
    pen = ImageDraw.Draw(page)
    bar = w // 7
    pen.rectangle((0, 0, w, bar), fill=(30, 120, 110) if r.random() < 0.5 else ground)
    pen.ellipse((bar // 6, bar // 6, bar * 5 // 6, bar * 5 // 6), fill=(160, 160, 160))
    lettering(page, (bar, bar // 4, w // 2, bar * 3 // 4), "Alex M.", ink)
    y = bar + w // 20
    page.paste(im, (0, y))
    y += im.height + w // 25
    while y < h - bar:
        wide, left = round(w * r.uniform(0.3, 0.7)), r.random() < 0.5
        x = w // 30 if left else w - wide - w // 30
        pen.rounded_rectangle(
            (x, y, x + wide, y + w // 11), w // 30, fill=(70, 74, 80) if dark else (225, 232, 238)
        )
        lettering(page, (x + 6, y + 3, x + wide - 6, y + w // 11 - 3), r.choice(WORDS), ink)
        y += max(1, w // 8)
    pen.rectangle((0, h - bar // 2, w, h), fill=ground)
    return page


def _collage(across: int) -> Draw:
    """Beside another photo (1), or one of four (2)."""

    def draw(im: Image.Image, r: random.Random, others: Others) -> Image.Image:
        w, h = im.size
        tiles = [im, *(other.resize((w, h)) for other in others[: 1 if across == 1 else 3])]
        r.shuffle(tiles)
        page = Image.new("RGB", (2 * w + 6, (h if across == 1 else 2 * h + 6)), _WHITE)
        for index, tile in enumerate(tiles):
            page.paste(tile, ((w + 6) * (index % 2), (h + 6) * (index // 2)))
        return page

    return draw


def _enhanced(kind: Callable[[Image.Image], ImageEnhance._Enhance], factor: float) -> Draw:
    return lambda im, _r, _o: kind(im).enhance(factor)


def _gamma(exponent: float) -> Draw:
    return lambda im, _r, _o: im.point([round(255 * (v / 255) ** exponent) for v in range(256)] * 3)


def _tinted(r: float, g: float, b: float, contrast: float = 1.0, lift: float = 0.0) -> Draw:
    """A photo app's filter: gains of the channels, contrast, and black lifted to grey."""

    def draw(im: Image.Image, _r: random.Random, _o: Others) -> Image.Image:
        table = [
            max(0, min(255, round((128 + (v * gain - 128) * contrast) * (1 - lift) + 90 * lift)))
            for gain in (r, g, b)
            for v in range(256)
        ]
        return im.point(table)

    return draw


def _sepia(im: Image.Image, _r: random.Random, _o: Others) -> Image.Image:
    return ImageOps.colorize(im.convert("L"), (25, 15, 5), (255, 240, 205))


def _filtered(by: ImageFilter.Filter) -> Draw:
    return lambda im, _r, _o: im.filter(by)


def _noise(sigma: float) -> Draw:
    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        # Four uniform bytes: near enough to normal, and the same on every machine.
        total = [sum(r.randbytes(1)[0] for _ in range(4)) for _ in range(4096)]
        values = bytes(max(0, min(255, round(128 + (t - 510) * sigma / 147))) for t in total)
        picks = r.choices(values, k=im.width * im.height * 3)
        grain = Image.frombytes("RGB", im.size, bytes(picks))
        return ImageChops.add(im, grain, 1, -128)

    return draw


def _perspective(much: float) -> Draw:
    def draw(im: Image.Image, r: random.Random, _o: Others) -> Image.Image:
        w, h = im.size
        quad = []
        for x, y in ((0, 0), (0, 1), (1, 1), (1, 0)):
            quad += [
                w * (x + (1 - 2 * x) * r.uniform(0, much)),
                h * (y + (1 - 2 * y) * r.uniform(0, much)),
            ]
        return im.transform((w, h), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)

    return draw


def _chain(*draws: Draw) -> Draw:
    def draw(im: Image.Image, r: random.Random, others: Others) -> Image.Image:
        for each in draws:
            im = each(im, r, others)
        return im

    return draw


def _all() -> list[Edit]:
    bright, contrast = ImageEnhance.Brightness, ImageEnhance.Contrast
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    found = [Edit(f"jpeg {q}", _coded("JPEG", q), q == 30) for q in (10, 20, 30, 50, 70, 90)]
    found += [Edit(f"webp {q}", _coded("WEBP", q)) for q in (20, 50, 80)]
    found += [Edit(f"resize {s}", _resized(s), s == 0.5) for s in (0.25, 0.5, 0.75, 1.5)]
    found += [
        Edit(f"messenger {side}", _messenger(side, q), side == 320)
        for side, q in ((1600, 70), (1280, 87), (640, 75), (320, 50))
    ]
    found += [
        Edit(f"crop {s}", _crop(s), s in {0.9, 0.7}) for s in (0.99, 0.95, 0.9, 0.8, 0.7, 0.5)
    ]
    found += [Edit(f"border {s}", _border(s), s == 0.1) for s in (0.03, 0.1, 0.25)]
    found += [Edit(f"rotate {a}", _rotation(a), a in {5, 15}) for a in (1, 3, 5, 10, 15, 30, 45)]
    found += [Edit(f"turn {90 * (i + 1)}", _transposed(how)) for i, how in enumerate(turns)]
    found += [
        Edit("flip", _transposed(Image.Transpose.FLIP_LEFT_RIGHT), main=True),
        Edit("flip vertical", _transposed(Image.Transpose.FLIP_TOP_BOTTOM)),
    ]
    found += [Edit(f"caption {s}", _caption(s), s == 0.2) for s in (0.1, 0.2, 0.35)]
    found += [
        Edit("text", _text, main=True),
        Edit("emoji 1", _emoji(1), main=True),
        Edit("emoji 4", _emoji(4)),
        Edit("logo", _logo),
    ]
    found += [Edit(f"watermark {s}", _watermark(s), s == 0.5) for s in (0.25, 0.5)]
    found += [Edit("meme", _meme, main=True), Edit("screenshot", _screenshot, main=True)]
    found += [Edit("collage 2", _collage(1)), Edit("collage 4", _collage(2), main=True)]
    found += [
        Edit(f"brightness {f}", _enhanced(bright, f), f == 1.5) for f in (0.5, 0.75, 1.5, 2.0)
    ]
    found += [Edit(f"contrast {f}", _enhanced(contrast, f)) for f in (0.5, 1.5)]
    found += [Edit(f"gamma {g}", _gamma(g)) for g in (0.5, 2.0)]
    found += [
        Edit("grayscale", lambda im, _r, _o: im.convert("L")),
        Edit("sepia", _sepia),
        Edit("filter warm", _tinted(1.15, 1.0, 0.8, 1.15), main=True),
        Edit("filter faded", _tinted(0.95, 1.0, 1.1, 0.8, 0.25)),
    ]
    found += [Edit(f"blur {s}", _filtered(ImageFilter.GaussianBlur(s)), s == 2) for s in (1, 2, 4)]
    found += [Edit("sharpen", _filtered(ImageFilter.UnsharpMask(2, 200)))]
    found += [Edit(f"noise {s}", _noise(s)) for s in (10, 25)]
    found += [Edit(f"perspective {s}", _perspective(s), s == 0.1) for s in (0.05, 0.1, 0.2)]
    found += [
        Edit("crop, text, jpeg", _chain(_crop(0.85), _text, _coded("JPEG", 35))),
        Edit("meme, screenshot", _chain(_meme, _screenshot)),
        Edit("rotate, filter, resize", _chain(_rotation(4), _tinted(1.1, 1, 0.9), _resized(0.6))),
        Edit("screenshot, crop, jpeg", _chain(_screenshot, _crop(0.9), _coded("JPEG", 50))),
    ]
    return found


EDITS = tuple(_all())
MAIN = tuple(edit for edit in EDITS if edit.main)
CALIBRATING = tuple(edit for edit in EDITS if not edit.main)[::3]
"""What limits are set by: of every kind, and none of those that the headline is the mean of."""
