import fc from 'fast-check';
import { randomWorld } from './random-world.ts';
const [n, seed] = process.argv.slice(2).map(Number);
const w = fc.sample(randomWorld, { numRuns: n + 1, seed: seed || 7 })[n];
console.log(JSON.stringify({ e: w.world.edges, s: w.world.services.map((s) => ({ ...s, instances: s.instances.length })), q: w.world.queues, f: w.world.faults.map((f) => [f.type, f.schedule, f.targets]) , p: w.setup.edges && Object.entries(w.setup.edges).map(([k,v])=>k+':'+Object.keys(v)), ss: Object.entries(w.setup.services!).map(([k,v])=>k+':'+Object.keys(v))}, null, 0));
