/** Which group to grow when several would help. Each expander keeps the best of the options by one measure, and several can be chained:
 *  the next one chooses among those that the one before finds equally good. What is left in the end is drawn at random.
 *
 *  kubernetes/autoscaler: cluster-autoscaler/expander/ */
import { InputError } from '../../../core/errors.ts';
import type { Rng } from '../../../core/rng.ts';
import type { NodeGroup, NodeResources, PodShape } from './node-autoscaler.ts';
import type { Estimate } from './packing.ts';

export interface ScaleUpOption extends Estimate {
  readonly group: NodeGroup;
}

/** The lower, the better. `all` are the options it is compared with. */
type Measure = (option: ScaleUpOption, all: readonly ScaleUpOption[]) => number;

export const expanders = {
  random: () => 0,
  'most-pods': ({ pods }) => -pods.length,
  'least-nodes': ({ nodes }) => nodes,
  'least-waste': (option) => wasted(option, 'cpu') + wasted(option, 'memory'),
  price: (option, all) => (option.group.price * option.nodes) / worth(option.pods, all),
  priority: ({ group }) => -group.priority,
} as const satisfies Readonly<Record<string, Measure>>;
export type Expander = keyof typeof expanders;

/** `priority,least-waste`: names separated by commas. */
export function parseExpanders(text: string): readonly Expander[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !Object.hasOwn(expanders, name));
  if (unknown !== undefined)
    throw InputError.of(
      'bad-value',
      `there is no expander ${JSON.stringify(unknown)}`,
      `there are ${Object.keys(expanders).join(', ')}`,
    );
  return names as Expander[];
}

/** The best of at least one. */
export function chooseOption(options: readonly ScaleUpOption[], chain: readonly Expander[], rng: Rng): ScaleUpOption {
  const best = chain.reduce((left, name) => bestBy(left, expanders[name]), options);
  return best.length === 1 ? best[0] : best[rng.below(best.length)];
}

function bestBy(options: readonly ScaleUpOption[], measure: Measure): readonly ScaleUpOption[] {
  const measured = options.map((option) => ({ option, value: measure(option, options) }));
  const best = Math.min(...measured.map(({ value }) => value));
  return measured.filter(({ value }) => value === best).map(({ option }) => option);
}

/** Share of a resource of the new nodes that nobody would have reserved. */
function wasted({ group, nodes, pods }: ScaleUpOption, resource: string): number {
  const available = (group.template.allocatable[resource] ?? 0) * nodes;
  return available === 0 ? 0 : (available - total(pods, resource)) / available;
}

/** What the pods would cost at the lowest prices per core and per byte among the options, where half of a node's price is for its
 *  processor and half for its memory. Kubernetes asks the cloud's price list here, and also weighs how usual the size of the node is. */
function worth(pods: readonly PodShape[], options: readonly ScaleUpOption[]): number {
  const unitPrice = (resource: string): number =>
    Math.min(...options.map(({ group }) => group.price / 2 / (group.template.allocatable[resource] ?? 0)));
  const cost = (resource: string): number => {
    const reserved = total(pods, resource);
    return reserved === 0 ? 0 : reserved * unitPrice(resource);
  };
  // Pods that reserve nothing are worth nothing, but not worse than that.
  return Math.max(cost('cpu') + cost('memory'), Number.MIN_VALUE);
}

const total = (pods: readonly { readonly requests: NodeResources }[], resource: string): number =>
  pods.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), 0);
