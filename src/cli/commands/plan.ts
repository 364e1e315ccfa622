/** `plan`: what a scenario would do, before any time is spent on it. */
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { planExperiment } from '../../lab/plan.ts';
import { formatCount, formatPercent, formatSpan, significant } from '../../report/format.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { plural } from '../../report/summary.ts';
import { loadScenario } from '../../scenario/load.ts';
import { noteIssues } from '../notes.ts';
import { loadOptions, type WorldOptions } from '../options.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export async function plan(
  file: string,
  options: WorldOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { scenario, warnings } = await loadScenario(file, loadOptions(options));
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
  const rows = phases.map(({ fromMs, toMs, service, perSecond, utilization, hottest }) => [
    `${fromMs === 0 ? '0' : formatSpan(fromMs)} to ${formatSpan(toMs)}`,
    forTerminal(service),
    `${significant(perSecond)} /s`,
    formatPercent(utilization),
    `${forTerminal(hottest.instance)} ${formatPercent(hottest.utilization)}`,
    advice(utilization, hottest.utilization),
  ]);
  terminal.print(
    `\n${table([['phase', 'service', 'arrivals', 'utilization', 'busiest if dealt evenly', ''], ...rows], { width })}`,
  );
  terminal.print(`\n${plural(cells, 'cell')} would run. Nothing was run.\n`);
  await noteIssues([...warnings, ...planned.warnings], terminal);
  return exitCodes.ok;
}

function advice(utilization: number, hottest: number): string {
  if (utilization >= 1) return 'overloaded: queues grow as long as this lasts';
  if (hottest >= 1) return 'one instance cannot keep up with an even share';
  return utilization > 0.9 ? 'near saturation' : '';
}

const shortList = (seeds: readonly string[]): string =>
  seeds.length <= 6 ? seeds.join(', ') : `${seeds.slice(0, 3).join(', ')} … ${seeds[seeds.length - 1]}`;
