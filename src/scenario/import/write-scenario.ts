/** A measured log as a scenario that runs as it stands. What the log tells is filled in; what it cannot tell (how many servers, how wide)
 *  is assumed and says so. Every text in it comes from us or through `printable.ts`. */
import { formatDuration, formatFraction, formatRate } from '../../core/quantity.ts';
import type { Ms } from '../../core/time.ts';
import type { ArrivalLaw, CountMeasure } from './burstiness.ts';
import type { ClassMeasure, FittedClass, FittedLog } from './fitted-log.ts';
import { windowLength } from './rate-windows.ts';
import { maxFitError, type FittedService } from './service-fit.ts';

export interface ScenarioOptions {
  /** Of the trace, beside the scenario. */
  readonly traceName: string;
  /** Plays the log itself, open or closed loop, instead of the laws fitted to it. */
  readonly replay?: 'open' | 'closed' | undefined;
}

/** Some seconds of work for one seed. */
const maxRequests = 1_000_000;
/** At the busiest window, with the assumed number of instances. */
const peakUtilization = 0.6;
const slots = 8;
const maxInstances = 10_000;
/** Fewer say nothing of a class that all requests together do not say better. */
const minClassRequests = 20;
const maxKeys = 10_000_000;
/** When the log has no durations. */
const placeholder = { p50: 20, p99: 200, meanMs: 32.6 } as const;

export function writeScenario(fitted: FittedLog, { traceName, replay }: ScenarioOptions): string {
  const { name, sources, requests, rate, total, classes } = fitted;
  const { service } = total;
  const play = playedPart(fitted);
  const instances = instancesFor(rate.peakPerSecond, service?.meanMs ?? placeholder.meanMs);
  const files = sources.join(', ');
  return `${[
    'scenario: 1',
    `name: ${quote(name)}`,
    `about: ${quote(`${plural(requests, 'request')} of ${files}, as laws fitted to them. Which balancer suits them?`)}`,
    'demonstrates: "what a log tells about its traffic, and what it does not"',
    '',
    ...comment(summaryOf(fitted)),
    ...comment([`Every request with its time, class, key and session is in ${traceName}.`]),
    ...classLines(classes),
    'run:',
    `  duration: ${duration(play.durationMs)}${play.isAll ? '' : `  # of ${spanText(fitted.spanMs)}: about ${maxRequests} requests for each seed`}`,
    '  seeds: 5',
    `  window: ${duration(Math.min(rate.windowMs, play.durationMs))}`,
    '',
    'services:',
    '  api:',
    `    # Assumed: a log does not tell how many servers there are. So many are busy to ${formatFraction(peakUtilization)} at the busiest ${spanText(rate.windowMs)}.`,
    `    instances: ${instances}`,
    `    slots: ${slots}`,
    '    queue: 100',
    ...workLines(service),
    ...classWorkLines(classes),
    '',
    'traffic:',
    '  - to: api',
    ...(replay === undefined ? fittedTraffic(fitted, play.windows, traceName) : replayedTraffic(replay, traceName)),
    '    balancers: 2        # assumed',
    `    timeout: ${duration(Math.min(10_000, play.durationMs))}        # assumed`,
    ...faultLines(total),
    '',
    'compare:',
    '  balancer: [round-robin, least-request, peak-ewma]',
  ].join('\n')}\n`;
}

/** The laws of the log's traffic, and how to play the log itself instead. */
const fittedTraffic = (fitted: FittedLog, windows: number, traceName: string): string[] => [
  ...comment([`${sentence(fitted.arrivals.because)}`], '    '),
  `    arrivals: ${arrivalsText(fitted.arrivals.law, fitted.rate.perSecond)}`,
  ...profileLines(fitted, windows),
  ...mixLines(fitted.classes, fitted.requests),
  ...keyLines(fitted),
  ...comment(
    [
      `To play the requests themselves, put this in the place of arrivals${windows > 1 ? ', profile' : ''}, classes and keys:`,
      `  arrivals: { type: replay, file: ${traceName} }`,
    ],
    '    ',
  ),
];

/** The log itself. */
const replayedTraffic = (replay: 'open' | 'closed', traceName: string): string[] => [
  ...comment(
    [
      replay === 'open'
        ? 'Open loop: every request comes when it came then, however long answers take.'
        : 'Closed loop: the requests of a session keep their order and the time its user took between them.',
    ],
    '    ',
  ),
  `    arrivals: { type: replay, file: ${traceName}${replay === 'closed' ? ', closed: true' : ''} }`,
];

function playedPart({ requests, spanMs, rate }: FittedLog): { durationMs: Ms; windows: number; isAll: boolean } {
  const windows = rate.counts.length;
  let sum = 0;
  for (let window = 0; window < windows; window++) {
    sum += rate.counts[window];
    if (sum > maxRequests && window > 0) return { durationMs: window * rate.windowMs, windows: window, isAll: false };
  }
  // A window that alone is too long is cut.
  if (requests > maxRequests && windows === 1) return { durationMs: (spanMs * maxRequests) / requests, windows, isAll: false };
  const unit = spanMs > 48 * 3_600_000 ? 3_600_000 : spanMs > 2 * 3_600_000 ? 60_000 : 1000;
  return { durationMs: Math.max(1, Math.ceil(spanMs / unit)) * unit, windows, isAll: true };
}

const instancesFor = (peakPerSecond: number, meanMs: Ms): number =>
  Math.min(maxInstances, Math.max(2, Math.ceil((peakPerSecond * meanMs) / 1000 / slots / peakUtilization)));

function workLines(service: FittedService | undefined): string[] {
  if (service === undefined) {
    return [
      ...comment(['A placeholder: this log has no durations. Put in what you know of your service.'], '    '),
      `    work: { type: lognormal, p50: ${duration(placeholder.p50)}, p99: ${duration(placeholder.p99)} }`,
    ];
  }
  const { lognormal, lognormalError, choice, count, meanMs } = service;
  const measured = `Measured over ${plural(count, 'request')}, mean ${duration(meanMs)}; waiting at the server itself is part of it.`;
  const judgement =
    choice === 'lognormal'
      ? `The lognormal law is off by at most ${percent(lognormalError)} (mean and p25 to p99).`
      : lognormal === undefined
        ? 'All times are alike.'
        : lognormalError > maxFitError
          ? `No lognormal law: the nearest is off by ${percent(lognormalError)}.`
          : 'There are too few to fit a law.';
  return [...comment([measured, judgement], '    '), `    work: ${lawText(service)}`];
}

function lawText({ choice, lognormal, quantiles }: FittedService): string {
  if (lognormal === undefined) return duration(quantiles.p50);
  if (choice === 'lognormal') return `{ type: lognormal, p50: ${duration(lognormal.p50)}, p99: ${duration(lognormal.p99)} }`;
  const points = Object.entries(quantiles).map(([key, value]) => `${key}: ${duration(value)}`);
  return `{ type: empirical, quantiles: { ${points.join(', ')} } }`;
}

/** One class needs no name. */
const areTold = (classes: readonly FittedClass[]): boolean => classes.length > 1;

const classLines = (classes: readonly FittedClass[]): string[] =>
  areTold(classes) ? ['classes:', ...classes.map(({ name }) => `  ${quote(name)}: {}`), ''] : [];

function classWorkLines(classes: readonly FittedClass[]): string[] {
  const lines = classes.flatMap(({ name, service }) =>
    service === undefined || service.count < minClassRequests
      ? []
      : [`      ${quote(name)}: ${lawText(service)}${errorNote(service)}`],
  );
  return areTold(classes) && lines.length > 0 ? ['    workByClass:', ...lines] : [];
}

const errorNote = ({ choice, lognormalError }: FittedService): string =>
  choice === 'lognormal' ? `  # off by at most ${percent(lognormalError)}` : '';

