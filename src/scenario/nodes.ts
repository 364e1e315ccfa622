/** `nodes:` and `metrics:` to what instances run on and how they are measured. */
import { show } from '../core/quantity.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { readName } from './fields.ts';
import { knownHint } from './hints.ts';
import { nodeAt, toPlain } from './node.ts';
import { limits } from './shape-parts.ts';
import { metricsPipeline, nodeGroup, watchable } from './shape-nodes.ts';
import type { NodeGroupSpec, PipelineSpec } from './spec.ts';

/** Undefined after complaints. */
export async function compileNodes(env: Env): Promise<readonly NodeGroupSpec[] | undefined> {
  const { complaints } = env;
  const node = nodeAt(complaints.root, ['nodes']);
  if (node === undefined) return [];
  if (node.kind !== 'map' || node.entries.size === 0) {
    const found = node.kind === 'map' ? 'an empty map' : show(toPlain(node));
    const hint = 'write nodes: { general: { count: 3, cpu: 4 } }';
    complaints.error('wrong-type', ['nodes'], `expected a map of groups of nodes by name, found ${found}`, hint);
    return undefined;
  }
  const groups: NodeGroupSpec[] = [];
  for (const name of node.entries.keys()) {
    const reading = readName(name);
    if ('problem' in reading) complaints.add({ code: 'bad-name', path: ['nodes'], key: name, message: reading.problem });
    const group = await compileGroup(name, env);
    if (group !== undefined) groups.push(group);
  }
  const total = groups.reduce((sum, { max }) => sum + max, 0);
  if (total > limits.nodes) complaints.error('too-many', ['nodes'], `${total} nodes; ${limits.nodes} is the most`);
  return groups.length === node.entries.size ? groups : undefined;
}

async function compileGroup(name: string, env: Env): Promise<NodeGroupSpec | undefined> {
  const { complaints } = env;
  const path = ['nodes', name];
  const shape = complaints.check(nodeGroup, path);
  if (shape === undefined) return undefined;
  const { count, min, zones, prices = {} } = shape;
  const max = shape.max ?? Math.max(1, count);
  if (count > max || min > max) {
    const [key, value] = count > max ? ['count', count] : ['min', min];
    complaints.error('contradiction', [...path, key], `${value} nodes are more than max, ${max}`);
    return undefined;
  }
  const twice = zones.findIndex((zone, index) => zones.indexOf(zone) !== index);
  if (twice !== -1) complaints.error('duplicate', [...path, 'zones', twice], `zone ${show(zones[twice])} stands twice`);
  for (const zone of Object.keys(prices)) {
    if (zones.includes(zone)) continue;
    complaints.error(
      'unknown-zone',
      [...path, 'prices', zone],
      `no node of ${name} is in zone ${show(zone)}`,
      knownHint(zone, zones),
    );
  }
  const provisioning =
    shape.provisioning === undefined
      ? ({ type: 'constant', value: 0 } as const)
      : await compileDistribution(shape.provisioning, [...path, 'provisioning'], env);
  const interrupted =
    shape.spot && (await compileDistribution(shape.spot.interrupted, [...path, 'spot', 'interrupted'], env, { above0: true }));
  if (provisioning === undefined || (shape.spot !== undefined && interrupted === undefined)) return undefined;
  const { cpu, memory = Infinity, pods, speed, latency, labels = {}, taints = [], priority, price } = shape;
  return {
    ...{ name, count, min, max, zones, cpu, memory, pods, speed, latencyMs: latency, labels, taints, provisioning, priority },
    prices: zones.map((zone) => prices[zone] ?? price),
    ...(shape.spot === undefined ? {} : { spot: { interrupted: interrupted!, noticeMs: shape.spot.notice } }),
  };
}

/** Undefined after complaints. */
export function compilePipeline({ complaints }: Env): PipelineSpec | undefined {
  const shape = complaints.has(['metrics']) ? complaints.check(metricsPipeline, ['metrics']) : metricsPipeline.parse({});
  if (shape === undefined) return undefined;
  const { scrape, window = scrape, delay, missing, watch, evaluate = scrape } = shape;
  const names: readonly string[] = watchable;
  if (!names.includes(watch) && !/^queue\/./.test(watch)) {
    complaints.error(
      'unknown-metric',
      ['metrics', 'watch'],
      `${show(watch)} is not measured of services`,
      knownHint(watch, names),
    );
    return undefined;
  }
  return { scrapeMs: scrape, windowMs: window, delayMs: delay, missing, watch, evaluateMs: evaluate };
}

/** Zones that nodes are in. */
export const zonesOfNodes = (groups: readonly NodeGroupSpec[]): string[] => [...new Set(groups.flatMap(({ zones }) => zones))];

export const zoneOfNode = ({ zones }: NodeGroupSpec, node: number): string => zones[node % zones.length];
