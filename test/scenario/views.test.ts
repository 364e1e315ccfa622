/** Parts of the requests that get statistics of their own, and checks about them. */
import { describe, expect, test } from 'vitest';
import { briefly, scenarioOf, scenarioText } from './fixture.ts';

const services =
  'services:\n  web: { instances: 2, work: 1ms, calls: [db, { to: db, name: "second" }, { publish: jobs }] }\n  db: { instances: 2, work: 1ms }\n  worker: { instances: 1, work: 1ms }';
const traffic = 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s }, classes: { read: 50%, write: 50% } }]';
const head = 'classes: { read: {}, write: {} }\nqueues: { jobs: { to: worker } }';
const text = (rest = ''): string => scenarioText({ services, traffic, rest: `${head}\n${rest}` });
const complaintsOf = async (check: string): Promise<string[]> =>
  (await briefly(text(`expect: [${JSON.stringify(check)}]`))).map((line) => line.replace(/^\d+:\d+ /, ''));
const checkOf = async (check: string) => {
  const { expect: checks, views } = await scenarioOf(text(`expect: [${JSON.stringify(check)}]`));
  return { text: checks[0].text, view: views[checks[0].view!] };
};
const measured = { fromMs: 6000, toMs: 60_000 };

describe('views', () => {
  test('none where there is one of everything', async () => {
    expect((await scenarioOf(scenarioText())).views).toEqual([]);
  });

  test('every edge, every class, every service, each by itself', async () => {
    const { views, edges } = await scenarioOf(text());
    expect(edges.map(({ name }) => name)).toEqual(['web', 'web->db', 'second', 'web->jobs', 'jobs->worker']);
    expect(views).toEqual([
      { label: 'edge=web', edges: [0], service: -1, class: -1, ...measured },
      { label: 'edge=web->db', edges: [1], service: -1, class: -1, ...measured },
      { label: 'edge=second', edges: [2], service: -1, class: -1, ...measured },
      { label: 'edge=web->jobs', edges: [3], service: -1, class: -1, ...measured },
      { label: 'edge=jobs->worker', edges: [4], service: -1, class: -1, ...measured },
      { label: 'class=read', edges: [], service: -1, class: 0, ...measured },
      { label: 'class=write', edges: [], service: -1, class: 1, ...measured },
      { label: 'service=web', edges: [0], service: 0, class: -1, ...measured },
      { label: 'service=db', edges: [1, 2], service: 1, class: -1, ...measured },
      // Publishing is no call of the worker; a delivery is.
      { label: 'service=worker', edges: [4], service: 2, class: -1, ...measured },
    ]);
  });

  test('what checks ask for comes last, and once however it is written', async () => {
    const checks = [
      'latency.p99{class=read, edge=web->db} < 1s',
      'availability{edge=web->db,class=read} > 1%',
      'latency.p50{edge=web->db} < 1s',
      'latency.p50{from=10s, to=60s} < 1s',
      'latency.p90{window=10s..1m} < 1s',
    ];
    const { views, expect: specs } = await scenarioOf(text(`expect: ${JSON.stringify(checks)}`));
    expect(views.slice(10)).toEqual([
      { label: 'edge=web->db, class=read', edges: [1], service: -1, class: 0, ...measured },
      { label: 'window=10s..1m', edges: [], service: -1, class: -1, fromMs: 10_000, toMs: 60_000 },
    ]);
    expect(specs.map(({ view }) => view)).toEqual([10, 10, 1, 11, 11]);
  });

  test('those of a variant with other edges stand beside those of the others; what it lacks is empty', async () => {
    const rest =
      'compare: { services.web.calls: [{ value: [db], label: one }, { value: [{ to: worker, name: new }], label: other }] }\nexpect: [{ check: "latency.p99{edge=new} < 1s", of: other }]';
    const { views, variants, expect: checks } = await scenarioOf(text(rest));
    const others = variants.map(({ scenario }) => scenario!.views.map(({ label }) => label));
    expect(others).toEqual([views.map(({ label }) => label), views.map(({ label }) => label)]);
    const at = views.findIndex(({ label }) => label === 'edge=new');
    expect(checks[0].view).toBe(at);
    expect(variants[1].scenario?.views[at]).toEqual({ label: 'edge=new', edges: [1], service: -1, class: -1, ...measured });
    expect(views[at]).toEqual({ label: 'edge=new', edges: [], service: -1, class: -1, fromMs: 0, toMs: 0 });
  });

  test('a service nobody calls has its instances, and no requests', async () => {
    const { views } = await scenarioOf(
      scenarioText({ services: 'services: { api: { instances: 1, work: 1ms }, idle: { instances: 1, work: 1ms } }' }),
    );
    expect(views.at(-1)).toEqual({ label: 'service=idle', edges: [], service: 1, class: -1, fromMs: 0, toMs: 0 });
  });

  test('more than 500 are refused', async () => {
    const names = Array.from({ length: 251 }, (_, index) => `s${index}`);
    const many = scenarioText({
      services: `services:\n${names.map((name) => `  ${name}: { instances: 1, work: 1ms }`).join('\n')}`,
      traffic: `traffic: [${names.map((name) => `{ to: ${name}, arrivals: { type: poisson, rate: 1/s } }`).join(', ')}]`,
    });
    expect(await briefly(many)).toEqual([
      '1:1 error: 502 parts of the requests would get statistics of their own; 500 is the most; every edge, class and service is one, and every labelled check in expect',
    ]);
  });
});