/** Shares in hundredths of a percent of a percent, that sum to the whole: what rounding leaves goes to the largest. */
function mixLines(classes: readonly FittedClass[], requests: number): string[] {
  if (!areTold(classes)) return [];
  const parts = classes.map((each) => Math.floor((each.requests / requests) * 1e6));
  parts[0] += 1e6 - parts.reduce((sum, part) => sum + part, 0);
  const lines = classes.flatMap(({ name }, index) =>
    parts[index] === 0 ? [] : [`      ${quote(name)}: ${formatFraction(Number(`${parts[index]}e-6`))}`],
  );
  return ['    classes:', ...lines];
}

function arrivalsText(law: ArrivalLaw, perSecond: number): string {
  const rate = formatRate(Number(perSecond.toPrecision(6)));
  switch (law.type) {
    case 'poisson':
      return `{ type: poisson, rate: ${rate} }`;
    case 'gamma':
      return `{ type: gamma, rate: ${rate}, cv: ${law.cv} }`;
    case 'batch':
      return `{ type: batch, rate: ${rate}, size: ${law.size} }`;
  }
}

/** Factors on the mean rate, one per window. */
function profileLines({ rate, spanMs }: FittedLog, windows: number): string[] {
  if (windows < 2) return [];
  const steps: string[] = [];
  let last = NaN;
  for (let window = 0; window < windows; window++) {
    const length = windowLength(rate.windowMs, window, spanMs);
    const factor = Number((rate.counts[window] / (length / 1000) / rate.perSecond).toPrecision(3));
    // The stub of a window at the end holds too few requests to tell a rate.
    if (factor === last || (window > 0 && length < rate.windowMs / 2)) continue;
    last = factor;
    steps.push(`          - { at: ${duration(window * rate.windowMs)}, factor: ${factor} }`);
  }
  if (steps.length < 2) return [];
  return ['    profile:', '      type: steps', '      steps:', ...steps.map((step) => step.replace(/^ {2}/, ''))];
}

