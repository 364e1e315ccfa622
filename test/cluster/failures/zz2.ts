import { healthCheckers } from '../../../src/policies/detection/checks/index.ts';
import { play } from '../world-builder.ts';
const made = healthCheckers.consul.make({ check: 'ttl', ttl: 300 }, { rng: { next: () => 0 } as any, prober: { probe() {} }, sink: { believe: (...x) => console.log(x) } as any });
console.log(made.reportEveryMs);
const p = play({ at: [], instances: 2, durationMs: 1000, edge: { healthCheck: (d) => { const c = healthCheckers.consul.make({ check: 'ttl', ttl: 300 }, d); const o = c.onReport!.bind(c); c.onReport = (s, r, n) => { console.log('report', s, r, n); o(s, r, n); }; return c; } } });
console.log(p.beliefs);
