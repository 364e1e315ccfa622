/** The strategy of a Rollout of Argo: its canary with steps, or its blue-green, and the analyses of both. What a step does that nothing here
 *  can do (experiments, routes by header, plugins) is left out, with a warning.
 *
 *  After argoproj/argo-rollouts: pkg/apis/rollouts/v1alpha1/types.go. */
import { show } from '../../core/quantity.ts';
import type { MapNode } from '../node.ts';
import { addTemplates } from './analysis-templates.ts';
import { Draft } from './draft.ts';
import { secondsOrGoDuration } from './go-duration.ts';
import { seconds } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Undefined after complaints. */
export function argoStrategy(node: MapNode, file: PastedFile): Draft | undefined {
  const object = new Section(node, file, node.span);
  const spec = object.section('spec');
  const strategy = spec?.section('strategy');
  const canary = strategy?.section('canary');
  const blueGreen = strategy?.section('blueGreen');
  if (spec === undefined || (canary === undefined && blueGreen === undefined)) {
    file.error('missing-key', strategy?.span ?? object.span, 'missing key "strategy"', 'with canary or blueGreen');
    return undefined;
  }
  const draft = canary === undefined ? readBlueGreen(blueGreen!, file) : readCanary(canary, file);
  draft
    .set('minReadySeconds', seconds(spec.scalar('minReadySeconds')))
    .set('progressDeadlineSeconds', seconds(spec.scalar('progressDeadlineSeconds')))
    .set('progressDeadlineAbort', spec.scalar('progressDeadlineAbort'));
  strategy!.reportRest();
  spec.reportRest({}, [...silentOfSpec]);
  object.reportRest({}, ['api_version', 'kind', 'metadata', 'status']);
  return draft;
}

/** What runs, and how often, the service says. */
const silentOfSpec = ['replicas', 'selector', 'template', 'workload_ref', 'revision_history_limit', 'analysis'] as const;
const silentOfStrategy = [
  ...['canary_service', 'stable_service', 'active_service', 'preview_service', 'canary_metadata', 'stable_metadata'],
  ...['active_metadata', 'preview_metadata', 'anti_affinity', 'ping_pong'],
];

function readCanary(canary: Section, file: PastedFile): Draft {
  const draft = new Draft('argo-canary', file);
  const added = new Set<string>();
  const routing = canary.section('trafficRouting');
  const threshold = canary.section('replicaProgressThreshold');
  if (routing !== undefined) draft.set('trafficRouting', { key: 'trafficRouting', value: true, span: routing.span });
  for (const key of ['maxSurge', 'maxUnavailable', 'dynamicStableScale', 'minPodsPerReplicaSet'])
    draft.set(key, canary.scalar(key));
  draft
    .set('maxTrafficWeight', routing?.scalar('maxTrafficWeight'))
    .set('replicaProgressThresholdType', threshold?.scalar('type'))
    .set('replicaProgressThreshold', threshold?.scalar('value'));
  setDelays(canary, draft);
  // Without steps it is a rolling update, and not the steps that stand here where nothing is written.
  draft.clear('steps');
  for (const step of canary.sections('steps')) readStep(step, draft, added, file);
  const background = canary.section('analysis');
  if (background !== undefined) {
    draft
      .set('backgroundTemplate', addTemplates(background, draft, added, file))
      .set('startingStep', background.scalar('startingStep'));
    background.reportRest({}, silentOfAnalyses);
  }
  canary.reportRest({}, silentOfStrategy);
  return draft;
}

const silentOfAnalyses = ['args', 'dry_run', 'measurement_retention'];

function setDelays(section: Section, draft: Draft): void {
  for (const key of ['scaleDownDelaySeconds', 'abortScaleDownDelaySeconds']) draft.set(key, seconds(section.scalar(key)));
}

/** Each step is a map with one key. */
function readStep(step: Section, draft: Draft, added: Set<string>, file: PastedFile): void {
  const [key = ''] = step.keys;
  const kind = (value: string): Found => ({ key, value, span: step.keySpan(key) });
  switch (key) {
    case 'setWeight':
      draft.add('steps', { step: kind(key), weight: step.scalar(key) });
      return;
    case 'pause':
      draft.add('steps', { step: kind(key), duration: secondsOrGoDuration(step.section(key)?.scalar('duration'), file) });
      return;
    case 'setCanaryScale': {
      const scale = step.section(key);
      const [replicas, weight] = [scale?.scalar('replicas'), scale?.scalar('weight')];
      draft.add('steps', { step: kind(key), replicas, weight, matchTrafficWeight: scale?.scalar('matchTrafficWeight') });
      return;
    }
    case 'analysis': {
      const analysis = step.section(key);
      draft.add('steps', { step: kind(key), template: analysis && addTemplates(analysis, draft, added, file) });
      analysis?.reportRest({}, silentOfAnalyses);
      return;
    }
    case 'setMirrorRoute': {
      const route = step.section(key);
      draft.add('steps', { step: kind(key), weight: route?.scalar('percentage') });
      route?.reportRest({ match: 'all requests are alike here' }, ['name']);
      return;
    }
    default:
      file.warn('not-read', step.keySpan(key), `a step ${show(key)} is not read here: it is left out`);
  }
}

function readBlueGreen(blueGreen: Section, file: PastedFile): Draft {
  const draft = new Draft('argo-blue-green', file);
  const added = new Set<string>();
  draft
    .set('autoPromotionEnabled', blueGreen.scalar('autoPromotionEnabled'))
    .set('autoPromotionSeconds', seconds(blueGreen.scalar('autoPromotionSeconds')))
    .set('previewReplicaCount', blueGreen.scalar('previewReplicaCount'));
  setDelays(blueGreen, draft);
  for (const when of ['pre', 'post']) {
    const analysis = blueGreen.section(`${when}PromotionAnalysis`);
    if (analysis === undefined) continue;
    draft.set(`${when}PromotionTemplate`, addTemplates(analysis, draft, added, file));
    analysis.reportRest({}, silentOfAnalyses);
  }
  blueGreen.reportRest({}, silentOfStrategy);
  return draft;
}
