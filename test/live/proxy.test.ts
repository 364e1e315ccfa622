/** The proxy of the README, as it stands there, between a real client and real servers on the loopback interface. The policy in it is
 *  the object that the simulator runs. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { filesUnder, read, root } from '../repo/sources.ts';

const snippet = /<!-- proxy -->\n```js\n([\s\S]*?)```\n/.exec(read('README.md'))?.[1] ?? '';

// Inside the repository, so that the proxy finds this package by its own name; git ignores it.
let folder: string;
beforeAll(() => {
  expect(existsSync(join(root, 'dist/policies/balancing/index.js')), 'run `npm run build` first').toBe(true);
  mkdirSync(join(root, 'reports'), { recursive: true });
  folder = mkdtempSync(join(root, 'reports', 'proxy-'));
  writeFileSync(join(folder, 'proxy.mjs'), snippet);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stopAfterTest: (() => void)[] = [];
afterEach(() => {
  for (const stop of stopAfterTest.splice(0)) stop();
});

describe('the proxy of the README', () => {
  test('fits on a slide', () => {
    expect(snippet).toContain("import { createProxy } from 'clusterlab/live'");
    expect(snippet.trimEnd().split('\n').length).toBeLessThan(15);
  });

  // n = 200 requests, 6 at a time. The slow server answers when the others have answered 25 more: its slowness is counted in their
  // answers, not in time, so a busy machine changes nothing. A blind policy gives it its third, 67 with a standard deviation of 7. Peak
  // EWMA gives it another request only while those it holds times its latency weigh less than what the others show: 5 to 11 of the 200
  // in trials. The limit of 40 is four deviations below the one and far above the other.
  test('answers everything and leaves a slow server alone', async () => {
    const counts = [0, 0, 0];
    const held: { readonly until: number; answer(): void }[] = [];
    let inFlight = 0;
    const quickAnswers = (): number => counts[0] + counts[1];
    const releaseDue = (): void => {
      // When all that is on its way is here, waiting for others would be waiting for ever.
      while (held.length > 0 && (held[0].until <= quickAnswers() || held.length === inFlight)) held.shift()?.answer();
    };
    const addresses = await Promise.all([
      serve((_body, answer) => {
        counts[0]++;
        answer('quick');
        releaseDue();
      }),
      serve((body, answer) => {
        counts[1]++;
        answer(`quick ${body}`);
        releaseDue();
      }),
      serve((_body, answer) => {
        counts[2]++;
        held.push({ until: quickAnswers() + 25, answer: () => answer('slow') });
        releaseDue();
      }),
    ]);
    const port = await startProxy(addresses);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });
    stopAfterTest.push(() => agent.destroy());
    let sent = 0;
    const client = async (): Promise<readonly Answer[]> => {
      const answers: Answer[] = [];
      while (sent < 200) {
        sent++;
        inFlight++;
        answers.push(await ask(port, agent, `body ${sent}`));
        inFlight--;
        releaseDue();
      }
      return answers;
    };
    const answers = (await Promise.all(Array.from({ length: 6 }, client))).flat();
    expect(answers).toHaveLength(200);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.filter(({ text }) => !/^(quick|slow|quick body \d+)$/.test(text))).toEqual([]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(200);
    expect(counts[2]).toBeLessThanOrEqual(40);
    expect(Math.min(counts[0], counts[1])).toBeGreaterThan(40);
  });

  test('says so when there is no server, and when the only one is gone', async () => {
    const agent = new http.Agent();
    expect((await ask(await startProxy([]), agent)).status).toBe(503);
    const gone = await serve(() => undefined);
    stopAfterTest.pop()?.();
    expect((await ask(await startProxy([gone]), agent)).status).toBe(502);
  });
});

describe('the balancers as they are installed', () => {
  test('reach nothing but themselves, what policies share, and the core', () => {
    const { files, packages } = reach('dist/policies/balancing/index.js');
    expect(files.filter((file) => !/^dist\/(policies\/(balancing|shared)|core)\//.test(file))).toEqual([]);
    expect(packages).toEqual([]);
    // The walk has walked: every algorithm is there.
    const policies = filesUnder('dist/policies/balancing', '.js').filter((file) => /define(Balancer)\(\{/.test(read(file)));
    expect(policies.length).toBeGreaterThan(10);
    expect(files).toEqual(expect.arrayContaining(policies));
  });

  test('and the walk finds what it looks for', () => {
    const { files, packages } = reach('dist/scenario/parse.js');
    expect(packages).toEqual(expect.arrayContaining(['zod', 'yaml']));
    expect(files).toContain('dist/policies/balancing/index.js');
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

/** Address of a server that reads each request to its end and then asks `work` for the answer. */
async function serve(work: (body: string, answer: (text: string) => void) => void): Promise<string> {
  const server = http.createServer((request, response) => {
    text(request).then(
      (body) => work(body, (answer) => response.end(answer)),
      () => response.destroy(),
    );
  });
  stopAfterTest.push(() => {
    server.close();
    server.closeAllConnections();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Port of a proxy that forwards to these addresses. */
async function startProxy(addresses: readonly string[]): Promise<number> {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, ['proxy.mjs', ...addresses], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stopAfterTest.push(() => child.kill());
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(String(line));
}

function ask(port: number, agent: http.Agent, body = ''): Promise<Answer> {
  return new Promise((done, fail) => {
    const request = http.request({ port, host: '127.0.0.1', method: 'POST', path: '/work', agent }, (answer) => {
      text(answer).then((all) => done({ status: answer.statusCode, text: all }), fail);
    });
    request.on('error', fail);
    request.end(body);
  });
}

async function text(stream: Readable): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

/** Everything that loading a built module loads. */
function reach(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of importedBy(read(file))) {
      if (specifier.startsWith('.')) visit(join(file, '..', specifier));
      else packages.add(specifier);
    }
  };
  visit(entry);
  return { files: [...files], packages: [...packages] };
}

/** The compiler writes imports at the start of a line and leaves no types among them. */
const importedBy = (code: string): string[] =>
  [
    ...code.matchAll(
      /^(?:import|export)\b[^'"\n]*\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
    ),
  ].map(([, from, effect, dynamic]) => from ?? effect ?? dynamic);
