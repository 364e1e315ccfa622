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
  parseShare,
  reporterOption,
  parseConfidence,
  untilCiOption,
  wholeNumber,
} from './options.ts';
import { addExecutorOptions, addShardOptions, queueOption, redisOption, redisTimeoutOption } from './executor.ts';
import type { Terminal } from './terminal.ts';

const examples = `
Examples:
  clusterlab init my-lab && cd my-lab && clusterlab compare scenario.yaml
  clusterlab compare scenarios/slow-node.yaml --seeds 20
  clusterlab compare scenarios/slow-node.yaml --set 'traffic[0].arrivals.rate=6000/s' --json | jq .verdict
  clusterlab plan scenarios/slow-node.yaml
  clusterlab policies show peak-ewma
  clusterlab report reports/slow-node --format md

Exit codes: 0 fine, 1 an expectation or the gate failed, 2 bad input, 3 inconclusive under --strict, 4 could not finish,
5 nothing to compare with, 70 our bug, 130 or 143 interrupted.`;

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
  addOutputOptions(
    addPlaceOptions(
      addWorkOptions(addWorldOptions(program.command('run')).addOption(untilCiOption()).addOption(explainOption())),
    ),
  )
    .description('run one scenario with its own policies')
    .argument('<file>', 'scenario file')
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/experiment.ts')).experiment('run', file, options, terminal)),
    );
  addOutputOptions(
    addPlaceOptions(
      addWorkOptions(addWorldOptions(program.command('compare')).addOption(untilCiOption()).addOption(explainOption())),
    ),
  )
    .description('run every variant of a scenario on the same seeds and judge the differences')
    .argument('<file>', 'scenario file')
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/experiment.ts')).experiment('compare', file, options, terminal)),
    );

  addOutputOptions(addPlaceOptions(addWorkOptions(addWorldOptions(program.command('sweep')))))
    .description('the same comparison at many points: --set path=a,b,c for each thing that varies; goes on where it was left')
    .argument('<file>', 'scenario file')
    .addOption(
      new Option('--design <name>', 'all combinations, or a Latin hypercube').choices(['factorial', 'lhs']).default('factorial'),
    )
    .addOption(new Option('--points <n>', 'of a Latin hypercube').default(30).argParser(wholeNumber(2, 5000)))
    .addOption(new Option('-m, --metric <name>', 'what it is about').default('latency.p99').argParser(nonEmpty))
    .addHelpText('after', sweepHelp)
    .action(async (file, options) =>
      terminal.exitWith(await (await import('./commands/sweep.ts')).sweep(file, options, terminal)),
    );
  addLookOptions(program.command('merge'))
    .description('put the shards of one experiment together; the result is the same as without shards')
    .argument('<shards...>', 'files that --shard wrote, or their folders')
    .addOption(new Option('-o, --out <dir>', 'folder for the results').env('CLUSTERLAB_OUT').argParser(nonEmpty))
    .option('--no-out', 'write no files')
    .option('--force', 'write into a folder that holds other files')
    .option('--allow-partial', 'a report of the shards there are, marked as incomplete')
    .option('--json', 'print the result instead of the report')
    .option('--strict', 'exit 3 when a verdict or an expectation is inconclusive')
    .option('-q, --quiet', 'no table; the verdict stays')
    .action(async (shards, options) =>
      terminal.exitWith(await (await import('./commands/merge.ts')).merge(shards, options, terminal)),
    );

  addLookOptions(program.command('worker'))
    .description('run cells that others queued with --executor bullmq; start as many as you have machines')
    .addOption(redisOption().makeOptionMandatory())
    .addOption(queueOption())
    .addOption(redisTimeoutOption())
    .addOption(
      new Option('-j, --jobs <n>', 'cells at once (default: one per core)')
        .env('CLUSTERLAB_JOBS')
        .argParser(wholeNumber(1, 1024)),
    )
    .addOption(
      new Option('--cell-timeout <seconds>', 'one cell may take so long').default(3600).argParser(wholeNumber(1, 604_800)),
    )
    .addOption(new Option('--idle <seconds>', 'end when there was nothing to do for so long').argParser(wholeNumber(1, 604_800)))
    .option('--allow-outside', 'load policies from outside the current folder, too')
    .option('-q, --quiet', 'no line per cell')
    .action(async (options) => terminal.exitWith(await (await import('./commands/worker.ts')).worker(options, terminal)));
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

  program.commandsGroup('Gate:');
  addWorkOptions(addWorldOptions(program.command('gate')))
    .description('may this change go in? all expectations, and every variant against a named baseline')
    .argument('<files...>', 'scenario files')
    .addOption(new Option('-b, --baseline <name>', 'compare with this baseline').argParser(nonEmpty))
    .addOption(baselinesOption())
    .option('--exact', 'compare bytes instead of numbers: any change fails')
    .option('--lenient', 'pass over what the baseline lacks or another world has changed, and say so')
    .addOption(
      new Option(
        '--margin <metric=value>',
        'how much worse does not matter: latency.p99=5%, latency.mean=2ms; repeatable',
      ).argParser(parseAssignment),
    )
    .addOption(new Option('--alpha <share>', 'chance of a false alarm of the whole gate').default(0.05).argParser(parseShare))
    .addOption(reporterOption())
    .option('--json', 'the same as --reporter json')
    .option('--strict', 'exit 3 when nothing is wrong but something is inconclusive')
    .action(async (files, options) =>
      terminal.exitWith(await (await import('./commands/gate.ts')).gate(files, options, terminal)),
    );
  const baseline = program.command('baseline').description('what gates compare with: save, list, show, diff, rm');
  addWorkOptions(addWorldOptions(baseline.command('save')))
    .description('run scenarios and keep their numbers under a name')
    .argument('<name>', 'letters, digits, dot, dash, underscore')
    .argument('<files...>', 'scenario files')
    .addOption(baselinesOption())
    .action(async (name, files, options) =>
      terminal.exitWith(await (await import('./commands/baseline.ts')).saveBaseline(name, files, options, terminal)),
    );
  addLookOptions(baseline.command('list', { isDefault: true }))
    .description('the names there are')
    .addOption(baselinesOption())
    .option('--json', 'print them as JSON')
    .action(async (options) => terminal.exitWith(await (await import('./commands/baseline.ts')).listAll(options, terminal)));
  addLookOptions(baseline.command('show'))
    .description('the numbers of one')
    .argument('<name>')
    .addOption(baselinesOption())
    .option('--json', 'print it as JSON')
    .action(async (name, options) =>
      terminal.exitWith(await (await import('./commands/baseline.ts')).showBaseline(name, options, terminal)),
    );
  addLookOptions(baseline.command('diff'))
    .description('what changed from one to another, on the seeds they share')
    .argument('<before>')
    .argument('<after>')
    .addOption(baselinesOption())
    .option('--json', 'print it as JSON')
    .action(async (before, after, options) =>
      terminal.exitWith(await (await import('./commands/baseline.ts')).diffBaselines(before, after, options, terminal)),
    );
  addLookOptions(baseline.command('rm'))
    .description('remove one')
    .argument('<name>')
    .addOption(baselinesOption())
    .action(async (name, options) =>
      terminal.exitWith(await (await import('./commands/baseline.ts')).dropBaseline(name, options, terminal)),
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
        'vertical',
        'replicas',
        'scheduler',
        'nodeAutoscaler',
        'nodeDetector',
        'eviction',
        'failover',
        'rollout',
        'store',
        'election',
        'propagation',
      ]),
    )
    .option('--allow-outside', 'load it from outside the current folder, too')
    .addOption(new Option('--time-limit <seconds>', 'for one check').default(30).argParser(wholeNumber(1, 3600)))
    .option('--json', 'print the checks as JSON')
    .action(async (policy, options) =>
      terminal.exitWith(await (await import('./commands/policies-check.ts')).checkPolicies(policy, options, terminal)),
    );
  addLookOptions(program.command('metrics'))
    .description('the glossary: what is measured, in which unit, for which parts of the requests')
    .argument('[name]', 'one metric, or a family such as latency')
    .option('--json', 'print it as JSON')
    .action(async (name, options) =>
      terminal.exitWith((await import('./commands/metrics.ts')).listMetrics(name, options, terminal)),
    );
  addLookOptions(program.command('init'))
    .description('write a commented scenario and a policy of your own to start from; overwrites nothing')
    .argument('[dir]', 'where', '.')
    .option('--ci', 'a workflow for GitHub Actions, too')
    .action(async (dir, options) => terminal.exitWith(await (await import('./commands/init.ts')).init(dir, options, terminal)));
  const emit = program.command('emit').description('files for other systems: k8s');
  addLookOptions(emit.command('k8s'))
    .description('an Indexed Job for Kubernetes whose pods are the shards of a command: emit k8s --image app -- sweep lab.yaml …')
    .argument('<command...>', 'what each pod runs, after --: sweep, compare or run with its options')
    .addOption(new Option('--shards <n>', 'pods').default(4).argParser(wholeNumber(1, 10_000)))
    .addOption(new Option('--parallelism <n>', 'at once (default: all)').argParser(wholeNumber(1, 10_000)))
    .addOption(
      new Option('--image <image>', 'with clusterlab, the scenario and its policies').makeOptionMandatory().argParser(nonEmpty),
    )
    .addOption(
      new Option('--claim <name>', 'volume claim that takes the shards').default('clusterlab-results').argParser(nonEmpty),
    )
    .addOption(new Option('--name <name>', 'of the job').default('clusterlab').argParser(nonEmpty))
    .addOption(new Option('-o, --out <file>', 'write it to a file').argParser(nonEmpty))
    .action(async (command, options) =>
      terminal.exitWith(await (await import('./commands/emit.ts')).emitK8s(command, options, terminal)),
    );
  addLookOptions(program.command('schema'))
    .description('print the JSON Schema of scenario files, for editors')
    .addOption(new Option('-o, --out <file>', 'write it to a file').argParser(nonEmpty))
    .action(async (options) => terminal.exitWith(await (await import('./commands/schema.ts')).schema(options, terminal)));

  return program;
}

/** Where cells run: executor and shard. */
const addPlaceOptions = (command: Command): Command => addShardOptions(addExecutorOptions(command));

const sweepHelp = `
Values of --set:
  services.api.slots=2,4,8         a list; brackets and quotes hold commas together
  services.api.slots=2..8:2        from 2 to 8 in steps of 2
  services.api.queue=1..64:x2      doubling
  load=10%..90%@9                  nine values; load multiplies the traffic of all streams
  run.duration=@durations.txt      one value per line of a file
  services.api.slots=2..8          with --design lhs: any value of the range
  balancer=p2c,round-robin         whom to compare, where the scenario has no compare:
  traffic[0].timeout=1s            one value: the same everywhere`;

const baselinesOption = (): Option =>
  new Option('--baselines <dir>', 'folder of the baselines (default: baselines)').env('CLUSTERLAB_BASELINES').argParser(nonEmpty);
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