function keyLines({ keys }: FittedLog): string[] {
  if (keys === undefined || keys.distinct < 2) return [];
  const { distinct, exponent, fittedKeys, topShare, topShareOfLaw } = keys;
  const basis =
    fittedKeys === 0
      ? 'No exponent could be fitted: hardly any key comes ten times.'
      : `Fitted to the ${fittedKeys} most frequent. The first draws ${percent(topShare)} of the requests, by this law ${percent(topShareOfLaw)}.`;
  return [
    ...comment([`Keys are paths. ${basis}`], '    '),
    `    keys: { count: ${Math.min(distinct, maxKeys)}, exponent: ${Number(exponent.toFixed(2))} }`,
  ];
}

function faultLines({ requests, serverErrors }: ClassMeasure): string[] {
  if (serverErrors === 0) return [];
  return [
    '',
    'faults:',
    ...comment(
      ['The share of requests that the servers failed, spread over the whole run; in the log it may have come in bouts.'],
      '  ',
    ),
    `  - { type: errors, at: 0s, target: api/*, share: ${formatFraction(Number((serverErrors / requests).toPrecision(3)))} }`,
  ];
}

/** What was measured and has no place in the scenario, as lines of a comment. */
export function summaryOf(fitted: FittedLog): string[] {
  const { requests, spanMs, rate, classes, sessions, arrivals, tickMs, spread, format, sources } = fitted;
  return [
    `Measured from ${sources.join(', ')} (${format}): ${plural(requests, 'request')} in ${spanText(spanMs)},`,
    `${perSecond(rate.perSecond)} on average and ${perSecond(rate.peakPerSecond)} in the busiest ${spanText(rate.windowMs)}.`,
    ...(tickMs === 1000
      ? [
          spread
            ? 'The log knows whole seconds only: the requests of a second are spread evenly over it.'
            : 'The log knows whole seconds only, and the requests of a second were left together.',
        ]
      : []),
    '',
    ...countLines(arrivals.counts),
    ...(arrivals.gaps === undefined
      ? []
      : [`Gaps: mean ${duration(arrivals.gaps.meanMs)}, coefficient of variation ${digits(arrivals.gaps.cv)}.`]),
    '',
    ...classTable(classes, requests),
    ...(sessions === undefined
      ? []
      : [
          '',
          `${plural(sessions.count, 'session')} (a client and its pauses of up to 30m) of ${digits(sessions.requestsPerSession.mean)} requests on average,` +
            ` half of them up to ${sessions.requestsPerSession.p50}.`,
          ...(sessions.thinkTime === undefined
            ? []
            : [
                `Between two requests of a session: p50 ${duration(sessions.thinkTime.p50)}, mean ${duration(sessions.thinkTime.meanMs)}, p90 ${duration(sessions.thinkTime.p90)}.`,
              ]),
        ]),
    '',
  ];
}

const countLines = (counts: readonly CountMeasure[]): string[] =>
  counts.map(
    ({ windowMs, meanCount, maxCount, dispersion, allanFactor }) =>
      `Counts per ${duration(windowMs)}: mean ${digits(meanCount)}, most ${maxCount}, index of dispersion ${digits(dispersion)}, Allan factor ${digits(allanFactor)}.`,
  );

/** Columns in line. */
function classTable(classes: readonly FittedClass[], requests: number): string[] {
  const hasTimes = classes.some(({ service }) => service !== undefined);
  const rows = [
    ['class', 'share', 'server errors', 'client errors', ...(hasTimes ? ['p50', 'p99'] : [])],
    ...classes.map((each) => [
      each.name,
      percent(each.requests / requests),
      percent(each.serverErrors / each.requests),
      percent(each.clientErrors / each.requests),
      ...(hasTimes ? ['p50', 'p99'].map((key) => (each.service === undefined ? '' : duration(each.service.quantiles[key]))) : []),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

const comment = (lines: readonly string[], indent = ''): string[] =>
  lines.map((line) => (line === '' ? `${indent}#` : `${indent}# ${line}`));

/** JSON's quotes are YAML's. */
const quote = (text: string): string => JSON.stringify(text);

/** Four digits are more than a log deserves. */
const duration = (ms: Ms): string => formatDuration(Math.max(0, rounded(ms)));
const rounded = (ms: Ms): Ms => (ms < 1e-6 ? 0 : Number(ms.toPrecision(Number.isInteger(ms / 1000) ? 15 : 4)));

function spanText(ms: Ms): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return formatDuration(rounded(ms));
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  const parts = [days > 0 ? `${days}d` : '', hours > 0 ? `${hours}h` : '', minutes > 0 ? `${minutes}m` : ''].filter(
    (part) => part !== '',
  );
  return parts.slice(0, 2).join(' ');
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const digits = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => (Number.isFinite(share) ? `${digits(share * 100)}%` : 'unknown');
const perSecond = (rate: number): string => formatRate(Number(rate.toPrecision(3)));
const sentence = (text: string): string => `${text[0].toUpperCase()}${text.slice(1)}.`;
