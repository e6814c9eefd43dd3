'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const sharp = require('sharp');
const { Gate } = require('../index.js');
const { encoded, screenFile, viewsOf } = require('../views.js');

// Another folder of this form, to measure with: tests/data/vectors/make_files.py writes every trap to one.
const FOLDER = process.env.DOORSILL_FILES ?? path.join(__dirname, '../../../tests/data/vectors');
const DATA = path.join(__dirname, '../../../sdk/doorsill/data');
const BITS = 4;

/** Whether a verdict is the expected one; in hard rows "unreadable" or another distance will do. */
function isAsExpected({ outcome, matches: [first] }, { expected, hard }) {
  if (hard && outcome === 'unreadable') return true;
  return outcome === expected.outcome && first?.entry === expected.entry &&
    (hard || Math.abs((first?.distance ?? 0) - (expected.distance ?? 0)) <= BITS);
}

test('the shared files get the outcome and entry that Python gives, within 4 bits', async (context) => {
  const { list, rows } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'files.json')));
  const gate = await Gate.open(path.join(FOLDER, list), { trust: 'none' });
  const wrong = [];
  for (const row of rows) {
    const verdict = await screenFile(gate, fs.readFileSync(path.join(FOLDER, row.file)));
    if (verdict.outcome !== row.expected.outcome) context.diagnostic(`${row.file}: ${verdict.outcome}`);
    if (!isAsExpected(verdict, row)) wrong.push(`${row.file}: ${verdict.outcome}, ${verdict.matches[0]?.distance}`);
  }
  assert.deepEqual(wrong, []);
});

test('a view encoded anew is read in one way, and shows what was screened', async () => {
  const { list, rows } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'files.json')));
  const gate = await Gate.open(path.join(FOLDER, list), { trust: 'none' });
  for (const { file } of rows) {
    const { views: [shown] } = await viewsOf(fs.readFileSync(path.join(FOLDER, file)));
    if (!shown) continue;
    const { views, reading } = await viewsOf(await encoded(shown));
    assert.equal(reading, 'whole');
    assert.deepEqual([views.length, views[0].width, views[0].height], [1, shown.width, shown.height]);
    if (shown.format === 'rgba') continue; // over white it may be another picture
    const before = await gate.screen([shown]);
    const after = await gate.screen(views);
    assert.equal(after.outcome, before.outcome, file);
  }
});

test('what clients make of a picture before they send it keeps its outcome', async () => {
  const gate = await Gate.open(path.join(DATA, 'demo.dsl'), { trust: 'none' });
  const clients = { 1280: 87, 1600: 70, 640: 80 };
  for (const [file, outcome] of [['lighthouse', 'match'], ['coffee', 'clear']]) {
    for (const [side, quality] of Object.entries(clients)) {
      const sent = await sharp(path.join(DATA, `${file}.jpg`)).resize(+side, +side, { fit: 'inside', withoutEnlargement: true })
        .jpeg({ quality }).toBuffer();
      const verdict = await screenFile(gate, sent);
      assert.equal(verdict.outcome, outcome, `${file} ${side}`);
      assert.equal(verdict.matches.length, outcome === 'match' ? 1 : 0);
    }
  }
});
