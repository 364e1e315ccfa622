/** Which streams of traffic arrive no matter how long answers take, and which wait for them. Latencies of the two cannot be compared: users
 *  who wait ask less when the system is slow. */
import type { Scenario, TrafficSpec } from '../scenario/spec.ts';
import { list } from './phrases.ts';

type World = Omit<Scenario, 'variants'>;

interface TrafficLoops {
  readonly openLoop: boolean;
  readonly loops: string;
}

/** Of all variants: those that change the traffic are named. */
export function trafficLoops(scenario: Scenario): TrafficLoops {
  const worlds = scenario.variants.map((variant) => ({ label: variant.label, world: variant.scenario ?? scenario }));
  const bySentence = new Map<string, string[]>();
  for (const { label, world } of worlds) {
    const sentence = describe(world);
    bySentence.set(sentence, [...(bySentence.get(sentence) ?? []), label]);
  }
  const loops =
    bySentence.size === 1
      ? [...bySentence.keys()].join('')
      : [...bySentence].map(([sentence, labels]) => `${list(labels)}: ${sentence}`).join(' ');
  return { openLoop: worlds.every(({ world }) => !world.traffic.some(isClosed)), loops };
}

function describe({ traffic }: World): string {
  const closed = traffic.filter(isClosed);
  const open = traffic.filter((stream) => !isClosed(stream));
  if (closed.length === 0) return 'Open loop: requests arrive no matter how long answers take.';
  const who = list(closed.map(({ name, arrivals }) => `${name} (${waiting(arrivals)})`));
  if (open.length === 0) return `Closed loop: ${who}.`;
  const others = list(open.map(({ name }) => name));
  return `Open loop: ${others}, no matter how long answers take. Closed loop: ${who}.`;
}

const isClosed = ({ arrivals }: TrafficSpec): boolean =>
  arrivals.type === 'users' || (arrivals.type === 'replay' && arrivals.closed);

const waiting = (arrivals: TrafficSpec['arrivals']): string =>
  arrivals.type === 'users'
    ? `${arrivals.users} users who wait for each answer, then think`
    : 'recorded sessions that wait for each answer';
