/** `ledger.csv`: what became of every request, one row per variant, part and outcome. The part is a label as `expect` writes it, empty for
 *  all requests of the traffic. Rows of one part add up to its `offered`, but for `degraded`, which is part of `ok`. */
import type { RunFile } from '../lab/types.ts';
import type { Ledger } from '../stats/result.ts';
import { csv, type Cell } from './csv.ts';
import { ledgerOutcomes } from './tables/ledger.ts';

export function ledgerCsv(run: RunFile): string {
  const rows: Cell[][] = [];
  for (const { label, ledger, views } of run.variants) {
    const add = (part: string, found: Ledger): void => {
      rows.push([run.scenario.name, label, part, 'offered', found.offered]);
      for (const { name, count } of ledgerOutcomes) rows.push([run.scenario.name, label, part, name, count(found)]);
    };
    add('', ledger);
    for (const view of views) add(view.label, view.ledger);
  }
  return csv(['scenario', 'variant', 'part', 'outcome', 'requests'], rows);
}
