/** The analysis of a Canary of Flagger. What is absent there is nothing, and not what stands here where nothing is written. Metrics by
 *  templates of their own are left out, with a warning; so are webhooks other than the one that confirms a promotion.
 *
 *  After fluxcd/flagger: pkg/apis/flagger/v1beta1/canary.go. */
import { show } from '../../core/quantity.ts';
import type { MapNode } from '../node.ts';
import { Draft } from './draft.ts';
import { goDuration } from './go-duration.ts';
import { seconds } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Undefined after complaints. */
export function flaggerStrategy(node: MapNode, file: PastedFile): Draft | undefined {
  const object = new Section(node, file, node.span);
  const spec = object.section('spec');
  const analysis = spec?.section('analysis') ?? spec?.section('canaryAnalysis');
  if (spec === undefined || analysis === undefined) {
    file.error('missing-key', spec?.span ?? object.span, 'missing key "analysis"', 'that is what a Canary goes by');
    return undefined;
  }
  const draft = new Draft('flagger', file)
    .set('interval', goDuration(analysis.scalar('interval'), file))
    .set('progressDeadlineSeconds', seconds(spec.scalar('progressDeadlineSeconds')))
    .set('skipAnalysis', spec.scalar('skipAnalysis'));
  for (const key of ['threshold', 'stepWeight', 'maxWeight'])
    draft.set(key, analysis.scalar(key) ?? { key, value: 0, span: analysis.span });
  for (const key of [
    'stepWeightPromotion',
    'iterations',
    'mirror',
    'mirrorWeight',
    'primaryReadyThreshold',
    'canaryReadyThreshold',
  ])
    draft.set(key, analysis.scalar(key));
  for (const weight of weightsIn(analysis)) draft.add('stepWeights', { weight });
  draft.clear('metrics');
  for (const metric of analysis.sections('metrics')) addMetric(metric, draft, file);
  for (const webhook of analysis.sections('webhooks')) readWebhook(webhook, draft, file);
  analysis.reportRest({ match: 'requests are divided by weight only' }, ['alerts']);
  spec.reportRest({}, ['target_ref', 'autoscaler_ref', 'ingress_ref', 'service', 'provider', 'metrics_server']);
  object.reportRest({}, ['api_version', 'kind', 'metadata', 'status']);
  return draft;
}

/** `stepWeights: [5, 10, 50]`. */
function weightsIn(analysis: Section): readonly Found[] {
  const node = analysis.node('stepWeights');
  if (node?.kind !== 'list') return [];
  return node.items.flatMap((item) =>
    item.kind === 'scalar' ? [{ key: 'stepWeights', value: item.value, span: item.span }] : [],
  );
}

function addMetric(metric: Section, draft: Draft, file: PastedFile): void {
  const name = metric.scalar('name');
  const isBuiltIn = name?.value === 'request-success-rate' || name?.value === 'request-duration';
  if (name === undefined || !isBuiltIn) {
    const hint = 'known: request-success-rate, request-duration';
    file.warn('not-read', name?.span ?? metric.span, `there is no metric ${String(name?.value)} here: it is left out`, hint);
    return;
  }
  const range = metric.section('thresholdRange');
  // Before there were ranges, there was one number, with a meaning of its own for each metric.
  const former = metric.scalar('threshold');
  const isRate = name.value === 'request-success-rate';
  draft.add('metrics', {
    metric: name,
    min: range?.scalar('min') ?? (isRate ? former : undefined),
    max: range?.scalar('max') ?? (isRate ? undefined : former),
    interval: goDuration(metric.scalar('interval'), file),
  });
  range?.reportRest();
  metric.reportRest();
}

function readWebhook(webhook: Section, draft: Draft, file: PastedFile): void {
  const type = webhook.scalar('type');
  if (type?.value === 'confirm-promotion') draft.set('confirmPromotion', { ...type, value: true });
  else {
    const what = type === undefined ? 'without a type' : `of type ${show(type.value)}`;
    file.warn('not-read', type?.span ?? webhook.span, `a webhook ${what} is not called here`);
  }
}
