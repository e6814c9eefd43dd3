"""What a real viewer shows: every file drawn by one headless Chromium, its pixels read back.

A page of our own, served on this machine alone, draws each file like any <img> of a chat and
posts what came out. Animations are then asked frame by frame of the browser's own decoder.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--mute-audio", "--disable-dev-shm-usage", "--force-color-profile=srgb",
)  # fmt: skip
_PATIENCE = 60  # seconds in which one file must have been shown
# MOST: the longest side of what is read back; larger pictures are drawn smaller.
_PAGE = """<!doctype html><meta charset=utf-8><script>
const MOST = 1024, KINDS = [
  [/^GIF8/, 'image/gif'], [/^\\x89PNG/, 'image/png'], [/^RIFF....WEBP/s, 'image/webp'],
  [/^....ftyp/s, 'image/avif'],
];
const soon = (promise, ms) => Promise.race(
  [promise, new Promise((_, no) => setTimeout(() => no(new Error('late')), ms))]);
async function post(query, body) {
  await fetch('/shown?' + new URLSearchParams(query), {method: 'POST', body});
}
async function draw(number, label, source, width, height) {
  const scale = Math.min(1, MOST / Math.max(width, height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  let plain = null;
  for (const page of ['white', 'black', '#808080']) {
    pen.fillStyle = page;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
    const bytes = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    if (plain && bytes.every((level, at) => level === plain[at])) break;  // opaque
    plain = plain || bytes;
    await post({number, label: label + ' on ' + (page === '#808080' ? 'grey' : page),
      width: canvas.width, height: canvas.height, whole: width + 'x' + height}, bytes);
  }
}
async function still(number) {
  const image = new Image();
  const loaded = new Promise((yes, no) => { image.onload = yes; image.onerror = no; });
  image.src = '/file/' + number;
  document.body.append(image);
  try {
    await soon(loaded, 20000);
    await draw(number, 'image', image, image.naturalWidth || 1, image.naturalHeight || 1);
  } catch (problem) {}
  image.remove();
}
async function frames(number, data) {
  const head = String.fromCharCode(...new Uint8Array(data.slice(0, 32)));
  const kind = KINDS.find(([start]) => start.test(head));
  if (!kind) return;
  try {
    const decoder = new ImageDecoder({data, type: kind[1]});
    await soon(decoder.tracks.ready, 20000);
    await soon(decoder.completed, 20000);
    const count = decoder.tracks.selectedTrack.frameCount;
    if (count < 2) return;
    for (let at = 0; at < count; at++) {
      if (count > 60 && at > 10 && at < count - 20) continue;
      const {image} = await soon(decoder.decode({frameIndex: at}), 20000);
      await draw(number, 'frame ' + (at + 1), image, image.displayWidth, image.displayHeight);
      image.close();
    }
    decoder.close();
  } catch (problem) {}
}
async function run() {
  const count = await (await fetch('/count')).json();
  for (let number = 0; number < count; number++) {
    try {
      await still(number);
      await frames(number, await (await fetch('/file/' + number)).arrayBuffer());
    } catch (problem) {}
    await post({number, done: 1}, '');
  }
}
onload = run;
</script><body>
"""


@dataclass(frozen=True)
class Shown:
    """One picture that the browser painted.

    Attributes:
        label: "image on white" for what an <img> shows, "frame 2 on black" for later frames;
            the pages other than white are there where the picture is transparent.
        image: Its pixels, at most 1,024 a side.
    """

    label: str
    image: Image.Image


class NoBrowser(Exception):  # noqa: N818 - it says what is the matter
    """Chromium is not installed, or stopped answering."""


def version() -> str:
    """Return which Chromium there is."""
    told = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True)
    return told.stdout.partition(" built on")[0].strip()


def shown(files: Sequence[tuple[bytes, str]]) -> Iterator[tuple[int, list[Shown]]]:
    """Yield (number, what is shown) of each of *files*: bytes, and the type a server would name.

    Raises:
        NoBrowser: There is none, or it stopped.
    """
    server = _Server(files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tempfile.mkdtemp()
    page = f"http://127.0.0.1:{server.server_port}/"
    browser = subprocess.Popen(
        [_program(), *_SWITCHES, "--remote-debugging-port=0", f"--user-data-dir={folder}", page],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for number in range(len(files)):
            if not server.ready[number].wait(_PATIENCE):
                raise NoBrowser(f"Chromium said nothing about file {number} for {_PATIENCE} s")
            yield number, server.pictures.pop(number, [])
    finally:
        browser.terminate()
        browser.wait()
        server.shutdown()
        server.server_close()
        shutil.rmtree(folder, ignore_errors=True)


def _program() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoBrowser("chromium is not installed (Debian's package of that name)")
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: Sequence[tuple[bytes, str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.pictures: dict[int, list[Shown]] = {}
        self.ready = [threading.Event() for _ in files]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that was closed before it had its last answer."""

    def take(self, query: dict[str, str], body: bytes) -> None:
        number = int(query["number"])
        if "done" in query:
            self.ready[number].set()
            return
        size = int(query["width"]), int(query["height"])
        image = Image.frombytes("RGBA", size, body).convert("RGB")
        self.pictures.setdefault(number, []).append(Shown(query["label"], image))


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(_PAGE.encode(), "text/html")
        elif self.path == "/count":
            self._answer(json.dumps(len(self.server.files)).encode(), "application/json")
        elif self.path.startswith("/file/"):
            self._answer(*self.server.files[int(self.path.removeprefix("/file/"))])
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        query = dict(part.split("=", 1) for part in self.path.partition("?")[2].split("&"))
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.take({name: value.replace("+", " ") for name, value in query.items()}, body)
        self._answer(b"", "text/plain")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
