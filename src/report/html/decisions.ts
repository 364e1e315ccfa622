/** Why requests went where they went, as recorded with `--explain`: the place picked, the place that would have been best, and what the
 *  balancer could see of both next to what was true. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import type { Decision } from '../../stats/result.ts';
import { formatMs, formatSpan } from '../format.ts';
import { forHtml } from '../plain-text.ts';
import { regrets, type Regret } from '../regret.ts';
import { plural } from '../summary.ts';

const maxShown = 200;

export const decisions = (run: RunFile): string =>
  run.variants
    .filter((variant) => variant.decisions.length > 0)
    .map(ofVariant)
    .join('\n');

function ofVariant(variant: VariantResult): string {
  const { label, decisions: all } = variant;
  const rows = all.slice(0, maxShown).map((decision) => {
    const { atMs, request, balancer, picked, best, regretMs } = decision;
    return `<tr><td class="number">${formatSpan(atMs)}</td><td class="number">${request}</td><td class="number">${balancer}</td><th scope="row">${forHtml(
      picked,
    )}<small>${seen(decision, picked)}</small></th><td>${best === null ? 'nobody' : forHtml(best)}<small>${seen(decision, best)}</small></td><td class="number">${regret(regretMs)}</td></tr>`;
  });
  const [{ best, meanMs, lost }] = regrets([variant]) as [Regret];
  const losses = lost === 0 ? '' : `, ${lost} to places that would not have taken or finished it`;
  return `<details><summary>${forHtml(label)}: ${best} of ${plural(all.length, 'decision')} went to the best place${losses}; mean regret ${regret(meanMs)}</summary>
<div class="scroll"><table><caption>First seed${all.length > maxShown ? `; the first ${maxShown}` : ''}</caption>
<thead><tr><th scope="col" class="number">at</th><th scope="col" class="number">request</th><th scope="col" class="number">balancer</th><th scope="col">picked</th><th scope="col">best</th><th scope="col" class="number">lost</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div></details>`;
}

/** `saw 3 of its own, 120 ms old; 7 there, 45.0 ms`. */
function seen({ visible }: Decision, instance: string | null): string {
  const view = visible.find((each) => each.instance === instance);
  if (view === undefined) return '';
  const age = Number.isFinite(view.ageMs) ? `heard of ${formatMs(view.ageMs)} ago` : 'never heard of';
  const belief = view.healthy ? '' : ', believed down';
  const takes = Number.isFinite(view.takesMs) ? `done in ${formatMs(view.takesMs)}` : 'never done';
  return forHtml(`own in flight ${view.active}, ${age}${belief}; truly ${view.present} there, ${takes}`);
}

const regret = (ms: number): string => (Number.isFinite(ms) ? (ms === 0 ? '0' : formatMs(ms)) : 'all of it');
