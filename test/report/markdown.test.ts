import { expect, test } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { fixture } from './fixture.ts';

const text = renderMarkdown(fixture());

test('verdict first, then one table row per variant', () => {
  const lines = text.split('\n');
  expect(lines[0]).toBe('### slow-node');
  expect(lines[4]).toMatch(/^\*\*Use two choices or peak-ewma/);
  expect(text).toMatch(/^\| two choices \| 12\.3 ms \| 84\.\d ms \| 15\d ms \| 100 % \| -86\.\d % \[.*] \| \*\*better\*\* \|$/m);
});

test('every table row has as many cells as its header', () => {
  const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
  const blocks = text.split('\n\n').filter((block) => block.startsWith('|'));
  expect(blocks).toHaveLength(2);
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
