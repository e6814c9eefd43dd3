'use strict';
// The pictures of tests/data/vectors/pixels.json; README.md beside it says the formulas in words.

const CHANNELS = { gray: [0], rgb: [0, 1, 2], rgbx: [0, 1, 2, 3], bgrx: [2, 1, 0, 3], rgba: [0, 1, 2, 3],
  bgra: [2, 1, 0, 3], gray16: [0] };

function mix(n) {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return (n ^ (n >>> 16)) >>> 0;
}

function lattice({ seed, cells }, x, y, width, height) {
  const [X, Y] = [Math.floor(x * 256 * cells / width), Math.floor(y * 256 * cells / height)];
  const [k, f, g] = [4096 * seed + 64 * (Y >> 8) + (X >> 8), X & 255, Y & 255];
  const a = mix(k) % 256 * (256 - f) + mix(k + 1) % 256 * f;
  const b = mix(k + 64) % 256 * (256 - f) + mix(k + 65) % 256 * f;
  const v = (a * (256 - g) + b * g) >>> 16;
  return [v, 16 + (v * 3 >> 2), 32 + (v >> 1)];
}

function photographed(photo, x, y, width, height) {
  const at = Math.floor(y * photo.height / height) * photo.width + Math.floor(x * photo.width / width);
  return photo.pixels.subarray(3 * at, 3 * at + 3);
}

/** The view that a row names, as a host would hold it. */
function drawn(row, photos) {
  const { width, height, format, turn = 0, level = 0, contrast = 256, noise = 0, padding = 0 } = row;
  const photo = photos[row.photo];
  if (photo) photo.pixels ??= Buffer.from(photo.rgb, 'base64');
  const [deep, places] = [format === 'gray16' ? 2 : 1, CHANNELS[format]];
  const stride = width * places.length * deep + padding;
  const data = Buffer.alloc(stride * height, 0xa5);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [bx, by, w, h] = turn & 4 ? [y, x, height, width] : [x, y, width, height];
      if (turn & 1) bx = w - 1 - bx;
      if (turn & 2) by = h - 1 - by;
      const colours = photo ? photographed(photo, bx, by, w, h) : lattice(row, bx, by, w, h);
      const shift = mix(y * width + x) % (2 * noise + 1) - noise;
      const pixel = Array.from(colours, (c) => Math.min(255, Math.max(0, level + (c * contrast >> 8) + shift)));
      pixel.push({ half: 128, clear: 0, ramp: Math.floor(x * 255 / width) }[row.alpha] ?? 255);
      let at = (row.bottom_up ? height - 1 - y : y) * stride + x * places.length * deep;
      for (const place of places) for (let i = 0; i < deep; i++) data[at++] = pixel[place];
    }
  }
  return { data, width, height, format, stride: row.bottom_up ? -stride : stride };
}

module.exports = { drawn };
