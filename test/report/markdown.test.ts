import { expect, test } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { configured, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop, storm } from './life.ts';

const text = renderMarkdown(fixture());

test('verdict first, then one table row per variant', () => {
  const lines = text.split('\n');
  expect(lines[0]).toBe('### slow-node');
  expect(lines[5]).toMatch(/^\*\*Use two choices or peak-ewma/);
  expect(text).toMatch(/^\| two choices \| 12\.3 ms \| 84\.\d ms \| 15\d ms \| 100 % \| -86\.\d % \[.*] \| \*\*better\*\* \|$/m);
});

test('every table row has as many cells as its header', () => {
  const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
  const blocks = [
    text,
    renderMarkdown(shop()),
    renderMarkdown(storm()),
    renderMarkdown(outage()),
    renderMarkdown(elastic()),
    renderMarkdown(configured()),
  ]
    .flatMap((each) => each.split('\n\n'))
    .filter((block) => block.startsWith('|'));
  expect(blocks.length).toBeGreaterThan(10);
  for (const block of blocks) expect(new Set(block.split('\n').map(cells)).size).toBe(1);
});

test('expectations carry their place', () => {
  expect(text).toContain('| **fails** | latency.p99 &#60; 250ms | round-robin | 613 ms');
  expect(text).toContain('scenarios/slow-node.yaml:32:5 |');
});

test('names are shown literally and cannot break out of their cell', () => {
  const nasty = renderMarkdown(fixture({ variants: 2, windows: 10, labels: ['a|b\n# c', '<img src=x onerror=alert(1)>'] }));
  expect(nasty).toContain('| a\\|b # c |');
  expect(nasty).not.toContain('<img');
});

test('a replay command with backticks stays inside its fence', () => {
  const fenced = renderMarkdown({ ...fixture({ windows: 10 }), replay: 'x ```` y' });
  expect(fenced).toContain('`````sh\nx ```` y\n`````');
});

test('says whether traffic waits for answers', () => {
  expect(text.split('\n')[3]).toBe('Open loop: requests arrive no matter how long answers take.');
});

test('every outcome of a request has a row, also those that did not occur', () => {
  expect(text).toMatch(/^\| failed: shed \| 0 \| 0 \| 0 \| 0 \| 0 \|$/m);
  expect(text).not.toContain('Who called whom');
});

test('edges, queues and recovery have tables where there are any', () => {
  expect(renderMarkdown(shop())).toContain('| web-&#62;db | no retries |');
  expect(renderMarkdown(shop())).toContain('| jobs | no retries | 60.0k | 59.4k |');
  expect(renderMarkdown(storm())).toMatch(/^\| retries \| 3 of 3 \| 0 of 3 \| {2}\| 55 % to 60 % of the load \|$/m);
});

test('faults and detectors have tables that say how to read them', () => {
  const faults = renderMarkdown(outage());
  expect(faults).toMatch(/^\*\*What the faults did\.\*\* Medians over 4 seeds, from the beginning of the fault\./m);
  expect(faults).toMatch(/^\| hang api\/0 at 20s \| checks \| 230 \| 0\.5 \| 1\.4s \| 2s \| 1s, in 3 of 4 \|$/m);
  expect(faults).toMatch(
    /^\| hasty \| 300 ms \| 0 % \| 1\.00 s \| 120 \| 5\.00 s \| 99\.80 % \| 18\.0 \| .* \| 1 \| 0\.600× \|$/m,
  );
});

test('scaling and alarms have tables that say how to read them', () => {
  const scaling = renderMarkdown(elastic());
  expect(scaling).toMatch(/^\*\*Scaling\.\*\* Means over seeds, since warm-up\./m);
  expect(scaling).toMatch(/^\| late \| 9\.50 \| 14\.0 \| 10 % \| 30 % \| 10\.0 s \| 30\.0 \| 1\.50 s \| 0\.800 \|$/m);
  expect(scaling).toMatch(/^\*\*Scaling by service\.\*\* The same for each service that scales\.$/m);
  expect(scaling).toMatch(/^\| ahead \| 5\.00 s \| 50 % \| 30\.0 \|$/m);
  expect(text).not.toMatch(/Scaling|Alarms/);
});

test('roll-outs have tables that say how to read them', () => {
  const changes = renderMarkdown(rollouts());
  expect(changes).toMatch(/^\*\*Roll-outs\.\*\* Means over seeds\./m);
  expect(changes).toMatch(/^\| api: v1 to v2 \(bad\) at 26s \| all-at-once \| accepted after 4s \| 20 % \| 201 \| 101 \|$/m);
  expect(renderMarkdown(configured())).toMatch(/^\| waves \| 800ms \| 12s \| 30 % \| 0 \| 2 \| 4s \| 3 \| 1 \|$/m);
  expect(text).not.toMatch(/[Rr]oll-out|Delivery/);
});

test('where nobody judges instances, the table is about the error budget alone', () => {
  expect(text).toContain('**Error budget.** Objective: 99.9 % of the requests end well.');
  expect(text).not.toContain('Detectors and users');
});
