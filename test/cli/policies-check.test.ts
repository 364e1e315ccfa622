/** `policies check` as users start it: what it prints, how it ends, and that a policy cannot take the program down with it. */
import { describe, expect, test } from 'vitest';
import { clusterlab, folderWith } from './clusterlab.ts';

const cwd = folderWith({
  'mine.ts': `import type { Balancer, EndpointView } from 'clusterlab/policies/balancing';

class First implements Balancer {
  protected view: EndpointView | undefined;
  update(view: EndpointView): void {
    this.view = view;
  }
  pick(): number {
    return this.view!.count === 0 ? -1 : this.view!.members[0]!;
  }
}
export class Good extends First {}
export class Chatty extends First {
  override update(view: EndpointView): void {
    console.log('seen \\u001b[31m' + view.count);
    super.update(view);
  }
}
export class Random extends First {
  override pick(): number {
    return this.view!.members[Math.floor(Math.random() * this.view!.count)] ?? -1;
  }
}
export class Endless extends First {
  override pick(): number {
    while (this.view!.count > 500);
    return super.pick();
  }
}
export class Late extends First {
  override update(view: EndpointView): void {
    super.update(view);
    setImmediate(() => {
      throw new RangeError('too late');
    });
  }
}
export class Quitter extends First {
  override pick(): number {
    return process.exit(0);
  }
}
`,
});
const check = (...args: readonly string[]) => clusterlab(['policies', 'check', ...args], { cwd });

describe('policies check', () => {
  test('prints one line per check and ends with 0 when all hold', async () => {
    const { code, stdout, stderr } = await check('./mine.ts#Good');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('balancer ./mine.ts#Good');
    expect(lines).toContain('  ok      allocates nothing in picks');
    expect(lines.filter((line) => line.startsWith('  ok ')).length).toBe(lines.length - 4);
    expect(lines.slice(-3)).toEqual(['', `It keeps all it owes: ${lines.length - 4} checks.`, '']);
  });

  test('ends with 2 when one fails, and says below it what was found', async () => {
    const { code, stdout } = await check('./mine.ts#Random');
    expect(code).toBe(2);
    const lines = stdout.split('\n');
    const at = lines.indexOf('  failed  asks for no time, timer or random number but what it is given');
    expect(lines[at + 1]).toContain('./mine.ts#Random called Math.random');
    expect(lines.at(-2)).toMatch(/^\d of \d+ checks failed\.$/);
  });

  test('--json says the same to programs', async () => {
    const { code, stdout } = await check('p2c', '--json');
    expect(code).toBe(0);
    const { checks, ...rest } = JSON.parse(stdout) as { checks: { name: string; ok: boolean; violations: string[] }[] };
    expect(rest).toEqual({ policy: 'p2c', role: 'balancer', ok: true });
    expect(checks.length).toBeGreaterThan(10);
    expect(new Set(checks.map((each) => Object.keys(each).join()))).toEqual(new Set(['name,ok,violations']));
  });

  test('keeps what the policy prints out of the result, and its escape sequences out of the terminal', async () => {
    const { code, stdout, stderr } = await check('./mine.ts#Chatty');
    expect(code).toBe(0);
    expect(stdout).not.toContain('seen');
    expect(stderr).toContain('seen 6\n');
  });

  test('gives up on a policy that does not come back', async () => {
    const { code, stdout } = await check('./mine.ts#Endless', '--time-limit', '1');
    expect(code).toBe(2);
    expect(stdout).toContain(
      '  failed  handles a thousand endpoints\n            did not come back within 1 s; nothing more was tried\n',
    );
  });

  test('outlives a policy that ends the process', async () => {
    const { code, stdout } = await check('./mine.ts#Quitter');
    expect(code).toBe(2);
    expect(stdout).toContain('ended the process; nothing more was tried');
  });

  test('tells the errors of a policy from those of the program', async () => {
    const { code, stdout } = await check('./mine.ts#Late');
    expect(code).toBe(2);
    expect(stdout).toContain('threw RangeError when nobody had called it: too late');
  });

  test('complains like every other command', async () => {
    const { code, stdout, stderr } = await check('p3c');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('did you mean "p2c"?');
    expect((await check('p2c', '--time-limit', '0')).code).toBe(2);
    expect((await check()).code).toBe(2);
  });
});
