'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { NotSent, mayBeSent } = require('../hook.js');
const { Gate } = require('../index.js');

const DATA = path.join(__dirname, '../../../sdk/doorsill/data');
const read = (name) => fs.readFileSync(path.join(DATA, name));
const open = () => Gate.open(path.join(DATA, 'demo.dsl'), { trust: 'none' });

test('what is returned is what was screened, whatever becomes of the file meanwhile', async () => {
  const file = Uint8Array.from(read('coffee.jpg'));
  const asked = mayBeSent(await open(), file);
  file.set(read('lighthouse.jpg').subarray(0, file.length));
  assert.deepEqual(Buffer.from(await asked), read('coffee.jpg'));
});

test('what is blocked is not sent, and nobody is asked', async () => {
  const confirm = async () => assert.fail('asked');
  await assert.rejects(mayBeSent(await open(), read('lighthouse.jpg'), { confirm }),
    (error) => error instanceof NotSent && error.verdict.matches[0].list.startsWith('DEMO'));
});

test('what is warned of is sent only once it is confirmed', async () => {
  const gate = await open();
  const cut = read('coffee.jpg').subarray(0, 300);
  await assert.rejects(mayBeSent(gate, cut), NotSent);
  await assert.rejects(mayBeSent(gate, cut, { confirm: async () => false }), NotSent);
  const sent = await mayBeSent(gate, cut, { confirm: async ({ outcome }) => outcome === 'unreadable' });
  assert.deepEqual(Buffer.from(sent), cut);
});

test('files that are no pictures are sent', async () => {
  const words = Buffer.from('see you at eight');
  assert.deepEqual(Buffer.from(await mayBeSent(await open(), words)), words);
});
