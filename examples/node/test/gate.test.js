'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const sharp = require('sharp');
const addon = require('../build/Release/doorsill.node');
const { Gate, digest, version } = require('../index.js');
const { screenFile } = require('../views.js');

const DATA = path.join(__dirname, '../../../sdk/doorsill/data');
const DEMO = path.join(DATA, 'demo.dsl');
const LIGHTHOUSE = fs.readFileSync(path.join(DATA, 'lighthouse.jpg'));

const open = (options) => Gate.open(DEMO, { trust: 'none', ...options });
const plain = (width, height, format = 'rgb') =>
  ({ data: new Uint8Array(width * height * 4), width, height, format });

function written(bytes) {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'doorsill-')), 'list.dsl');
  fs.writeFileSync(file, bytes);
  return file;
}

test('the version is that of the header', () => {
  const header = fs.readFileSync(path.join(__dirname, '../../../native/include/doorsill.h'), 'utf8');
  assert.equal(version, /DOORSILL_VERSION "(.*)"/.exec(header)[1]);
});

test('a list that is missing, no list, or damaged is an error that names it', async () => {
  const list = fs.readFileSync(DEMO);
  const bent = Buffer.from(list);
  bent[100] ^= 1;
  for (const [bytes, code] of [[Buffer.from('no list'), 'DOORSILL_NOT_A_LIST'], [Buffer.alloc(0), 'DOORSILL_NOT_A_LIST'],
    [list.subarray(0, 500), 'DOORSILL_DAMAGED_LIST'], [bent, 'DOORSILL_DAMAGED_LIST']]) {
    const file = written(bytes);
    await assert.rejects(Gate.open(file, { trust: 'none' }), { code, message: new RegExp(path.basename(file)) });
  }
  await assert.rejects(Gate.open('/no/such/list', { trust: 'none' }), { code: 'ENOENT' });
});

test('no gate opens without a list, without saying whom it trusts, or with a rule that is none', async () => {
  await assert.rejects(Gate.open([], { trust: 'none' }), TypeError);
  await assert.rejects(Gate.open(DEMO), /whom lists are trusted by/);
  await assert.rejects(open({ policy: { onEvidence: { singel: 'warn' } } }), /singel/);
  await assert.rejects(open({ policy: { onOutcome: { clear: 'report' } } }), /report/);
  await assert.rejects(open({ policy: { quenched: ['xyz'] } }), /12 hex digits/);
  await assert.rejects(open({ policy: { pdqLimit: 65 } }), { code: 'DOORSILL_BAD_ARGUMENT' });
});

test('a list whose proof is missing is not opened as a signed one', async () => {
  await assert.rejects(Gate.open(DEMO, { trust: { policy: 'log x' } }), { code: 'ENOENT' });
});

test('a gate does not open if decoder, list or policy is not wired: the test card shows it', async () => {
  const wrong = { code: 'DOORSILL_NOT_WIRED' };
  await assert.rejects(open({ decode: async () => [plain(1024, 768)] }), wrong);
  await assert.rejects(open({ policy: { pdqLimit: 0, quenched: [await cardId()] } }), wrong);
  const other = path.join(__dirname, '../../../tests/data/vectors/list.dsl'); // carries no test card
  await assert.rejects(Gate.open([DEMO, other], { trust: 'none' }), wrong);
  await assert.rejects(open({ decode: async () => { throw new Error('no codec'); } }), /no codec/);
});

async function cardId() {
  const verdict = await screenFile(await open(), fs.readFileSync(path.join(DATA, 'testcard.png')));
  assert.ok(verdict.matches[0].test);
  return verdict.matches[0].entry;
}

test('a listed picture is blocked, with the words of its list; the host may be milder', async () => {
  const verdict = await screenFile(await open(), LIGHTHOUSE);
  assert.equal(verdict.action, 'block');
  assert.equal(verdict.evidence, 'exact');
  assert.match(verdict.matches[0].help, /^https:/);
  const mild = await open({ policy: { onEvidence: { exact: 'warn', single: 'send' } } });
  assert.equal((await screenFile(mild, LIGHTHOUSE)).action, 'warn');
  const blind = await open({ policy: { quenched: [verdict.matches[0].entry] } });
  assert.equal((await screenFile(blind, LIGHTHOUSE)).outcome, 'clear');
});

test('digests alone find a file, and what was not read is said', async () => {
  const gate = await open();
  const found = await gate.screen([], { digests: [digest(LIGHTHOUSE)], reading: 'not_a_picture' });
  assert.equal(found.matches[0].hasher, 'digest');
  await assert.rejects(gate.screen([]), /nothing was read/);
  assert.equal((await gate.screen([], { reading: 'partly' })).outcome, 'unreadable');
  assert.equal((await gate.screen([], { reading: 'not_a_picture' })).outcome, 'out_of_scope');
  await assert.rejects(gate.screen([], { reading: 'mostly' }), /reading is one of/);
});

