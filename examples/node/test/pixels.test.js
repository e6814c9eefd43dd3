'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Gate } = require('../index.js');
const { drawn } = require('./drawn.js');

const FOLDER = path.join(__dirname, '../../../tests/data/vectors');

function summary({ outcome, action, quality, matches: [first] }) {
  const match = first && { entry: first.entry, distance: first.distance, profile: first.profile };
  return { outcome, action, quality, ...match };
}

test('the shared vectors of pixels get the verdicts that Python gives', async () => {
  const { list, photos, rows } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'pixels.json')));
  const gate = await Gate.open(path.join(FOLDER, list), { trust: 'none' });
  assert.ok(rows.length >= 200);
  for (const row of rows) {
    const verdict = await gate.screen([drawn(row, photos)]);
    assert.deepEqual(summary(verdict), row.expected, JSON.stringify(row));
  }
});

test('a view among others is found, and named', async () => {
  const { list, photos, rows } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'pixels.json')));
  const gate = await Gate.open(path.join(FOLDER, list), { trust: 'none' });
  const clear = rows.find((row) => row.expected.outcome === 'clear' && row.format === 'rgba');
  const match = rows.find((row) => row.expected.action === 'block' && row.format === 'bgra');
  const verdict = await gate.screen([clear, match].map((row) => drawn(row, photos)));
  assert.equal(verdict.matches[0].view, 1);
  assert.equal(verdict.matches[0].entry, match.expected.entry);
});
