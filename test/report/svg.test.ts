import { describe, expect, test } from 'vitest';
import { charts } from '../../src/report/charts/index.ts';
import { chart } from '../../src/report/charts/spec.ts';
import { renderPng } from '../../src/report/png.ts';
import { renderSvg } from '../../src/report/svg.ts';
import { bare, configured, crowded, rollouts } from './change.ts';
import { fixture } from './fixture.ts';
import { elastic, outage, shop, storm, sweep } from './life.ts';

const run = fixture({ windows: 60, seeds: 3 });
const files = [run, shop(), storm(), sweep(), outage(), elastic(), rollouts(), configured()];

const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

describe('SVG', () => {
  test.each(Object.keys(charts))('%s is drawn without a warning and says its finding', async (name) => {
    const file = files.find((each) => charts[name]!.when(each))!;
    const spec = charts[name]!.spec(file);
    const svg = await renderSvg(spec);
    const [line] = (spec.title as { text: string[] }).text;
    expect(texts(svg)).toContain(line);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('has the same bytes on every call, whatever was drawn in between', async () => {
    const heatmap = charts['instance-heatmap']!.spec(run);
    const first = await renderSvg(heatmap);
    await renderSvg(charts.forest!.spec(run));
    expect(await renderSvg(heatmap)).toBe(first);
    expect(first).toContain('gradient_0');
  });

  test('coordinates have at most three decimals, so that the last bit of a logarithm does not show', async () => {
    const svg = await renderSvg(charts['latency-survival']!.spec(run));
    expect(svg).toMatch(/\d\.\d{3}/);
    expect(svg).not.toMatch(/\d\.\d{4}/);
  });

  test('names are text, not markup, and control characters are left out', async () => {
    const nasty = fixture({ variants: 2, seeds: 2, windows: 10, labels: ['<script>alert(1)</script>', 'a\u0007"b&c'] });
    const svg = await renderSvg(charts.forest!.spec(nasty));
    expect(svg).not.toContain('<script');
    expect(texts(svg)).toContain('a"b&amp;c');
  });

  test('a chart that Vega warns about is refused', async () => {
    const zero = chart(
      { title: 'zero', subtitle: '' },
      { rows: [{ value: 0 }, { value: 1 }] },
      {
        data: { name: 'rows' },
        mark: 'point',
        encoding: { x: { field: 'value', type: 'quantitative', scale: { type: 'log' } } },
      },
    );
    await expect(renderSvg(zero)).rejects.toThrow(/the chart cannot be drawn: .*log scale domain includes zero/i);
  });

  test.each([
    ['one variant', { variants: 1 }],
    ['one seed', { seeds: 1 }],
    ['twenty variants', { variants: 20, instances: 40 }],
    ['a single window', { windows: 1 }],
    ['long names', { labels: ['x'.repeat(300), '負荷分散'.repeat(20), 'a.b[c]', '{{d}}', '__proto__'] }],
  ])('%s: every chart the run has can be drawn', async (_, options) => {
    const odd = fixture({ windows: 40, seeds: 2, ...options });
    const shown = Object.values(charts).filter((each) => each.when(odd));
    expect(shown.length).toBeGreaterThan(0);
    for (const each of shown) expect(await renderSvg(each.spec(odd))).toContain('</svg>');
  });
});

describe('roll-outs that are unlike usual ones', () => {
  const renamed = (file: ReturnType<typeof rollouts>, name: string): ReturnType<typeof rollouts> =>
    JSON.parse(JSON.stringify(file), (_, value: unknown) =>
      typeof value === 'string' ? value.replace(/^(v2|retry-5)$/, name) : value,
    ) as ReturnType<typeof rollouts>;
  test.each([
    ['nine versions of two services in ten variants', crowded()],
    ['a single window, nothing met', bare()],
    ['300 hosts', configured(300)],
    ['a name with quotes', renamed(configured(3), '"\\\'; datum')],
    ['a name of a property', renamed(rollouts(), '__proto__')],
    ['a name without characters', renamed(rollouts(), '')],
  ])('%s: every chart the run has can be drawn', async (_, file) => {
    for (const name of ['traffic-by-version', 'canary', 'version-map', 'leaders'].filter((each) => charts[each]!.when(file))) {
      const svg = await renderSvg(charts[name]!.spec(file));
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe('PNG', () => {
  test('is refused without a font, because its text would be missing', async () => {
    await expect(renderPng('<svg xmlns="http://www.w3.org/2000/svg"/>', { fonts: [] })).rejects.toThrow(
      /without a font a PNG has no text/,
    );
  });

  test('has twice the size of the picture, and its text', async (context) => {
    const svg = (text: string): string =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40"><text x="5" y="20" font-family="Helvetica">${text}</text></svg>`;
    const png = await renderPng(svg('text')).catch((error: Error) =>
      /found none of the fonts/.test(error.message) ? null : Promise.reject(error),
    );
    if (png === null) return context.skip('no font on this machine');
    expect([...png.slice(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    const view = new DataView(png.buffer, png.byteOffset);
    expect([view.getUint32(16), view.getUint32(20)]).toEqual([200, 80]);
    expect(Buffer.from(png).equals(Buffer.from(await renderPng(svg(''))))).toBe(false);
  });
});
