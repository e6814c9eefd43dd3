// What a host in TypeScript writes; compiled, never run.
import { Gate, Verdict } from '../index';
import { screenFile } from '../views';

export async function send(file: Uint8Array, upload: (file: Uint8Array) => Promise<void>): Promise<Verdict> {
  const gate = await Gate.open('list.dsl', { trust: { policy: 'log', tier: 'witnessed' } });
  const verdict = await screenFile(gate, file, { signal: AbortSignal.timeout(4000) });
  if (verdict.action === 'send') await upload(file);
  // @ts-expect-error - a host that does not say whom it trusts does not compile
  await Gate.open('list.dsl', {});
  return verdict;
}