describe('a check with labels', () => {
  test('is written back in one form', async () => {
    expect(await checkOf('latency.p99{ class = read ,edge=web->db } < 250ms')).toMatchObject({
      text: 'latency.p99{edge=web->db, class=read} < 250ms',
      view: { label: 'edge=web->db, class=read' },
    });
  });

  test('about a service speaks of its instances, too', async () => {
    expect((await checkOf('utilization.mean{service=db} < 80%')).view).toEqual({
      label: 'service=db',
      edges: [1, 2],
      service: 1,
      class: -1,
      ...measured,
    });
  });

  test('labels may also stand before the statistic', async () => {
    const { expect: checks, views } = await scenarioOf(scenarioText({ rest: "expect: ['latency{from=10s, to=20s}.p99 < 1s']" }));
    const [{ metric, view }] = checks;
    expect([metric, views[view!].fromMs, views[view!].toMs]).toEqual(['latency.p99', 10_000, 20_000]);
  });

  test('names with commas stand in quotes', async () => {
    const rest = 'classes: { "GET /a,b": {}, other: {} }\nexpect: [\'latency.p99{class="GET /a,b"} < 1s\']';
    const { views, expect: checks } = await scenarioOf(scenarioText({ rest }));
    expect(views.map(({ label }) => label)).toContain('class="GET /a,b"');
    expect(views[checks[0].view!]).toMatchObject({ class: 0 });
  });

  test.each([
    [
      'an unknown edge',
      'latency.p99{edge=web->bd} < 1s',
      /^error: there is no edge "web->bd"; did you mean "web->db"\? Known: web->db, /,
    ],
    [
      'an unknown service',
      'latency.p99{service=dbb} < 1s',
      'error: there is no service "dbb"; did you mean "db"? Known: db, web, worker',
    ],
    [
      'an unknown class',
      'latency.p99{class=reed} < 1s',
      'error: there is no class "reed"; did you mean "read"? Known: read, write',
    ],
    ['an unknown label', 'latency.p99{egde=web} < 1s', 'error: unknown label "egde"; did you mean "edge"?'],
    ['no label', 'latency.p99{} < 1s', 'error: there is no label between the braces; write latency.p99 for all requests'],
    [
      'half a label',
      'latency.p99{edge} < 1s',
      'error: "edge" is not a label; write edge=web->db, service=web, class=read or window=30s..60s',
    ],
    ['a label twice', 'latency.p99{class=read, class=write} < 1s', 'error: the label class stands twice'],
    [
      'edge and service',
      'latency.p99{edge=web, service=web} < 1s',
      'error: give either edge or service; service=web is every edge into it',
    ],
    ['half a window', 'latency.p99{from=10s} < 1s', 'error: from and to belong together; write window=30s..60s'],
    [
      'two windows',
      'latency.p99{window=10s..20s, to=30s} < 1s',
      'error: give either window, or from and to; window=10s..20s says both',
    ],
    ['a strange window', 'latency.p99{window=10s} < 1s', 'error: "10s" is not a window; write window=30s..60s'],
    ['a window without units', 'latency.p99{window=10..20} < 1s', /^error: .*10/],
    ['a window backwards', 'latency.p99{window=20s..10s} < 1s', 'error: the window ends at 10s, not after 20s'],
    [
      'a window before what is measured',
      'latency.p99{window=0s..10s} < 1s',
      'error: the window 0s..10s is not within what is measured, 6s..1m; the warm-up is left out of every statistic',
    ],
    [
      'instances of an edge',
      'utilization.mean{edge=web} < 1',
      'error: utilization.mean is not measured by edge; it can be narrowed down by service',
    ],
    [
      'instances and a class',
      'utilization.max{service=web, class=read} < 1',
      'error: utilization.max is not measured by class; it can be narrowed down by service',
    ],
    [
      'instances and a window',
      'load.jain{service=web, window=10s..20s} > 1',
      'error: load.jain is not measured by window; it can be narrowed down by service',
    ],
    [
      'a number about everything',
      'amplification{edge=web} < 2',
      'error: amplification is not measured by edge; it is a number about all requests: write amplification',
    ],
  ])('is refused: %s', async (_, check, complaint) => {
    const complaints = await complaintsOf(check);
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });

  test('must exist in every variant it is for', async () => {
    const rest =
      'compare: { services.web.calls: [{ value: [db], label: one }, { value: [worker], label: other }] }\nexpect: ["latency.p99{edge=web->db} < 1s"]';
    expect(await briefly(text(rest))).toContainEqual(
      expect.stringContaining('error: there is no edge "web->db" in variant "other"; known: web, web->worker'),
    );
  });
});
