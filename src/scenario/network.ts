/** `network:` to latencies between zones. */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import { show } from '../core/quantity.ts';
import { compileDistribution, type DistributionShape, type Env } from './distributions.ts';
import { knownHint } from './hints.ts';

import { network } from './shape.ts';
import type { NetworkSpec } from './spec.ts';

const none: DistributionSpec = { type: 'constant', value: 0 };

/** `zones` are those with an instance or a proxy. Undefined after complaints. */
export async function compileNetwork(zones: readonly string[], env: Env): Promise<NetworkSpec | undefined> {
  const { complaints } = env;
  if (!complaints.has(['network'])) return { sameZone: none, betweenZones: none, pairs: [] };
  const shape = complaints.check(network, ['network']);
  if (shape === undefined) return undefined;
  if (shape.latency !== undefined) {
    for (const key of ['sameZone', 'betweenZones'] as const) {
      if (shape[key] !== undefined)
        complaints.error('contradiction', ['network', key], `give either latency or ${key}`, 'latency holds everywhere');
    }
  }
  const compile = (key: string, part: DistributionShape | undefined): Promise<DistributionSpec | undefined> | DistributionSpec =>
    part === undefined ? none : compileDistribution(part, ['network', key], env);
  const sameZone =
    shape.latency === undefined ? await compile('sameZone', shape.sameZone) : await compile('latency', shape.latency);
  const betweenZones = shape.latency === undefined ? await compile('betweenZones', shape.betweenZones) : sameZone;
  const pairs: NetworkSpec['pairs'][number][] = [];
  const seen = new Set<string>();
  for (const [index, { between, latency: written }] of (shape.pairs ?? []).entries()) {
    const path = ['network', 'pairs', index];
    for (const [side, zone] of between.entries()) {
      if (zones.length > 0 && !zones.includes(zone)) {
        complaints.error(
          'unknown-zone',
          [...path, 'between', side],
          `no instance is in zone ${show(zone)}`,
          knownHint(zone, zones),
        );
      }
    }
    const identity = between.toSorted().join(' ');
    if (seen.has(identity)) complaints.error('duplicate', [...path, 'between'], `the pair ${between.join(', ')} stands twice`);
    seen.add(identity);
    const latency = await compileDistribution(written, [...path, 'latency'], env);
    if (latency !== undefined) pairs.push({ zones: [between[0], between[1]], latency });
  }
  return sameZone && betweenZones && { sameZone, betweenZones, pairs };
}
