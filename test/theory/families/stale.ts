/** Balancing by a bulletin board that is written only now and then. */
import { numberOf, textOf } from '../cases.ts';
import { standard } from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld } from '../trial.ts';
import { arrivalLaw, duration, workLaw } from '../yaml.ts';

const staleBoard: Adapter = ({ params }) => {
  const [count, load, period] = ['n', 'lam_per_server', 'update_period'].map((key) => numberOf(params, key));
  const policy = textOf(params, 'policy');
  if (policy !== 'jsq' && policy !== 'jsqd') return [];
  const choices = policy === 'jsq' ? 0 : numberOf(params, 'd');
  const perUnit = count * load;
  const module = './policies/periodic-snapshot.ts#PeriodicSnapshot';
  return [
    {
      world: queueWorld({
        instances: count,
        arrivals: arrivalLaw('exp', perUnit)!,
        work: workLaw('exp')!,
        balancer: `{ use: '${module}', choices: ${choices}, period: ${duration(period)} }`,
      }),
      perUnit,
      // The herd moves once per period; with a long one it takes several to even out what it left behind.
      relaxation: 10 + memory(load) / count + 3 * period + 2 / (1 - load),
      // A herd that looks at all is one; of those that look at a few, many go their own ways.
      parts: choices === 0 ? 1 : Math.max(1, count / 3),
      cost: choices === 0 ? 1 + count / 10 : 1.5,
      observe: standard,
    },
  ];
};

export const stale: Adapters = { 'stale periodic load information': staleBoard };
