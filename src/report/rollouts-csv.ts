/** `rollouts.csv`: every roll-out of every seed: when it was asked for, met, decided and over, how it ended, and whom it hurt. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where nothing was rolled out. */
export function rolloutsCsv({ scenario, variants, seeds }: RunFile): string | null {
  const rows = variants.flatMap(({ label, change }) =>
    (change?.rollouts ?? []).map((each): Cell[] => [
      ...[scenario.name, label, seeds[each.seed] ?? '', each.service, each.kind, each.from, each.to, each.isBad ? 'bad' : 'good'],
      ...[each.startedMs / 1000, each.exposedMs / 1000, each.decidedMs / 1000, each.endedMs / 1000, each.outcome],
      ...[each.offered, each.exposed, each.failed, each.slow, each.userMinutes, each.slowMs],
    ]),
  );
  return rows.length === 0 ? null : csv(header, rows);
}

const header = [
  ...['scenario', 'variant', 'seed', 'service', 'kind', 'from', 'to', 'quality'],
  ...['started_s', 'exposed_s', 'decided_s', 'ended_s', 'outcome'],
  ...['offered', 'exposed', 'failed', 'slow', 'user_minutes', 'slow_from_ms'],
];
