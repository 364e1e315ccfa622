/** What it takes to get the same numbers again, and what was checked on the way to them. */
import type { RunFile } from '../../lab/types.ts';
import { formatCount, formatPercent, formatSpan } from '../format.ts';
import { forHtml, forTerminal } from '../plain-text.ts';
import { plural } from '../summary.ts';

export function inputs(run: RunFile): string {
  const { scenario, checks } = run;
  const services = run.services.map(
    ({ name, instances, slots }) => `${name}: ${plural(instances, 'instance')} of ${plural(slots, 'slot')}`,
  );
  const faults = run.faults.map(({ label, fromMs, toMs }) => {
    const end = Number.isFinite(toMs) ? `to ${formatSpan(toMs)}` : 'to the end';
    return `${label}, from ${fromMs === 0 ? 'the start' : formatSpan(fromMs)} ${end}`;
  });
  const facts: readonly (readonly [string, string])[] = [
    ['Scenario', code(scenario.file)],
    ['SHA-256', code(scenario.sha256)],
    ['Demonstrates', forHtml(scenario.demonstrates)],
    ['Settings changed', list(run.overrides.map(code))],
    [
      'Simulated',
      forHtml(
        `${formatSpan(scenario.durationMs)}, of which ${formatSpan(scenario.warmupMs)} warm-up is left out of every number`,
      ),
    ],
    ['Arrivals', forHtml(run.loops)],
    ['Services', list(services.map(forHtml))],
    ['Faults', list(faults.map(forHtml))],
    ['Seeds', run.seeds.map(code).join(' ')],
    ['clusterlab', forHtml(run.version)],
    [
      'Checked',
      forHtml(
        `${formatCount(checks.requests)} requests in ${formatCount(checks.events)} events, every one accounted for` +
          (Number.isFinite(checks.littleResidual)
            ? `; Little’s law holds within ${formatPercent(Math.abs(checks.littleResidual))}`
            : ''),
      ),
    ],
  ];
  const shown = facts.filter(([, value]) => value !== '');
  return `<dl>${shown.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('\n')}</dl>
${run.replay === '' ? '' : `<h3>Again</h3>\n<pre class="command"><code>${forHtml(forTerminal(run.replay))}</code></pre>`}
<details><summary>Scenario file</summary><pre><code>${forHtml(scenario.text)}</code></pre></details>
<details><summary>Digests of every cell</summary>${digests(run)}</details>`;
}

function digests(run: RunFile): string {
  const rows = run.variants.map(
    (variant) => `<dt>${forHtml(variant.label)}</dt><dd class="digests">${variant.digests.map(code).join(' ')}</dd>`,
  );
  return `<p class="hint">In the order of the seeds. Equal digests mean equal event streams, down to the last bit.</p><dl>${rows.join('\n')}</dl>`;
}

const code = (text: string): string => (text === '' ? '' : `<code>${forHtml(text)}</code>`);
const list = (items: readonly string[]): string =>
  items.length === 0 ? '' : items.length === 1 ? items[0]! : `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
