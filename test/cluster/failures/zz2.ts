import { discoveryClients } from '../../../src/policies/discovery/index.ts';
import { registries } from '../../../src/policies/discovery/registries/index.ts';
import { play } from '../world-builder.ts';
for (const [d, dc] of Object.entries(discoveryClients))
  for (const [r, re] of Object.entries(registries)) {
    try {
      const p = play({
        instances: 3,
        durationMs: 100_000,
        edge: { discovery: (x) => dc.make({}, x) },
        service: { registry: (x) => re.make({}, x) },
        limits: { pending: 1e5, atOneInstant: 5000 } as never,
      });
      console.log(d, r, p.events, p.beliefs.length);
    } catch (e) {
      console.log(d, r, (e as Error).message.slice(0, 80));
    }
  }
