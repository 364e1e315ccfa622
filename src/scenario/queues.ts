/** `queues:` to queues of messages between services. */
import { show } from '../core/quantity.ts';
import type { Complaints } from './complaints.ts';
import { findService, messageEdge, noOptions, type EdgeList } from './edges.ts';
import { readName } from './fields.ts';
import { nodeAt, toPlain } from './node.ts';
import type { KnownService } from './services.ts';
import { queue as queueShape } from './shape-edges.ts';
import type { QueueSpec } from './spec.ts';

/** A queue as far as it could be understood. */
export interface KnownQueue {
  readonly name: string;
  /** Index of its consumer; -1 when it could not be told. */
  readonly service: number;
  /** Absent after complaints; its edge is added later. */
  readonly spec?: Omit<QueueSpec, 'edge'>;
}

/** In the order written. */
export function compileQueues(services: readonly KnownService[] | undefined, complaints: Complaints): readonly KnownQueue[] {
  const node = nodeAt(complaints.root, ['queues']);
  if (node === undefined) return [];
  if (node.kind !== 'map') {
    const message = `expected a map of queues by name, found ${show(toPlain(node))}`;
    complaints.error('wrong-type', ['queues'], message, 'write queues: { jobs: { to: worker } }');
    return [];
  }
  const queues: KnownQueue[] = [];
  for (const name of node.entries.keys()) {
    const path = ['queues', name];
    const reading = readName(name);
    if ('problem' in reading) {
      const hint = reading.hint === undefined ? {} : { hint: reading.hint };
      complaints.add({ code: 'bad-name', path: ['queues'], key: name, message: reading.problem, ...hint });
    }
    if (services?.some((service) => service.name === name) === true) {
      const message = `a service is called ${show(name)}, too`;
      complaints.add({ code: 'duplicate', path: ['queues'], key: name, message, hint: 'traffic and calls name both' });
    }
    const shape = complaints.check(queueShape, path);
    if (shape === undefined) {
      queues.push({ name, service: -1 });
      continue;
    }
    const service = findService(shape.to, [...path, 'to'], services, complaints);
    const { visibility, maxReceives, capacity } = shape;
    queues.push({
      name,
      service,
      ...(service === -1 ? {} : { spec: { name, service, visibilityMs: visibility, maxReceives, capacity } }),
    });
  }
  return queues;
}

/** Adds the edges of their deliveries, after all others. */
export function withDeliveries(queues: readonly KnownQueue[], services: readonly KnownService[], edges: EdgeList): QueueSpec[] {
  return queues.flatMap(({ spec }, index) => {
    if (spec === undefined) return [];
    const edge = { caller: -2, service: spec.service, queue: index, ...messageEdge, ...noOptions };
    return [{ ...spec, edge: edges.add(edge, `${spec.name}->${services[spec.service].name}`, undefined, ['queues', spec.name]) }];
  });
}
