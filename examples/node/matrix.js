'use strict';
// A matrix-js-sdk client whose files pass doorsill before they are encrypted and uploaded.

globalThis.window ??= globalThis; // matrix-js-sdk 37 asks for it
const { Attachment, EncryptedAttachment } = require('@matrix-org/matrix-sdk-crypto-wasm');
const sdk = require('matrix-js-sdk');
const { mayBeSent } = require('./hook.js');

/** Logs in, starts encryption and waits for the first sync. */
async function start(baseUrl, name, password) {
  const login = await sdk.createClient({ baseUrl }).loginRequest({ type: 'm.login.password',
    identifier: { type: 'm.id.user', user: name }, password });
  const client = sdk.createClient({ baseUrl, userId: login.user_id, deviceId: login.device_id,
    accessToken: login.access_token });
  await client.initRustCrypto({ useIndexedDB: false }); // Node has no IndexedDB: keys live in memory
  await client.startClient({ initialSyncLimit: 10 });
  await new Promise((resolve) => client.once(sdk.ClientEvent.Sync, resolve));
  return client;
}

/** Screens a file, encrypts it, uploads it and sends the message; rejects with NotSent otherwise. */
async function sendPicture(client, gate, roomId, file, { name = 'picture', ...options } = {}) {
  const sent = await mayBeSent(gate, file, options);
  const secret = Attachment.encrypt(sent);
  const { content_uri: url } = await client.uploadContent(new Blob([secret.encryptedData]),
    { includeFilename: false, type: 'application/octet-stream' });
  const content = { msgtype: sdk.MsgType.Image, body: name, info: { size: sent.length },
    file: { ...JSON.parse(secret.mediaEncryptionInfo), url } };
  return client.sendMessage(roomId, content);
}

/** Downloads the file of a decrypted message and decrypts it. */
async function receivePicture(client, event) {
  const { file } = event.getContent();
  const address = client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
  const answer = await fetch(address, { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status} ${answer.statusText}`);
  const encrypted = new Uint8Array(await answer.arrayBuffer());
  return Attachment.decrypt(new EncryptedAttachment(encrypted, JSON.stringify(file)));
}

module.exports = { receivePicture, sendPicture, start };
