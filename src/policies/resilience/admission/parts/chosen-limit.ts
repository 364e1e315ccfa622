/** A concurrency limit by name, for policies that divide one among classes. */
import { choice, defaults, int, type ParamValues } from '../../../../core/params.ts';
import type { Rng } from '../../../../core/rng.ts';
import { AimdLimit, aimdParams } from '../aimd.ts';
import { Gradient2Limit, gradient2Params } from '../gradient2.ts';
import { GradientLimit, gradientParams } from '../gradient.ts';
import { FixedLimit } from '../semaphore.ts';
import { VegasLimit, vegas, vegasRules } from '../vegas.ts';
import { checkBounds, type ConcurrencyLimit } from './concurrency-limit.ts';
import { windowParams, withWindow } from './windowed-limit.ts';

export const chosenLimitParams = {
  limit: choice({
    default: 'vegas',
    choices: ['fixed', 'aimd', 'vegas', 'gradient', 'gradient2'],
    about: 'The limit on all requests in flight; fixed stays at initialLimit.',
  }),
  initialLimit: int({ default: 20, min: 1, about: 'The limit at the start.' }),
  minLimit: int({ default: 1, min: 1, about: 'The least limit; vegas has 1 always, and gradient not less than 4.' }),
  maxLimit: int({ default: 1000, min: 4, about: 'The greatest limit.' }),
  ...windowParams,
};

/** What the parameters name, otherwise with its own defaults. */
export function chosenLimit(values: ParamValues<typeof chosenLimitParams>, rng: Rng): ConcurrencyLimit {
  const { limit, initialLimit, minLimit, maxLimit } = values;
  if (limit === 'fixed') return new FixedLimit(initialLimit);
  checkBounds(minLimit, initialLimit, maxLimit, 'maxLimit');
  return withWindow(adaptiveLimit(limit, { initialLimit, minLimit, maxLimit, maxConcurrency: maxLimit }, rng), values);
}

interface Bounds {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly maxConcurrency: number;
}

function adaptiveLimit(name: 'aimd' | 'vegas' | 'gradient' | 'gradient2', bounds: Bounds, rng: Rng): ConcurrencyLimit {
  switch (name) {
    case 'aimd':
      return new AimdLimit({ ...defaults(aimdParams), ...bounds });
    case 'vegas':
      return new VegasLimit(vegasRules({ ...defaults(vegas.params), ...bounds }), rng);
    case 'gradient':
      return new GradientLimit({ ...defaults(gradientParams), ...bounds }, rng);
    case 'gradient2':
      return new Gradient2Limit({ ...defaults(gradient2Params), ...bounds });
  }
}
