"""The demo as a contact sheet: one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from doorsill.cli.demo import Row, Run
    from doorsill.cli.demo_pictures import Picture

_THUMB = 520
_GAP = 12
_WORDS = {"send": "May be sent", "warn": "Asks first", "block": "Stopped"}
_STYLE = """
:root { color-scheme: light dark; --page: #f6f4ef; --card: #fff; --ink: #1c2340; --soft: #5b6178;
  --line: #e4e0d6; --mat: #ece8df; --send: #1b6b55; --send-on: #e0f1ea; --warn: #7a5300;
  --warn-on: #fbeecb; --block: #a2332a; --block-on: #fbe4df; }
@media (prefers-color-scheme: dark) { :root { --page: #12162a; --card: #1b2140; --ink: #f1ede3;
  --soft: #a9b0ca; --line: #2c345a; --mat: #141931; --send: #8fdcc0; --send-on: #17402f;
  --warn: #f7cf78; --warn-on: #463708; --block: #ffb3a7; --block-on: #55211c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 48px 24px 40px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 8px; }
.lead { color: var(--soft); font-size: 18px; max-width: 44em; margin: 0 0 32px; }
.demo { display: inline-block; font-size: 12px; font-weight: 700; letter-spacing: .1em;
  border: 1.5px solid currentColor; border-radius: 5px; padding: 1px 8px; color: var(--soft);
  vertical-align: middle; margin-left: 10px; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 20px;
  grid-template-columns: repeat(auto-fill, minmax(264px, 1fr)); }
li { background: var(--card); border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
  display: flex; flex-direction: column; }
.mat { background: var(--mat); aspect-ratio: 3 / 2; position: relative; }
.mat img { position: absolute; inset: 12px; width: calc(100% - 24px); height: calc(100% - 24px);
  object-fit: contain; filter: drop-shadow(0 1px 3px #0005); }
.text { padding: 14px 18px 16px; display: flex; flex-direction: column; gap: 4px; flex: 1; }
.text p { margin: 0; }
.badge { align-self: flex-start; font-size: 13px; font-weight: 650; padding: 2px 11px;
  border-radius: 99px; margin-bottom: 4px; }
.send .badge { color: var(--send); background: var(--send-on); }
.warn .badge { color: var(--warn); background: var(--warn-on); }
.block .badge { color: var(--block); background: var(--block-on); }
h2 { font-size: 17px; line-height: 1.3; margin: 0; }
h2::first-letter { text-transform: uppercase; }
.about { color: var(--soft); font-size: 15px; }
.why { font-size: 14px; margin-top: auto !important; padding-top: 8px; display: flex;
  justify-content: space-between; gap: 12px; font-variant-numeric: tabular-nums; }
.why span:last-child { color: var(--soft); white-space: nowrap; }
footer { margin-top: 32px; padding-top: 20px; border-top: 1px solid var(--line);
  color: var(--soft); }
footer p { margin: 0 0 6px; }
footer p:last-child { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
"""


def sheet(done: Run) -> str:
    """Return the page; every text in it is escaped, every picture is inside it."""
    cards = "\n".join(_card(row) for row in done.rows)
    closing = "\n".join(f"<p>{escape(line)}</p>" for line in done.closing())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>doorsill demo</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>doorsill <span class="demo">DEMO</span></h1>
<p class="lead">One drawing of a lighthouse stands on a demo list. Here it is sent in several
ways, between ordinary pictures. Each was compared with “{escape(done.list_name)}” on this device,
before anything is sent.</p>
<ul>
{cards}
</ul>
<footer>
{closing}
</footer>
</main>
</body>
</html>
"""


def _card(row: Row) -> str:
    picture, verdict = row.picture, row.verdict
    action = verdict.action.value
    return f"""<li class="{escape(action)}">
<div class="mat"><img src="{_data_uri(picture)}" alt="{escape(_alt(picture))}"></div>
<div class="text">
<p class="badge">{escape(_WORDS[action])}</p>
<h2>{escape(picture.title)}</h2>
<p class="about">{escape(picture.about)}</p>
<p class="why"><span>{escape(row.why)}</span><span>{verdict.milliseconds:.1f} ms</span></p>
</div>
</li>"""


def _alt(picture: Picture) -> str:
    drawing = "a drawing of a lighthouse on a cliff at dusk, a sailing boat before a low sun"
    return {
        "ordinary": "A cup of coffee on a wooden table.",
        "exif": f"As stored, on its side: {drawing}.",
        "frame": f"Two frames: a cup of coffee; then {drawing}.",
        "cropped": f"Without its right and lower edge: {drawing}.",
        "broken": "A cup of coffee, of which only a part can be seen.",
    }.get(picture.key, drawing[0].upper() + drawing[1:] + ".")


def _data_uri(picture: Picture) -> str:
    """Return a small copy; the broken file as it is, so that the reader's own viewer shows it."""
    broken = picture.key == "broken"
    kind = picture.kind if broken else "image/jpeg"
    data = picture.data if broken else _thumbnail(picture)
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _thumbnail(picture: Picture) -> bytes:
    image = Image.open(io.BytesIO(picture.data))
    shown = _film(image) if picture.key == "frame" else image.convert("RGB")
    shown.thumbnail((_THUMB, _THUMB), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=82)
    return file.getvalue()


def _film(image: Image.Image) -> Image.Image:
    """Return all frames side by side."""
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(image.convert("RGB"))
    width = sum(frame.width for frame in frames) + _GAP * (len(frames) - 1)
    film = Image.new("RGB", (width, frames[0].height), (140, 140, 150))
    left = 0
    for frame in frames:
        film.paste(frame, (left, 0))
        left += frame.width + _GAP
    return film
