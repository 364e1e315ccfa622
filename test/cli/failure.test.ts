import { describe, expect, test } from 'vitest';
import { CommanderError } from 'commander';
import { explain } from '../../src/cli/failure.ts';
import { InputError, InvariantViolation, PolicyFault, ResourceLimit } from '../../src/core/errors.ts';

const told = async (failure: unknown): Promise<{ code: number; text: string }> => {
  let text = '';
  const code = await explain(failure, {
    note: (more) => void (text += more),
    notes: { color: false, unicode: true, width: 100 },
  });
  return { code, text };
};

const violation = new InvariantViolation('offered 10, ended 9');
violation.evidence = ['12.5 ms  request 7 arrives', 'again: clusterlab run x.yaml --seed 1'];

describe('what went wrong becomes words and an exit code', () => {
  test.each<[string, unknown, number, string | RegExp]>([
    ['help and version are fine', new CommanderError(0, 'commander.helpDisplayed', ''), 0, ''],
    ['a usage error has been printed already', new CommanderError(1, 'commander.unknownOption', 'x'), 2, ''],
    ['bad input', InputError.of('x', 'it is wrong', 'write right'), 2, /^error {2}it is wrong.*write right[\s\S]*1 error/],
    [
      'a policy at fault, named once',
      new PolicyFault('Mine', 'Mine threw TypeError: x'),
      2,
      /^error: Mine threw TypeError: x\nThis is a fault of the policy/,
    ],
    [
      'a policy at fault, named if its message does not',
      new PolicyFault('Mine', 'picked nobody'),
      2,
      /^error: policy Mine: picked nobody\n/,
    ],
    [
      'a limit',
      new ResourceLimit('cannot write x: no space left on the device (ENOSPC)'),
      4,
      'error: cannot write x: no space left on the device (ENOSPC)\n',
    ],
    [
      'memory',
      new RangeError('Array buffer allocation failed'),
      4,
      /^error: not enough memory \(Array buffer allocation failed\); use fewer seeds/,
    ],
    [
      'memory of a worker',
      Object.assign(new Error('heap out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }),
      4,
      /not enough memory/,
    ],
    [
      'our bug, with its evidence',
      violation,
      70,
      /^bug in clusterlab: offered 10, ended 9\n {2}12\.5 ms {2}request 7 arrives\n {2}again: clusterlab run x\.yaml --seed 1\nPlease report it/,
    ],
    [
      'anything else, with its stack',
      new TypeError('x is undefined'),
      70,
      /^bug in clusterlab: TypeError: x is undefined\n {4}at [\s\S]*Please report it/,
    ],
    ['another range error is a bug', new RangeError('Maximum call stack size exceeded'), 70, /Maximum call stack/],
    ['something that is no error', 'boo', 70, /^bug in clusterlab: boo\n/],
  ])('%s', async (_, failure, code, text) => {
    expect(await told(failure)).toEqual({ code, text: typeof text === 'string' ? text : expect.stringMatching(text) });
  });
});
