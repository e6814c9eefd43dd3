'use strict';
// The views of a file: every reading of it that a receiver may be shown, decoded by sharp (libvips).

const sharp = require('sharp');
const { orAborted } = require('./aborted.js');
const { digest } = require('./index.js');

const KNOWN = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']; // no SVG: a browser in a picture
const ANIMATED = ['gif', 'webp'];
const LIMITS = { pixels: 100e6, side: 65500, frames: 300 }; // pixels of a page, or of a whole animation
const SECONDS = 4; // what libvips may take for one reading
// What a file begins with that is decoded here, and what else claims to be a picture.
const DECODED = [/^\xff\xd8\xff/, /^\x89PNG/, /^GIF8/, /^RIFF....WEBP/s, /^(II\*\0|MM\0\*)/,
  /^....ftyp(avif|avis|heic|heix|hevc|mif1|msf1)/s];
const CLAIMED = [/^BM....\0{4}/s, /^\0\0[\1\2]\0/, /^\s*(<\?xml[^]*)?<svg/, /^\xff\x0a/, /^8BPS/, /^....jP {2}/s];

/** Returns the views of a file, its digests and how much of it they stand for. Bad bytes never throw. */
async function viewsOf(bytes) {
  const views = [];
  const digests = [digest(bytes)];
  if (!startsLike(DECODED, bytes)) {
    return { views, digests, reading: startsLike(CLAIMED, bytes) ? 'partly' : 'not_a_picture' };
  }
  const about = await metadata(bytes);
  if (about === null || !KNOWN.includes(about.format)) return { views, digests, reading: 'partly' };
  let whole = !hasUnseenFrames(bytes, about);
  for (const page of pages(about)) {
    for (const look of readings(about)) {
      const found = await decoded(bytes, { ...page, ...look });
      whole &&= found.whole;
      views.push(...found.views);
    }
  }
  whole &&= views.length > 0 && (about.pages ?? 1) <= LIMITS.frames;
  return { views, digests, reading: whole ? 'whole' : 'partly' };
}

/** Returns the usual view of a file first: what most viewers show. Rejects if there is none. */
async function decode(bytes) {
  const { views } = await viewsOf(bytes);
  if (views.length === 0) throw new Error('this picture cannot be decoded; is sharp installed whole?');
  return views;
}

/** Screens a file as it will be sent. */
async function screenFile(gate, bytes, { signal } = {}) {
  signal?.throwIfAborted();
  const job = viewsOf(bytes).then(({ views, ...known }) => gate.screen(views, { ...known, signal }));
  return orAborted(job, signal);
}

async function metadata(bytes) {
  return sharp(bytes, { failOn: 'none' }).metadata().catch(() => null);
}

/**
 * Returns a new JPEG of what a view shows over white, and of nothing else. To be sent in place of a
 * file that can be read in more ways than sharp reads it: what is shown is then what was screened.
 */
async function encoded({ data, width, height, format }) {
  const raw = { width, height, channels: { gray: 1, rgb: 3, rgba: 4 }[format] };
  return sharp(data, { raw }).flatten({ background: 'white' }).jpeg({ quality: 90 }).toBuffer();
}

function startsLike(kinds, bytes) {
  const start = Buffer.from(bytes.subarray(0, 512)).toString('latin1');
  return kinds.some((kind) => kind.test(start));
}

// libvips shows the first picture of an animated PNG, which says that it is one before its pixels.
function hasUnseenFrames(bytes, { format }) {
  if (format !== 'png') return false;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return file.subarray(0, file.indexOf('IDAT')).includes('acTL');
}

/** Which pages are decoded at once: all frames of an animation, but one page of other files. */
function pages({ format, pages: count = 1 }) {
  if (ANIMATED.includes(format)) return [{ page: 0, pages: Math.min(count, LIMITS.frames) }];
  return Array.from({ length: Math.min(count, LIMITS.frames) }, (_, page) => ({ page }));
}

/** Colours by their profile and as they are; turned upright, and as stored where viewers disagree. */
function readings({ format, icc, orientation = 1, pages: count = 1 }) {
  const turned = orientation > 1 && !(count > 1); // libvips does not turn animations; the core looks all ways
  const turns = [turned, ...(turned && format !== 'jpeg' ? [false] : [])];
  const colours = icc ? [false, true] : [false];
  return turns.flatMap((autoOrient) => colours.map((ignoreIcc) => ({ autoOrient, ignoreIcc })));
}

/** Decodes strictly; then, if that fails, what a viewer would still show. */
async function decoded(bytes, options) {
  for (const failOn of ['error', 'none']) {
    try {
      const image = sharp(bytes, { ...options, failOn, limitInputPixels: LIMITS.pixels });
      const raw = await image.timeout({ seconds: SECONDS }).toColourspace('srgb').raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true });
      return { views: frames(raw), whole: failOn === 'error' };
    } catch {
      // Some part of it is broken or over a limit: the verdict will say that it was not read.
    }
  }
  return { views: [], whole: false };
}

/** An animation's frames lie below each other in one buffer; none is copied. */
function frames({ data, info: { width, height, channels, pageHeight = height } }) {
  const format = { 1: 'gray', 3: 'rgb', 4: 'rgba' }[channels];
  if (!format || Math.max(width, pageHeight) > LIMITS.side) throw new RangeError('these pixels are not compared');
  const size = width * pageHeight * channels;
  return Array.from({ length: height / pageHeight }, (_, frame) =>
    ({ data: data.subarray(frame * size, (frame + 1) * size), width, height: pageHeight, format }));
}

module.exports = { decode, encoded, screenFile, viewsOf };
