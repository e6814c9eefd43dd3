'use strict';
// The question that a client asks at the last point where a file is still plain.

const { screenFile } = require('./views.js');

/** Thrown where a file must not be sent, or not yet; the verdict says why. */
class NotSent extends Error {
  constructor(verdict) {
    super(`not sent: ${verdict.reason}`);
    this.name = 'NotSent';
    this.verdict = verdict;
  }
}

/**
 * Returns a copy of a file that may be sent, and throws NotSent otherwise. Send the copy: it is what
 * was screened, and nobody can change it in between. `confirm` is asked where the verdict is `warn`;
 * the answer is no where it is left out.
 */
async function mayBeSent(gate, file, { confirm = async () => false, signal } = {}) {
  const sent = Uint8Array.from(file);
  const verdict = await screenFile(gate, sent, { signal });
  if (verdict.action === 'block' || (verdict.action === 'warn' && !(await confirm(verdict)))) {
    throw new NotSent(verdict);
  }
  return sent;
}

module.exports = { NotSent, mayBeSent };
