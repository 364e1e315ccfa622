/** While a user's policy runs in the simulator, the ambient sources of time and randomness throw: one forgotten call would make the
 *  run unrepeatable, and the error says what to use instead. A seat belt against mistakes, not a sandbox. */
import { PolicyFault } from '../core/errors.ts';

const TIME = 'use the time passed to each call';
const RANDOM = 'draw from the injected rng';
const TIMER = 'return a time from nextTimerMs() and act in onTimer()';

type Ambient = Record<string, unknown>;

/** Calls what is not the policy's doing, such as showing progress, with the ambient sources as they are. */
export type Unguarded = (outside: () => void) => void;

/** Runs `work` (synchronous) with the ambient sources replaced; puts them back whatever happens. */
export function guarded<Result>(policy: string, work: (unguarded: Unguarded) => Result): Result {
  const replaced: { readonly holder: object; readonly name: string; before: PropertyDescriptor; guard: PropertyDescriptor }[] =
    [];
  const replace = (holder: object, name: string, stand: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(holder, name);
    if (before === undefined || before.configurable !== true) return;
    replaced.push({
      holder,
      name,
      before,
      guard: { ...before, ...('value' in before ? { value: stand } : { get: () => stand }) },
    });
  };
  const forbid =
    (what: string, instead: string): (() => never) =>
    () => {
      throw new PolicyFault(policy, `${policy} called ${what}, which would make the run unrepeatable: ${instead}`);
    };
  const RealDate = globalThis.Date;
  const GuardedDate = new Proxy(RealDate, {
    construct(target, args: unknown[]) {
      if (args.length === 0) forbid('new Date()', TIME)();
      return Reflect.construct(target, args) as Date;
    },
    apply: forbid('Date()', TIME),
    get: (target, key) => (key === 'now' ? forbid('Date.now', TIME) : (Reflect.get(target, key) as unknown)),
  });
  const globals = globalThis as unknown as Ambient;
  replace(globalThis, 'Date', GuardedDate);
  replace(Math, 'random', forbid('Math.random', RANDOM));
  replace(Object.getPrototypeOf(globals['performance']) as object, 'now', forbid('performance.now', TIME));
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'])
    replace(globalThis, name, forbid(name, TIMER));
  const crypto = globals['crypto'];
  if (typeof crypto === 'object' && crypto !== null) {
    const prototype = Object.getPrototypeOf(crypto) as object;
    for (const name of ['getRandomValues', 'randomUUID']) replace(prototype, name, forbid(`crypto.${name}`, RANDOM));
  }
  const hrtime = Object.assign(forbid('process.hrtime', TIME), { bigint: forbid('process.hrtime.bigint', TIME) });
  replace(process, 'hrtime', hrtime);
  const close = (): void => replaced.forEach(({ holder, name, guard }) => Object.defineProperty(holder, name, guard));
  const open = (): void => replaced.forEach(({ holder, name, before }) => Object.defineProperty(holder, name, before));
  close();
  try {
    return work((outside) => {
      open();
      try {
        outside();
      } finally {
        close();
      }
    });
  } finally {
    open();
  }
}
