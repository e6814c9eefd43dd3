'use strict';
// Two people, an encrypted room and a real server: `run matrix` starts one. The SDK leaves timers of two
// minutes behind, so node is told to end when the test has (--test-force-exit).
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const sharp = require('sharp');

const { DOORSILL_MATRIX_URL: URL, DOORSILL_MATRIX_ALICE: ALICE, DOORSILL_MATRIX_BOB: BOB,
  DOORSILL_MATRIX_MEDIA: MEDIA } = process.env;
for (const step of ['debug', 'info', 'log']) console[step] = () => {}; // the SDK tells each
if (!URL) throw new Error('no server: start this with `run matrix`');
const DATA = path.join(__dirname, '../../../sdk/doorsill/data');

function bytesOnServer() {
  return fs.readdirSync(MEDIA, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    .reduce((sum, each) => sum + fs.statSync(path.join(each.path, each.name)).size, 0);
}

/** The next decrypted picture that a client is sent. */
function nextPicture(client, sdk) {
  return new Promise((resolve) => {
    const look = (event) => {
      if (event.getContent().msgtype === sdk.MsgType.Image) resolve(event);
    };
    client.on(sdk.MatrixEventEvent.Decrypted, look);
    client.on(sdk.RoomEvent.Timeline, look);
  });
}

async function encryptedRoom(alice, bob, sdk) {
  const { room_id: room } = await alice.createRoom({ preset: 'trusted_private_chat', invite: [bob.getUserId()],
    initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] });
  await bob.joinRoom(room);
  for (let wait = 0; wait < 200; wait++) {
    if (alice.getRoom(room)?.getMember(bob.getUserId())?.membership === 'join') return room;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('bob did not appear in the room within 10 s');
}

test('an ordinary photo arrives byte for byte; of a listed one the server gets no byte', async () => {
  const { NotSent } = require('../hook.js');
  const { receivePicture, sendPicture, start } = require('../matrix.js');
  const { Gate } = require('../index.js');
  const sdk = require('matrix-js-sdk');
  const gate = await Gate.open(path.join(DATA, 'demo.dsl'), { trust: 'none' });
  const [alice, bob] = await Promise.all([start(URL, 'alice', ALICE), start(URL, 'bob', BOB)]);
  try {
    const room = await encryptedRoom(alice, bob, sdk);
    const photo = fs.readFileSync(path.join(DATA, 'coffee.jpg'));
    const before = bytesOnServer();
    const arriving = nextPicture(bob, sdk);
    await sendPicture(alice, gate, room, photo);
    const event = await arriving;
    assert.ok(event.isEncrypted());
    assert.deepEqual(Buffer.from(await receivePicture(bob, event)), photo);
    const held = bytesOnServer();
    assert.equal(held - before, photo.length); // encrypted, nothing else
    assert.ok(!fs.readdirSync(MEDIA, { recursive: true, withFileTypes: true }).some((each) => each.isFile() &&
      fs.readFileSync(path.join(each.path, each.name)).equals(photo)));

    const listed = await sharp(path.join(DATA, 'lighthouse.jpg')).resize(1280).jpeg({ quality: 87 }).toBuffer();
    let asked = 0;
    const { uploadContent } = alice;
    alice.uploadContent = (...all) => { asked++; return uploadContent.apply(alice, all); };
    await assert.rejects(sendPicture(alice, gate, room, listed), (error) => error instanceof NotSent &&
      error.verdict.action === 'block' && error.verdict.evidence === 'single');
    assert.equal(asked, 0);
    assert.equal(bytesOnServer(), held);

    const warned = listed.subarray(0, 300); // a picture that cannot be read: sent once it is confirmed
    await assert.rejects(sendPicture(alice, gate, room, warned), NotSent);
    assert.equal(bytesOnServer(), held);
    await sendPicture(alice, gate, room, warned, { confirm: async (verdict) => verdict.outcome === 'unreadable' });
    assert.equal(bytesOnServer(), held + warned.length);
  } finally {
    alice.stopClient();
    bob.stopClient();
  }
});
