'use strict';
// Compares pixels with hash lists on a worker thread. What each call means: index.d.ts, doorsill.h.

const crypto = require('node:crypto');
const fs = require('node:fs/promises');
const path = require('node:path');
const { markAsUntransferable } = require('node:worker_threads');
const { orAborted } = require('./aborted.js');
const addon = require('./build/Release/doorsill.node');

// In the order of the numbers in doorsill.h.
const OUTCOMES = ['clear', 'match', 'unhashable', 'unreadable', 'out_of_scope'];
const ACTIONS = ['send', 'warn', 'block'];
const EVIDENCE = ['none', 'contradicted', 'neural_only', 'single', 'agreed', 'exact'];
const READINGS = ['whole', 'partly', 'not_a_picture'];
const TIERS = ['none', 'signed', 'witnessed', 'approved'];
const PROFILES = ['full', 'cpp512'];
const GROUNDS = ['white', 'black', 'gray', 'ignored'];
const FORMATS = { gray: [1, 1], rgb: [2, 3], rgbx: [3, 4], bgrx: [4, 4], rgba: [5, 4], bgra: [6, 4],
  gray16: [7, 2] }; // [number, bytes a pixel]
const TEST_CARD = path.join(__dirname, '../../sdk/doorsill/data/testcard.png');

const USUAL_EVIDENCE = { contradicted: 'warn', neural_only: 'warn', single: 'block', agreed: 'warn',
  exact: 'block' };
const USUAL_OUTCOME = { clear: 'send', unhashable: 'send', unreadable: 'warn', out_of_scope: 'send' };
const USUAL_LIMIT = 31;

/** Stands before lists; every picture that is sent passes `screen`. */
class Gate {
  #lists;
  #policy;

  constructor(lists, policy) {
    this.#lists = lists;
    this.#policy = policy;
    this.lists = lists.map(({ name, entries, epoch, demo, tier }) =>
      Object.freeze({ name, entries, epoch, demo, tier: TIERS[tier] }));
  }

  static async open(lists, { trust, decode, policy = {} } = {}) {
    const files = [lists].flat();
    if (files.length === 0) throw new TypeError('a Gate without a list would clear everything');
    if (trust === undefined) {
      throw new TypeError("say whom lists are trusted by: {policy, tier}, or 'none' for your own files");
    }
    const opened = await Promise.all(files.map((file) => openList(file, trust)));
    const gate = new Gate(opened, corePolicy(policy));
    await gate.#selfTest(decode ?? require('./views.js').decode);
    return gate;
  }

  async #selfTest(decode) {
    const [card] = await decode(await fs.readFile(TEST_CARD));
    await addon.screen(this.#lists, [coreView(card)], [], 0, this.#policy, new Uint8Array(1), true);
  }

  async screen(views, { digests = [], reading = 'whole', signal } = {}) {
    signal?.throwIfAborted();
    const cancelled = new Uint8Array(1);
    if (views.length === 0 && reading === 'whole') throw new TypeError('without pixels nothing was read whole');
    const pixels = views.map(coreView);
    const job = addon.screen(this.#lists, pixels, digests.map(digestBytes), indexOf(READINGS, reading, 'reading'),
      this.#policy, cancelled, false);
    return named(await orAborted(job, signal, () => { cancelled[0] = 1; }));
  }
}

/** The digests of a file that lists may hold. */
function digest(bytes) {
  const of = (kind) => crypto.createHash(kind).update(bytes).digest();
  return { sha256: of('sha256'), sha1: of('sha1'), md5: of('md5') };
}

async function openList(file, trust) {
  try {
    const bytes = await fs.readFile(file);
    return addon.open(bytes, trust === 'none' ? null : await coreTrust(file, trust));
  } catch (error) {
    error.message = `${file}: ${error.message}`;
    throw error;
  }
}

async function coreTrust(file, { policy, tier = 'witnessed', now = 0 }) {
  const proof = await fs.readFile(`${file}.tlog-proof`);
  return { policy: Buffer.from(policy), proof, tier: indexOf(TIERS, tier, 'tier'), now, sha256, verify };
}

function sha256(data) {
  return crypto.createHash('sha256').update(data).digest();
}

function verify(key, message, signature) {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
  return crypto.verify(null, message, { key: jwk, format: 'jwk' }, signature);
}

function indexOf(names, name, what) {
  const index = names.indexOf(name);
  if (index < 0) throw new TypeError(`${what} is one of ${names.join(', ')}, not ${name}`);
  return index;
}

function corePolicy({ onEvidence = {}, onOutcome = {}, pdqLimit = USUAL_LIMIT, quenched = [] }) {
  const actions = (names, usual, own) => {
    for (const name of Object.keys(own)) indexOf(Object.keys(usual), name, 'a rule of the policy');
    const rules = { ...usual, ...own };
    return Uint8Array.from(names, (name) => (name in rules ? indexOf(ACTIONS, rules[name], name) : 0));
  };
  for (const id of quenched) {
    if (!/^[0-9a-f]{12}$/.test(id)) throw new TypeError(`an entry's id is 12 hex digits, not ${id}`);
  }
  return { onEvidence: actions(EVIDENCE, USUAL_EVIDENCE, onEvidence),
    onOutcome: actions(OUTCOMES, USUAL_OUTCOME, onOutcome),
    pdqLimit, quenched: Buffer.from([...quenched].sort().join(''), 'hex') };
}

function coreView({ data, width, height, format, stride }) {
  if (!(format in FORMATS)) throw new TypeError(`format is one of ${Object.keys(FORMATS).join(', ')}, not ${format}`);
  if (!(data instanceof Uint8Array)) throw new TypeError('data is a Buffer or Uint8Array of pixels');
  if (data.buffer.resizable) throw new TypeError('pixels in a resizable ArrayBuffer could be taken away; copy them');
  const [number, bytes] = FORMATS[format];
  const step = stride ?? width * bytes;
  const needed = Math.abs(step) * (height - 1) + width * bytes;
  if (!(Math.abs(step) >= width * bytes && data.length >= needed)) {
    throw new RangeError(`${width} x ${height} pixels of ${format} take ${needed} bytes, not ${data.length}`);
  }
  // The thread reads the memory in place; nobody may take it away meanwhile.
  if (data.buffer instanceof ArrayBuffer) markAsUntransferable(data.buffer);
  return { data, width, height, format: number, stride: step };
}

function digestBytes({ sha256, sha1, md5 }) {
  return Buffer.concat([sha256, sha1, md5]);
}

function named(verdict) {
  const matches = verdict.matches.map((match) => ({ ...match, action: ACTIONS[match.action],
    evidence: EVIDENCE[match.evidence], profile: PROFILES[match.profile], ground: GROUNDS[match.ground] }));
  return { ...verdict, outcome: OUTCOMES[verdict.outcome], action: ACTIONS[verdict.action],
    evidence: EVIDENCE[verdict.evidence], matches };
}

module.exports = { Gate, digest, version: addon.version };
