/** What concerns all calls together: circles, and what nobody uses. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { WrittenCall } from './call.ts';
import type { KnownClasses } from './class-mix.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { isPublishing } from './resolve-role.ts';
import type { StepSpec } from './spec.ts';

/** Every circle once, at the call that closes it. A service that waits for itself may wait for ever; through a queue nobody waits. */
export function complainOfCircles(names: readonly string[], calls: readonly WrittenCall[], complaints: Complaints): void {
  const state = names.map((): 'new' | 'open' | 'done' => 'new');
  const trail: number[] = [];
  const visit = (service: number): void => {
    state[service] = 'open';
    trail.push(service);
    for (const call of calls) {
      if (call.caller !== service) continue;
      if (state[call.service] === 'open') complain(call.path, [...trail.slice(trail.indexOf(call.service)), call.service]);
      else if (state[call.service] === 'new') visit(call.service);
    }
    trail.pop();
    state[service] = 'done';
  };
  const complain = (path: Path, circle: readonly number[]): void => {
    const written = circle.map((service) => names[service]).join(' -> ');
    complaints.error('circular-calls', path, `calls go in a circle: ${written}`, 'a message queue may go back, a call may not');
  };
  for (let service = 0; service < names.length; service++) if (state[service] === 'new') visit(service);
}

/** Parts of the file that do nothing. */
export function warnOfIdle({ services, queues, edges, traffic }: World, classes: KnownClasses, complaints: Complaints): void {
  const warn = (path: Path, key: string, message: string): void => {
    complaints.add({ code: 'idle', path, key, message }, 'warning');
  };
  for (const [index, { name, dropsExpired }] of services.entries()) {
    const callers = edges.filter((edge) => edge.service === index && !isPublishing(edge));
    if (callers.length === 0) warn(['services'], name, `nobody calls ${show(name)}`);
    else if (dropsExpired && !callers.some(({ propagatesDeadline }) => propagatesDeadline))
      warn(['services', name], 'dropExpired', `no caller of ${show(name)} tells it a deadline; propagateDeadline does`);
  }
  for (const [index, { name }] of queues.entries()) {
    if (!edges.some((edge) => edge.queue === index && isPublishing(edge)))
      warn(['queues'], name, `nobody leaves messages in ${show(name)}`);
  }
  const haveKeys = traffic.some(
    ({ keys, arrivals }) => keys !== undefined || (arrivals.type === 'replay' && arrivals.data.keys !== undefined),
  );
  for (const { name, steps } of services) {
    if (haveKeys || !cachesKeys(steps)) continue;
    warn(['services', name], 'calls', `${name} caches by key, but no requests carry keys: all are for the same entry`);
  }
  if (!classes.areDeclared) return;
  const sent = new Set(
    traffic.flatMap(({ mix, arrivals }) =>
      arrivals.type === 'replay' ? [...arrivals.data.classes] : mix.map((each) => each.class),
    ),
  );
  for (const [index, { name }] of classes.specs.entries())
    if (!sent.has(index)) warn(['classes'], name, `no stream sends requests of ${show(name)}`);
}

const cachesKeys = (steps: readonly StepSpec[]): boolean =>
  steps.some((step) =>
    step.type === 'calls'
      ? step.calls.some(({ cache }) => cache?.type === 'keys')
      : step.type === 'branch' && step.branches.some((branch) => cachesKeys(branch.steps)),
  );
