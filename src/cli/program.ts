/** All commands with their options and help; each action imports its own code. Usage errors become exceptions here and exit codes
 *  in `failure.ts`. */
import { Command, Option } from 'commander';
import { version } from '../core/version.ts';
import {
  addLookOptions,
  addOutputOptions,
  addWorkOptions,
  addWorldOptions,
  explainOption,
  nonEmpty,
  collectText,
  parseAssignment,
  parseConfidence,
  untilCiOption,
  wholeNumber,
} from './options.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  clusterlab init my-lab && cd my-lab && clusterlab compare scenario.yaml
  clusterlab compare scenarios/slow-node.yaml --seeds 20
  clusterlab compare scenarios/slow-node.yaml --set 'traffic[0].arrivals.rate=6000/s' --json | jq .verdict
  clusterlab plan scenarios/slow-node.yaml
  clusterlab policies show peak-ewma
  clusterlab report reports/slow-node --format md

Exit codes: 0 fine, 1 an expectation failed, 2 bad input, 3 inconclusive under --strict, 4 could not finish, 70 our bug,
130 or 143 interrupted.`;

export function createProgram(terminal: Terminal): Command {
  const program = new Command('clusterlab')
    .description(
      'A wind tunnel for cluster policies: one scenario, several policies, the same world, a verdict with its uncertainty.',
    )
    .version(version, '-V, --version')
    .configureOutput({
      writeOut: terminal.print,
      writeErr: terminal.note,
      getOutHelpWidth: () => terminal.results.width,
      getErrHelpWidth: () => terminal.notes.width,
    })
    .addHelpCommand(
      new Command('help').argument('[command]').description('the options of a command').helpGroup('Learn and start:'),
    )
    .showHelpAfterError('(add --help to see what is possible)')
    .exitOverride()
    .addHelpText('after', examples);

  program.commandsGroup('Check:');
  addLookOptions(program.command('validate'))
    .description('check scenario files and report every mistake; runs and writes nothing')
    .argument('<files...>', 'scenario files')
    .option('--json', 'print the diagnostics as JSON')
    .action(async (files, options) =>
      terminal.exitWith(await (await import('./commands/validate.ts')).validate(files, options, terminal)),
    );
  addLookOptions(addWorldOptions(program.command('plan')))
    .description('show what would run: cells, predicted utilization, time and memory, warnings')
    .argument('<file>', 'scenario file')
    .option('--json', 'print the plan as JSON')
    .action(async (file, options) => terminal.exitWith(await (await import('./commands/plan.ts')).plan(file, options, terminal)));
  addWorkOptions(addWorldOptions(program.command('aa')))
    .description('compare the baseline with itself, many times: how often is a difference found where there is none?')
    .argument('<file>', 'scenario file')
    .addOption(new Option('--trials <n>', 'comparisons to make').default(40).argParser(wholeNumber(2, 10_000)))
    .option('--json', 'print the result as JSON')
    .action(async (file, options) => terminal.exitWith(await (await import('./commands/aa.ts')).aa(file, options, terminal)));

  program.commandsGroup('Simulate:');
  addOutputOptions(addWorkOptions(addWorldOptions(program.command('run')).addOption(untilCiOption()).addOption(explainOption())))
    .description('run one scenario with its own policies')
    .argument('<file>', 'scenario file')
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/experiment.ts')).experiment('run', file, options, terminal)),
    );
  addOutputOptions(
    addWorkOptions(addWorldOptions(program.command('compare')).addOption(untilCiOption()).addOption(explainOption())),
  )
    .description('run every variant of a scenario on the same seeds and judge the differences')
    .argument('<file>', 'scenario file')
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/experiment.ts')).experiment('compare', file, options, terminal)),
    );

  program.commandsGroup('Search:');
  addSearchOptions(program.command('capacity'))
    .description('the smallest fleet, or the cheapest setting, that keeps promises, shown with a stated confidence')
    .argument('<file>', 'scenario file')
    .addOption(
      new Option('--slo <check>', 'what must hold, as in expect: "latency.p99 < 250ms"; repeatable: all must hold')
        .makeOptionMandatory()
        .argParser(collectText),
    )
    .addOption(
      new Option(
        '--vary <path=values>',
        'what varies: low..high (with :5 in steps of 5) or a,b,c (default: services.<the only one>.instances=1..100); repeatable with --min',
      ).argParser(parseAssignment),
    )
    .addOption(new Option('--min <metric>', 'of a list of settings, the one with least of this: cost').argParser(nonEmpty))
    .addOption(
      new Option('--max-seeds <n>', 'add seeds to an undecided setting up to so many (default: 40)').argParser(
        wholeNumber(2, 1000),
      ),
    )
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/capacity.ts')).capacity(file, options, terminal)),
    );
  addSearchOptions(program.command('tune'))
    .description('look for parameters that serve a goal and keep promises; the winner is confirmed on fresh seeds')
    .argument('<file>', 'scenario file')
    .addOption(
      new Option(
        '--param <path=values>',
        'what may change: low..high (with :log by ratios, with :5 in steps of 5) or a,b,c; repeatable',
      )
        .makeOptionMandatory()
        .argParser(parseAssignment),
    )
    .addOption(
      new Option('--goal <goal>', '"min cost subject to latency.p99 < 250ms and availability >= 99.9%"; also max')
        .makeOptionMandatory()
        .argParser(nonEmpty),
    )
    .addOption(
      new Option('--budget <n>', 'cells to run at most, the confirmation included')
        .default(200)
        .argParser(wholeNumber(12, 100_000)),
    )
    .action(async (file, options) => terminal.exitWith(await (await import('./commands/tune.ts')).tune(file, options, terminal)));

  addLookOptions(program.command('import <logs...>'))
    .description(
      'turn access logs (nginx, Apache, HAProxy, Envoy, CSV, JSON lines, also gzipped; - for standard input) into a trace to play again and a scenario fitted to it',
    )
    .option('--format <name>', 'auto, combined, haproxy, envoy, envoy-json, csv or jsonl', 'auto')
    .addOption(
      new Option('--column <role=name>', 'of csv and jsonl: time=ts,duration=latency_ms,path=url,status=code').argParser(
        parseAssignment,
      ),
    )
    .addOption(new Option('-o, --out <dir>', 'folder for trace and scenario (default: reports/<log name>)').argParser(nonEmpty))
    .addOption(
      new Option('--max-errors <n>', 'give up after so many unreadable lines').default(100).argParser(wholeNumber(0, 1e9)),
    )
    .addOption(
      new Option('--classes <n>', 'kinds of requests to tell apart, the rest is one').default(12).argParser(wholeNumber(1, 1000)),
    )
    .addOption(
      new Option('--spread <yes|no>', 'spread requests over their second where the log has no finer clock')
        .choices(['yes', 'no'])
        .default('yes'),
    )
    .addOption(
      new Option('--time-is <start|end>', 'what the time of a line means (default: what the format says)').choices([
        'start',
        'end',
      ]),
    )
    .option('--zone <name>', 'of times without a zone: UTC, +02:00, Europe/Berlin', 'UTC')
    .option('--replay', 'a scenario that plays the log itself, open loop, instead of the laws fitted to it')
    .option('--closed', 'the same in closed loop: sessions keep their order and think times')
    .option('--gzip', 'write trace.csv.gz')
    .option('--force', 'write into a folder that holds other files')
    .option('--json', 'print what was measured as JSON')
    .option('-q, --quiet', 'no summary')
    .action(async (logs, options) =>
      terminal.exitWith(await (await import('./commands/import.ts')).importLogs(logs, options, terminal)),
    );

  program.commandsGroup('Look:');
  addLookOptions(program.command('report'))
    .description('render a finished run again from its run.json')
    .argument('<run>', 'run.json, or the folder that holds it')
    .option('-f, --format <list>', 'terminal, json, csv, md, html, vega, svg or png; several with commas', 'terminal')
    .addOption(new Option('-o, --out <dir>', 'write files into this folder instead of standard output').argParser(nonEmpty))
    .option('--force', 'write into a folder that holds other files')
    .action(async (run, options) =>
      terminal.exitWith(await (await import('./commands/report.ts')).report(run, options, terminal)),
    );
  addLookOptions(program.command('chart'))
    .description('draw one chart of a finished run')
    .argument('<run>', 'run.json, or the folder that holds it')
    .requiredOption('-m, --metric <name>', 'what to draw: latency.p99, availability, utilization.mean…')
    .addOption(new Option('--by <what>', 'variant, time, instance or zone').default('variant'))
    .option('--type <type>', 'bar, line, heatmap, strip or ccdf (default: what fits)')
    .option('--filter <key=value>', 'only these variants, instances or zones: variant=p2c,mine; repeatable', collectAssignment)
    .option('--title <text>', 'title of the chart')
    .addOption(
      new Option('-o, --out <file>', 'file.svg, file.png or file.vl.json (default: SVG on standard output)').argParser(nonEmpty),
    )
    .action(async (run, options) => terminal.exitWith(await (await import('./commands/chart.ts')).chart(run, options, terminal)));

  program.commandsGroup('Learn and start:');
  const policies = program.command('policies').description('the policies that come with clusterlab');
  addLookOptions(policies.command('list', { isDefault: true }))
    .description('every policy by family, with its names elsewhere')
    .option('--json', 'print the table as JSON')
    .action(async (options) => terminal.exitWith(await (await import('./commands/policies.ts')).listPolicies(options, terminal)));
  addLookOptions(policies.command('show'))
    .description('one policy: parameters, when to use it, when it fails, sources')
    .argument('<name>', 'its name, or its name in another system')
    .option('--json', 'print the description as JSON')
    .action(async (name, options) =>
      terminal.exitWith(await (await import('./commands/policies.ts')).showPolicy(name, options, terminal)),
    );
  addLookOptions(policies.command('check'))
    .description('try a policy, also one of your own, against all that it owes whoever drives it')
    .argument('<policy>', 'its name, or ./file.ts#Export')
    .addOption(new Option('--param <name=value>', 'a parameter of the policy; repeatable').argParser(parseAssignment))
    .addOption(
      new Option('--role <role>', 'what it is for, where its name does not say; by default a balancer').choices([
        'balancer',
        'detector',
        'membership',
        'healthCheck',
        'outlier',
        'discovery',
        'registry',
        'restart',
        'retry',
        'budget',
        'hedge',
        'breaker',
        'admission',
        'shedding',
        'queueing',
        'alarm',
        'autoscaler',
        'replicas',
        'scheduler',
        'nodeAutoscaler',
        'nodeDetector',
        'eviction',
        'failover',
      ]),
    )
    .option('--allow-outside', 'load it from outside the current folder, too')
    .addOption(new Option('--time-limit <seconds>', 'for one check').default(30).argParser(wholeNumber(1, 3600)))
    .option('--json', 'print the checks as JSON')
    .action(async (policy, options) =>
      terminal.exitWith(await (await import('./commands/policies-check.ts')).checkPolicies(policy, options, terminal)),
    );
  addLookOptions(program.command('init'))
    .description('write a commented scenario and a policy of your own to start from; overwrites nothing')
    .argument('[dir]', 'where', '.')
    .action(async (dir) => terminal.exitWith(await (await import('./commands/init.ts')).init(dir, terminal)));
  addLookOptions(program.command('schema'))
    .description('print the JSON Schema of scenario files, for editors')
    .addOption(new Option('-o, --out <file>', 'write it to a file').argParser(nonEmpty))
    .action(async (options) => terminal.exitWith(await (await import('./commands/schema.ts')).schema(options, terminal)));

  return program;
}

/** What searches have in common. */
const addSearchOptions = (command: Command): Command =>
  addOutputOptions(addWorkOptions(addWorldOptions(command)))
    .addOption(new Option('--variant <label>', 'which variant of the file (default: its own policies)').argParser(nonEmpty))
    .addOption(
      new Option('--confidence <percent>', 'with which promises must be shown to hold')
        .default(0.95, '95%')
        .argParser(parseConfidence),
    );

const collectAssignment = (text: string, previous: readonly string[] = []): readonly string[] => [...previous, text];
