"""Benign photos for an evaluation, from folders and zip files, apart by source and part."""

from __future__ import annotations

import hashlib
import io
import random
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif"}


class Photo(NamedTuple):
    """Where one photo lies. Photos of one scene share a folder, as far as a source says so."""

    source: Path
    name: str

    @property
    def folder(self) -> str:
        """The folder within the source; "." where it lies in none."""
        return str(Path(self.name).parent)

    @property
    def kind(self) -> str:
        """What photos of one kind share: their folder up to `_`, their own name without one.

        `cougar_body` and `cougar_face` of caltech101 are cut from the same photos.
        """
        return self.name if self.folder == "." else re.sub(r"_[^/]*$", "", self.folder)

    def open(self) -> Image.Image:
        """Return it decoded, in RGB; a broken one ends the run with its name."""
        try:
            return Image.open(self._file()).convert("RGB")
        except (OSError, SyntaxError, ValueError, zipfile.BadZipFile) as error:
            raise SystemExit(f"{self.source}, {self.name}: {error}; take it out") from None

    def _file(self) -> Path | io.BytesIO:
        if self.source.suffix != ".zip":
            return self.source / self.name
        if self.source not in _archives:
            _archives[self.source] = zipfile.ZipFile(self.source)
        return io.BytesIO(_archives[self.source].read(self.name))


_archives: dict[Path, zipfile.ZipFile] = {}


def photos(spec: str, seed: int) -> list[Photo]:
    """Return the photos of a source, in an order drawn from the seed.

    Args:
        spec: A folder or zip file, or a part of one: `photos.zip:0/2` is one half of its
            kinds, chosen by their names' digests, `photos.zip:1/2` the other. Of a source of one
            kind it is one half of its photos.
        seed: For the order.
    """
    path, _, part = spec.partition(":")
    source = Path(path)
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    else:
        names = [str(p.relative_to(source)) for p in source.rglob("*") if p.is_file()]
    found = [Photo(source, name) for name in sorted(names) if Path(name).suffix.lower() in SUFFIXES]
    if part:
        index, of = (int(number) for number in part.split("/"))
        several = len({photo.kind for photo in found}) > 1
        found = [p for p in found if _number(p.kind if several else p.name) % of == index]
    if not found:
        raise SystemExit(f"{spec}: holds no pictures; name a folder or zip file of photos")
    random.Random(seed).shuffle(found)
    return found


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
