// What a host in TypeScript writes; compiled, never run.
import { mayBeSent } from '../hook';
import { Gate, Verdict } from '../index';
import { encoded, viewsOf } from '../views';

export async function send(file: Uint8Array, upload: (file: Uint8Array) => Promise<void>): Promise<Verdict> {
  const gate = await Gate.open('list.dsl', { trust: { policy: 'log', tier: 'witnessed' } });
  const confirm = async (verdict: Verdict) => verdict.evidence !== 'exact';
  await upload(await mayBeSent(gate, file, { confirm, signal: AbortSignal.timeout(4000) }));
  const { views, digests, reading } = await viewsOf(file);
  await upload(await encoded(views[0]));
  const verdict = await gate.screen(views, { digests, reading });
  // @ts-expect-error - a host that does not say whom it trusts does not compile
  await Gate.open('list.dsl', {});
  return verdict;
}
