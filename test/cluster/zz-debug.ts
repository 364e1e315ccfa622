import fc from 'fast-check';
import { randomWorld } from './random-world.ts';
import { playWorld } from './world-builder.ts';
const [from, to, seed] = process.argv.slice(2).map(Number);
const t0 = performance.now();
const worlds = fc.sample(randomWorld, { numRuns: to, seed: seed || 7 });
console.log('sampled', performance.now() - t0);
const seen = new Map<string, number>();
for (let i = from; i < to; i++) {
  const t = performance.now();
  try {
    const r = playWorld(worlds[i].world, { ...worlds[i].setup, waterfall: 2, limits: { pending: 100000, atOneInstant: 20000 } });
    const took = performance.now() - t;
    if (took > 500 || r.events > 200000) console.log(i, 'slow', took, r.events);
  } catch (e) {
    const err = e as Error & { evidence?: string[] };
    const line = (err.stack ?? '').split('\n').slice(0, 7).join('\n   ');
    const key = err.message.replace(/\d+(\.\d+)?/g, 'N').slice(0, 120);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (seen.get(key) === 1) console.log(i, line, '\n   ', (err.evidence ?? []).slice(0, 1).join('\n'));
  }
}
console.log([...seen]);
