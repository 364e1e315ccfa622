import fc from 'fast-check';
import { randomWorld } from '../random-world.ts';
import { playWorld } from '../world-builder.ts';
const [n, seed] = process.argv.slice(2).map(Number);
const seen = new Map<string, number>();
const worlds = fc.sample(randomWorld, { numRuns: n, seed: seed || 7 });
for (let i = 0; i < n; i++) {
  try {
    playWorld(worlds[i].world, { ...worlds[i].setup, limits: { pending: 100000, atOneInstant: 20000 } as never });
  } catch (e) {
    const err = e as Error & { evidence?: string[] };
    const key = err.message.replace(/\d+(\.\d+)?/g, 'N').slice(0, 120);
    seen.set(key, (seen.get(key) ?? 0) + 1);
    if (seen.get(key)! <= 2) {
      console.log(
        i,
        (err.stack ?? '').split('\n').slice(0, 9).join('\n   '),
        '\n   ',
        (err.evidence ?? []).slice(0, 12).join('\n    '),
      );
      const w = worlds[i];
      console.log(
        JSON.stringify({
          f: w.world.faults.map((f) => [f.type, f.schedule, f.targets.length, (f as any).link]),
          s: w.world.services.map((s) => [s.startupMs, s.instances.length]),
          p: Object.entries(w.setup.edges!).map(([k, v]) => k + ':' + Object.keys(v)),
          ss: Object.entries(w.setup.services!).map(([k, v]) => k + ':' + Object.keys(v)),
        }),
      );
    }
  }
}
console.log([...seen]);
