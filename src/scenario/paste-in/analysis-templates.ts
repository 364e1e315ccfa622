/** Metrics of Argo's AnalysisTemplates, as far as they stand in the same file and are measured here. Queries are not: a metric goes by its name,
 *  and a query only says how far back it looks.
 *
 *  After argoproj/argo-rollouts: pkg/apis/rollouts/v1alpha1/analysis_types.go. */
import type { Draft } from './draft.ts';
import { goDuration } from './go-duration.ts';
import { objectsOf } from './kubernetes-objects.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Metrics that every roll-out can read. */
const known = ['error-rate', 'latency.p50', 'latency.p99', 'requests', 'errors'];
const synonyms: Readonly<Record<string, string>> = {
  'error-percentage': 'error-rate',
  'error-ratio': 'error-rate',
  errors_total: 'errors',
  latency: 'latency.p99',
  'latency-p50': 'latency.p50',
  'latency-p99': 'latency.p99',
  'p99-latency': 'latency.p99',
};

/** Adds the metrics of these templates to the draft under one name, which is returned: what is analysed together has one name here. Undefined if
 *  there are none. */
export function addTemplates(analysis: Section, draft: Draft, added: Set<string>, file: PastedFile): Found | undefined {
  const names = analysis.sections('templates').flatMap((template) => {
    const name = template.scalar('templateName');
    template.reportRest({}, ['cluster_scope']);
    return name === undefined ? [] : [name];
  });
  if (names.length === 0) return undefined;
  const joined = names.map(({ value }) => String(value)).join('+');
  if (!added.has(joined)) {
    added.add(joined);
    for (const name of names) addTemplate(name, { ...name, value: joined }, draft, file);
  }
  return { ...names[0], value: joined };
}

function addTemplate(name: Found, template: Found, draft: Draft, file: PastedFile): void {
  const object = objectsOf(['AnalysisTemplate', 'ClusterAnalysisTemplate'], file).find((each) => each.name === name.value);
  if (object === undefined) {
    const hint = 'put it into the same file, behind ---';
    file.warn('not-read', name.span, `there is no AnalysisTemplate ${String(name.value)} here: nothing of it is measured`, hint);
    return;
  }
  const spec = new Section(object.node, file, object.node.span).section('spec');
  for (const metric of spec?.sections('metrics') ?? []) addMetric(metric, template, draft, file);
  spec?.reportRest({}, ['args']);
}

function addMetric(section: Section, template: Found, draft: Draft, file: PastedFile): void {
  const name = section.scalar('name');
  const metric = name && metricNamed(name, file);
  if (metric === undefined) return;
  const duration = (key: string): Found | undefined => goDuration(section.scalar(key), file);
  const condition = (key: string): Found | undefined => metric.condition(section.scalar(key));
  draft.add('metrics', {
    ...{ template, metric: metric.found, window: windowOf(section), interval: duration('interval') },
    ...{ initialDelay: duration('initialDelay'), count: section.scalar('count') },
    ...{ successCondition: condition('successCondition'), failureCondition: condition('failureCondition') },
    ...{ failureLimit: section.scalar('failureLimit'), inconclusiveLimit: section.scalar('inconclusiveLimit') },
    consecutiveErrorLimit: section.scalar('consecutiveErrorLimit'),
    consecutiveSuccessLimit: section.scalar('consecutiveSuccessLimit'),
  });
  section.reportRest();
}

interface Metric {
  readonly found: Found;
  condition(written: Found | undefined): Found | undefined;
}

/** Undefined after a warning. */
function metricNamed(name: Found, file: PastedFile): Metric | undefined {
  const written = String(name.value);
  const asWritten = (found: Found | undefined): Found | undefined => found;
  if (known.includes(written)) return { found: name, condition: asWritten };
  if (/^success[-_]rate$/.test(written)) {
    file.warn('approximation', name.span, `${written} is taken for what error-rate leaves`);
    return {
      found: { ...name, value: 'error-rate' },
      condition: (found) => found && { ...found, value: complement(String(found.value)) },
    };
  }
  const synonym = Object.hasOwn(synonyms, written) ? synonyms[written] : undefined;
  if (synonym !== undefined) {
    file.warn('approximation', name.span, `${written} is taken for ${synonym}`);
    return { found: { ...name, value: synonym }, condition: asWritten };
  }
  const hint = `known: ${known.join(', ')}, success-rate`;
  file.warn('not-read', name.span, `there is no metric ${written} here: it is left out`, hint);
  return undefined;
}

/** `result >= 0.95` of successes, as said of errors. With a number above 1 both are in percent. */
function complement(condition: string): string {
  const isPercent = (condition.match(/(?<![\w[])\d+(\.\d+)?/g) ?? []).some((number) => Number(number) > 1);
  const of = (variable: string): string => (isPercent ? `(100 - 100 * ${variable})` : `(1 - ${variable})`);
  return condition.replace(/result(\[0\])?/g, of('result'));
}

/** `rate(requests[5m])` looks back five minutes. */
function windowOf(section: Section): Found | undefined {
  const query = section.section('provider')?.section('prometheus')?.scalar('query');
  const window = query && /\[(\d+[smh])\]/.exec(String(query.value))?.[1];
  return window === undefined ? undefined : { ...query!, value: window };
}
