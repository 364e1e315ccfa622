/** What a run file says of the world it comes from, beside the scenario's text: enough to draw and to explain without reading YAML. */
import { ownChoices } from '../scenario/resolve-role.ts';
import type { PolicyOverrides, Scenario } from '../scenario/spec.ts';
import { trafficLoops } from './traffic-loops.ts';
import type { EdgeInfo, FaultWindow, RunFile } from './types.ts';

type WorldFacts = Pick<RunFile, 'openLoop' | 'loops' | 'services' | 'edges' | 'classes' | 'metastability' | 'faults'>;

/** Of the scenario as written; variants that change the world may differ. */
export function worldFacts(scenario: Scenario): WorldFacts {
  return {
    ...trafficLoops(scenario),
    services: scenario.services.map(({ name, instances, slots }) => ({ name, instances: instances.length, slots })),
    edges: edgesOf(scenario),
    classes: scenario.classes,
    metastability: judgedBy(scenario),
    faults: faultWindows(scenario),
  };
}

/** Whether a request is one call of one service with nothing around it, in every variant: then it has no story that its numbers do not
 *  tell. */
export function isPlain(scenario: Scenario): boolean {
  const worlds = [scenario, ...scenario.variants.flatMap((variant) => variant.scenario ?? [])];
  const choices = [
    ...scenario.variants.map(({ policies }) => policies),
    ...worlds.flatMap((world) => [world.policies, ...ownChoices(world)]),
  ];
  return (
    worlds.every(({ services, classes, queues }) => services.length === 1 && classes.length === 1 && queues.length === 0) &&
    choices.every(isWithoutResilience)
  );
}

const isWithoutResilience = (policies: PolicyOverrides): boolean =>
  Object.entries(policies).every(
    ([role, use]) => role === 'balancer' || role === 'detector' || use === undefined || use === null,
  );

/** `EdgeSpec.caller` of what a queue delivers. */
const DELIVERY = -2;

function edgesOf({ edges, services, queues }: Scenario): EdgeInfo[] {
  const nameOf = (list: readonly { readonly name: string }[], index: number): string => (index < 0 ? '' : list[index].name);
  return edges.map(({ name, caller, service, queue }) => ({
    name,
    caller: caller === DELIVERY ? nameOf(queues, queue) : nameOf(services, caller),
    service: nameOf(services, service),
    queue: nameOf(queues, queue),
  }));
}

function judgedBy({ metastability }: Scenario): RunFile['metastability'] {
  if (metastability === undefined) return null;
  const { triggerBeginsMs, triggerEndsMs, recoveredShare } = metastability;
  return { triggerBeginsMs, triggerEndsMs, recoveredShare };
}

/** What comes and goes at random has no window of its own; what flaps has one from its first failure on. */
function faultWindows(scenario: Scenario): FaultWindow[] {
  return scenario.faults.flatMap(({ label, schedule }) =>
    schedule.type === 'random' ? [] : [{ label, fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs }],
  );
}