test('pixels that do not fill their picture are refused, by both sides', async () => {
  const gate = await open();
  for (const change of [{ width: 65 }, { height: 2 ** 31 }, { stride: 10 }, { stride: 2 ** 40 }, { stride: -(2 ** 40) },
    { width: 0 }, { height: NaN }, { format: 'cmyk' }, { data: 'pixels' }, { width: 70000, data: new Uint8Array(300000), height: 1 }]) {
    await assert.rejects(gate.screen([{ ...plain(64, 64, 'rgba'), ...change }]), Error, JSON.stringify(change));
  }
  const opened = addon.open(fs.readFileSync(DEMO), null);
  const policy = { onEvidence: new Uint8Array(6), onOutcome: new Uint8Array(5), pdqLimit: 31, quenched: new Uint8Array(0) };
  const call = (change) => addon.screen([opened], [{ data: new Uint8Array(48), width: 4, height: 4, format: 2, stride: 12, ...change }],
    [], 0, policy, new Uint8Array(1), false);
  for (const change of [{ height: 5 }, { stride: 11 }, { stride: -13 }, { format: 0 }, { format: 8 }, { width: 1e9 },
    { data: new Float32Array(48) }, { data: null }, { width: undefined }, { stride: Infinity }]) {
    assert.throws(() => call(change), TypeError, JSON.stringify(change));
  }
  assert.throws(() => addon.screen([{}], [], [], 0, policy, new Uint8Array(1), false), TypeError);
  assert.throws(() => addon.screen([opened], [], [], 0, policy, new Uint8Array(0), false), TypeError);
  assert.throws(() => addon.screen([opened]), TypeError);
  await assert.rejects(addon.screen([opened], [], [], 9, policy, new Uint8Array(1), false), { code: 'DOORSILL_BAD_ARGUMENT' });
});

test('cancelling rejects with the reason in under 50 ms; the gate goes on', async () => {
  const gate = await open();
  const large = Array.from({ length: 20 }, () => plain(4000, 3000, 'rgba'));
  const stop = new AbortController();
  const job = gate.screen(large, { signal: stop.signal });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const began = performance.now();
  stop.abort(new Error('the person pressed cancel'));
  await assert.rejects(job, /pressed cancel/);
  assert.ok(performance.now() - began < 50);
  await assert.rejects(gate.screen([plain(9, 9)], { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal((await screenFile(gate, LIGHTHOUSE)).action, 'block');
});

test('cancelling does not wait for a decoder', async () => {
  const gate = await open();
  const large = await sharp(LIGHTHOUSE).resize(4000, 3000, { fit: 'fill' }).jpeg().toBuffer();
  const stop = new AbortController();
  const job = screenFile(gate, large, { signal: stop.signal });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const began = performance.now();
  stop.abort();
  await assert.rejects(job, { name: 'AbortError' });
  assert.ok(performance.now() - began < 50);
});

test('pixels being screened cannot be taken away', async () => {
  const gate = await open();
  const view = plain(4000, 3000);
  const job = gate.screen([view]);
  try {
    structuredClone(view.data.buffer, { transfer: [view.data.buffer] });
  } catch (error) {
    assert.equal(error.name, 'DataCloneError'); // newer Nodes say so, older ones copy
  }
  assert.equal(view.data.length, 4 * 12e6);
  const resizable = new Uint8Array(new ArrayBuffer(3, { maxByteLength: 9 }));
  await assert.rejects(gate.screen([{ data: resizable, width: 1, height: 1, format: 'rgb' }]), /resizable/);
  assert.equal((await job).outcome, 'unhashable');
});

test('a picture that is longer than the core takes is unreadable, not an error', async () => {
  const long = await sharp({ create: { width: 66000, height: 2, channels: 3, background: 'teal' } }).png().toBuffer();
  assert.equal((await screenFile(await open(), long)).outcome, 'unreadable');
});

test('many screenings at a time each get their own verdict', async () => {
  const gate = await open();
  const coffee = fs.readFileSync(path.join(DATA, 'coffee.jpg'));
  const verdicts = await Promise.all(Array.from({ length: 40 }, (_, i) => screenFile(gate, i % 2 ? LIGHTHOUSE : coffee)));
  verdicts.forEach((verdict, i) => assert.equal(verdict.outcome, i % 2 ? 'match' : 'clear'));
});
