/** `plan`: what a scenario would do, before any time is spent on it. */
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { planExperiment } from '../../lab/plan.ts';
import { formatCount, formatPercent, formatSpan, significant } from '../../report/format.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { plural } from '../../report/summary.ts';
import { loadScenario } from '../../scenario/load.ts';
import { noteIssues } from '../notes.ts';
import type { WorldOptions } from '../options.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { worldOf } from './experiment.ts';

export async function plan(
  file: string,
  options: WorldOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { scenario, warnings } = await loadScenario(file, worldOf(options));
  const planned = planExperiment(scenario);
  if (options.json === true) {
    const all = { scenario: scenario.name, ...planned, warnings: [...warnings, ...planned.warnings] };
    terminal.print(`${JSON.stringify(all, null, 2)}\n`);
    return exitCodes.ok;
  }
  const { cells, variants, seeds, requestsPerCell, phases, seconds, memoryMiB } = planned;
  const facts = [
    ['scenario', forTerminal(`${scenario.name}: ${scenario.about}`)],
    ['variants', `${variants.length}: ${forTerminal(variants.join(', '))}`],
    ['seeds', `${seeds.length}: ${forTerminal(shortList(seeds))}`],
    [
      'simulated',
      `${formatSpan(scenario.run.durationMs)} each, the first ${formatSpan(scenario.run.warmupMs)} left out of every number`,
    ],
    ['cells', `${cells} of about ${formatCount(requestsPerCell)} requests`],
    ['estimate', `${significant(seconds, 2)} s on one core, ${significant(memoryMiB, 2)} MiB`],
  ];
  const { width } = terminal.results;
  terminal.print(table(facts, { width }));
  const rows = phases.map(({ fromMs, toMs, service, utilization }) => [
    `${formatSpan(fromMs) || '0s'} to ${formatSpan(toMs)}`,
    forTerminal(service),
    formatPercent(utilization),
    utilization >= 1 ? 'overloaded: the queue grows as long as this lasts' : utilization > 0.9 ? 'near saturation' : '',
  ]);
  terminal.print(`\n${table([['phase', 'service', 'utilisation', ''], ...rows], { width })}`);
  terminal.print(`\n${plural(cells, 'cell')} would run. Nothing was run.\n`);
  await noteIssues([...warnings, ...planned.warnings], terminal);
  return exitCodes.ok;
}

const shortList = (seeds: readonly string[]): string =>
  seeds.length <= 6 ? seeds.join(', ') : `${seeds.slice(0, 3).join(', ')} … ${seeds[seeds.length - 1]}`;
