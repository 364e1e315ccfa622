import { describe, expect, test } from 'vitest';
import { openTerminal } from '../../src/cli/terminal.ts';

interface Setting {
  readonly argv?: readonly string[];
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

function host({ argv = [], env = {}, isTTY = false, columns }: Setting) {
  const stream = () => {
    const written: string[] = [];
    let onError: (error: NodeJS.ErrnoException) => void = () => {};
    const write = (text: string) => void written.push(text);
    const on = (_event: 'error', listener: typeof onError) => void (onError = listener);
    const fail = (code: string) => onError(Object.assign(new Error(code), { code }));
    return { isTTY, ...(columns === undefined ? {} : { columns }), written, write, on, fail };
  };
  return { argv, env, stdout: stream(), stderr: stream(), exitCode: undefined as number | undefined };
}

describe('colour', () => {
  test.each<[string, Setting, boolean]>([
    ['is on for somebody who looks', { isTTY: true }, true],
    ['is off in a pipe', {}, false],
    ['is off with NO_COLOR, whatever its value', { isTTY: true, env: { NO_COLOR: '0' } }, false],
    ['is not touched by an empty NO_COLOR', { isTTY: true, env: { NO_COLOR: '' } }, true],
    ['is on in a pipe with FORCE_COLOR', { env: { FORCE_COLOR: '1' } }, true],
    ['is off with FORCE_COLOR=0', { isTTY: true, env: { FORCE_COLOR: '0' } }, false],
    ['is off with --no-color, even with FORCE_COLOR', { isTTY: true, argv: ['--no-color'], env: { FORCE_COLOR: '1' } }, false],
    ['is off on a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, false],
  ])('%s', (_, setting, expected) => expect(openTerminal(host(setting)).results.color).toBe(expected));
});

describe('animation', () => {
  test.each<[string, Setting, boolean]>([
    ['on a terminal', { isTTY: true }, true],
    ['not in a log', {}, false],
    ['not in CI', { isTTY: true, env: { CI: 'true' } }, false],
    ['not on a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, false],
  ])('%s', (_, setting, expected) => expect(openTerminal(host(setting)).animated).toBe(expected));
});

describe('signs beyond ASCII', () => {
  test.each<[string, Record<string, string>, boolean]>([
    ['in an UTF-8 locale', { LANG: 'en_US.UTF-8' }, true],
    ['without any locale', {}, true],
    ['not in another encoding', { LANG: 'C' }, false],
    ['LC_ALL beats LANG', { LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
    ['not on the bare Linux console', { TERM: 'linux', LANG: 'en_US.UTF-8' }, false],
  ])('%s', (_, env, expected) => expect(openTerminal(host({ env })).results.unicode).toBe(expected));
});

describe('width', () => {
  test('is the terminal’s, else COLUMNS, else 100', () => {
    expect(openTerminal(host({ columns: 72 })).results.width).toBe(72);
    expect(openTerminal(host({ env: { COLUMNS: '132' } })).results.width).toBe(132);
    expect(openTerminal(host({ env: { COLUMNS: 'wide' } })).results.width).toBe(100);
  });
});

describe('a reader that goes away', () => {
  test.each(['stdout', 'stderr'] as const)(
    'of %s gets no more, and the other stream and the exit code stay as they are',
    (gone) => {
      const world = host({});
      const terminal = openTerminal(world);
      world[gone].fail('EPIPE');
      terminal.print('result');
      terminal.note('note');
      terminal.exitWith(1);
      expect([...world.stdout.written, ...world.stderr.written]).toEqual([gone === 'stdout' ? 'note' : 'result']);
      expect(world.exitCode).toBe(1);
    },
  );

  test('is not any other failure of a stream', () => {
    const world = host({});
    openTerminal(world);
    expect(() => world.stdout.fail('EIO')).toThrow('EIO');
  });
});

test('an empty variable is an unset one', () => {
  const world = host({ env: { CLUSTERLAB_JOBS: '', CLUSTERLAB_SEED: 'x' } });
  openTerminal(world);
  expect(world.env).toEqual({ CLUSTERLAB_SEED: 'x' });
});
