'use strict';
// Signed lists, on the questions that the core's own tests ask (tests/data/vectors/releases.txt).
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Gate } = require('../index.js');

const VECTORS = path.join(__dirname, '../../../tests/data/vectors/releases.txt');
const TIERS = ['none', 'signed', 'witnessed', 'approved'];

function questions() {
  const lines = fs.readFileSync(VECTORS, 'utf8').trimEnd().split('\n').map((line) => line.split(' '));
  const texts = lines.filter(([kind]) => kind === 'text').map(([, base64]) => Buffer.from(base64 ?? '', 'base64'));
  return lines.filter(([kind, , , , memory, , , , list]) => kind === 'release' && memory === '-' && list !== '-')
    .map(([, answer, tier, now, , policy, , proof, list]) =>
      ({ answer, tier: TIERS[tier], now: Number(now), policy: texts[policy], proof: texts[proof], list: texts[list] }));
}

test('a list opens only by the signatures that its host asks for', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'doorsill-'));
  const file = path.join(folder, 'list.dsl');
  let good = 0;
  let refused = 0;
  for (const { answer, tier, now, policy, proof, list } of questions()) {
    fs.writeFileSync(file, list);
    fs.writeFileSync(`${file}.tlog-proof`, proof);
    const error = await Gate.open(file, { trust: { policy, tier, now } }).catch((why) => why);
    if (answer === 'ok') { // trusted; its bytes are no list, or one of another test
      assert.ok(['DOORSILL_NOT_A_LIST', 'DOORSILL_NOT_WIRED'].includes(error.code), error.message);
      good++;
    } else {
      assert.equal(error.code, `DOORSILL_${answer.toUpperCase()}`, error.message);
      refused++;
    }
  }
  assert.ok(good >= 3 && refused >= 10, `${good} good, ${refused} refused`);
});
