/** Who asks: requests of unequal importance, a closed population, users who ask again. */
import { numberOf } from '../cases.ts';
import { metric, ofView, perUnit as countPerUnit, share, shareEmpty, time } from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld } from '../trial.ts';
import { arrivalLaw, digits, duration, rate, UNIT_MS, workLaw } from '../yaml.ts';

/** Work that has begun is not interrupted, so the preemptive kind cannot be said. */
const priority: Adapter = ({ params }) => {
  if (params.kind !== 'non-preemptive') return [];
  const [first, second] = ['lam1', 'lam2'].map((key) => numberOf(params, key));
  const perUnit = first + second;
  const classes = `classes: { first: ${digits(first / perUnit)}, second: ${digits(second / perUnit)} }`;
  const more = `classes: { first: { priority: 0 }, second: { priority: 1 } }
policies: { queueing: priority }
`;
  return [
    {
      world: queueWorld({ arrivals: `${arrivalLaw('exp', perUnit)!}\n    ${classes}`, work: workLaw('exp')!, more }),
      perUnit,
      relaxation: memory(perUnit, { variability: 2 }),
      observe: {
        mean_wait_1: ofView(0, 'wait.mean', 1 / UNIT_MS),
        mean_wait_2: ofView(1, 'wait.mean', 1 / UNIT_MS),
        mean_wait_all: time('wait.mean'),
      },
    },
  ];
};

/** A machine that runs is a user who thinks; one that is down is a request, and a repair crew is a slot. */
const machineRepair: Adapter = ({ params }) => {
  const [machines, crews, fail, repair] = ['n', 'crews', 'fail', 'repair'].map((key) => numberOf(params, key));
  const think = `{ type: exponential, mean: ${duration(1 / fail)} }`;
  return [
    {
      world: queueWorld({
        arrivals: `{ type: users, users: ${machines}, think: ${think} }`,
        work: workLaw('exp', 1 / repair)!,
        slots: crews,
      }),
      perUnit: machines * fail,
      relaxation: 1 / fail,
      looks: 2000,
      observe: {
        mean_down: metric('inSystem.mean'),
        mean_up_fraction: (cells, background) => {
          const down = metric('inSystem.mean', 1 / machines)(cells, background);
          return down && { ...down, value: 1 - down.value };
        },
        prob_all_up: shareEmpty,
        mean_downtime: time('latency.mean'),
      },
    },
  ];
};

/** In units: long against a service, so that those who come back look like anybody. */
const BEFORE_ASKING_AGAIN = 30;
const MOST_PATIENT = 100;

/** One who asks again with probability r after each failure is willing to ask k times more with probability (1 − r) r^k: a stream for
 *  each k. */
const lossWithRetries: Adapter = ({ params }) => {
  const [slots, perUnit, again] = ['c', 'lam', 'retry_prob'].map((key) => numberOf(params, key));
  const kinds = again === 1 ? [{ times: MOST_PATIENT, share: 1 }] : geometric(again);
  const after = `{ type: exponential, mean: ${duration(BEFORE_ASKING_AGAIN)} }`;
  const streams = kinds.map(
    (kind) => `  - to: api
    name: patience-${kind.times}
    arrivals: { type: poisson, rate: ${rate(perUnit * kind.share)} }
${kind.times === 0 ? '' : `    userRetries: { max: ${kind.times}, after: ${after} }\n`}`,
  );
  return [
    {
      world: `services: { api: { instances: 1, slots: ${slots}, queue: 0, work: ${workLaw('exp')!} } }
traffic:
${streams.join('')}`,
      perUnit,
      relaxation: memory(perUnit / slots, { servers: slots }) + 3 * BEFORE_ASKING_AGAIN,
      observe: { effective_load: countPerUnit('offered'), blocking: share('failures.refused') },
    },
  ];
};

/** The last kind stands for all that are more patient still. */
function geometric(again: number): { readonly times: number; readonly share: number }[] {
  const kinds: { times: number; share: number }[] = [];
  let left = 1;
  for (let times = 0; left > 1e-3; times++, left *= again) kinds.push({ times, share: left * (1 - again) });
  kinds.push({ times: kinds.length, share: left });
  return kinds;
}

export const customers: Adapters = {
  'M/M/1 priority': priority,
  'machine repair': machineRepair,
  'Erlang B with retries': lossWithRetries,
};
