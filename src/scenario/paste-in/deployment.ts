/** What a Deployment of Kubernetes says that a service and its placement here can have: replicas, what they reserve, where they may run, how
 *  they are probed, replaced and stopped. What it says beyond that is reported, key by key.
 *
 *  After kubernetes/api: apps/v1/types.go and core/v1/types.go; what a pod reserves after
 *  kubernetes/component-helpers: resource/helpers.go, PodRequests. */
import { show } from '../../core/quantity.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Labels,
  type Resources,
  type SpreadConstraint,
  type TaintEffect,
  taintEffects,
  type Toleration,
} from '../../policies/placement/scheduler.ts';
import { keyHint } from '../hints.ts';
import type { MapNode } from '../node.ts';
import { type KubernetesObject, objectsOf } from './kubernetes-objects.ts';
import { quantity } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

export interface Probe {
  readonly kind: 'httpGet' | 'tcpSocket' | 'exec' | 'grpc';
  readonly initialDelayMs: Ms;
  readonly periodMs: Ms;
  readonly timeoutMs: Ms;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface PastedDeployment {
  readonly name: string;
  readonly replicas: number;
  /** Of a pod: `cpu` in cores, `memory` in bytes. */
  readonly requests: Resources;
  /** Those of the pods. */
  readonly labels: Labels;
  readonly nodeSelector: Labels;
  /** `tolerationMs`: how long it stays on a node with such a taint of effect NoExecute; Infinity for ever. */
  readonly tolerations: readonly (Toleration & { readonly tolerationMs: Ms })[];
  readonly topologySpreadConstraints: readonly SpreadConstraint[];
  readonly terminationGracePeriodMs: Ms;
  readonly minReadyMs: Ms;
  readonly progressDeadlineMs: Ms;
  readonly strategy: {
    readonly type: 'RollingUpdate' | 'Recreate';
    /** `1` or `25%`. */
    readonly maxSurge: string;
    readonly maxUnavailable: string;
  };
  readonly probes: { readonly readiness?: Probe; readonly liveness?: Probe; readonly startup?: Probe };
}

export const deployments = (file: PastedFile): readonly KubernetesObject[] => objectsOf(['Deployment'], file);

/** Undefined after complaints. */
export function readDeployment(node: MapNode, file: PastedFile): PastedDeployment | undefined {
  const reader = new DeploymentReader(file);
  const deployment = reader.read(new Section(node, file, node.span));
  return reader.hasFailed ? undefined : deployment;
}

class DeploymentReader {
  readonly #file: PastedFile;
  hasFailed = false;

  constructor(file: PastedFile) {
    this.#file = file;
  }

  read(object: Section): PastedDeployment {
    const spec = this.#section(object, 'spec');
    const template = this.#section(spec, 'template');
    const pod = this.#section(template, 'spec');
    const metadata = this.#section(template, 'metadata');
    const containers = pod.sections('containers');
    if (containers.length === 0) this.#fail('missing-key', pod.span, 'there are no containers');
    const deployment: PastedDeployment = {
      name: object.section('metadata')?.text('name') ?? '',
      replicas: this.#count(spec.scalar('replicas'), 1),
      requests: this.#podRequests(containers, pod),
      labels: this.#labels(metadata.section('labels')),
      nodeSelector: this.#labels(pod.section('nodeSelector')),
      tolerations: pod.sections('tolerations').map((each) => this.#toleration(each)),
      topologySpreadConstraints: pod.sections('topologySpreadConstraints').map((each) => this.#spreadConstraint(each)),
      terminationGracePeriodMs: this.#count(pod.scalar('terminationGracePeriodSeconds'), 30) * 1000,
      minReadyMs: this.#count(spec.scalar('minReadySeconds'), 0) * 1000,
      progressDeadlineMs: this.#count(spec.scalar('progressDeadlineSeconds'), 600) * 1000,
      strategy: this.#strategy(spec.section('strategy')),
      probes: this.#probes(containers),
    };
    for (const container of containers) container.reportRest({}, silentOfContainers);
    pod.reportRest({ affinity: 'nodeSelector and topologySpreadConstraints are' }, silentOfPods);
    template.reportRest();
    spec.reportRest({}, ['selector', 'revision_history_limit']);
    object.reportRest({}, ['api_version', 'kind', 'status']);
    return deployment;
  }

  /** What is reserved for a pod as a whole: all containers together, or what one needs that runs before them, with those beside it
   *  that stay (sidecars). */
  #podRequests(containers: readonly Section[], pod: Section): Resources {
    let running = containers.map((each) => this.#requests(each)).reduce(sumOf, {});
    let staying: Resources = {};
    let starting: Resources = {};
    for (const container of pod.sections('initContainers')) {
      const requests = this.#requests(container);
      if (container.text('restartPolicy') === 'Always') {
        running = sumOf(running, requests);
        staying = sumOf(staying, requests);
        starting = maxOf(starting, staying);
      } else starting = maxOf(starting, sumOf(staying, requests));
      container.reportRest({}, silentOfContainers);
    }
    return sumOf(maxOf(running, starting), this.#amounts(pod.section('overhead')));
  }

  #requests(container: Section): Resources {
    const resources = container.section('resources');
    const requests = this.#amounts(resources?.section('requests'));
    const limits = this.#amounts(resources?.section('limits'));
    resources?.reportRest();
    // A limit without a request is one.
    return { ...limits, ...requests };
  }

  #amounts(section: Section | undefined): Resources {
    const amounts: Record<string, number> = {};
    for (const key of section?.keys ?? []) {
      const found = quantity(section!.scalar(key), this.#file);
      if (found === undefined) this.hasFailed = true;
      else amounts[key] = found.value;
    }
    return amounts;
  }

  #labels(section: Section | undefined): Labels {
    return Object.fromEntries((section?.keys ?? []).map((key) => [key, section!.text(key) ?? '']));
  }

  #toleration(section: Section): Toleration & { readonly tolerationMs: Ms } {
    const [key, value, effect] = [section.text('key'), section.text('value'), section.scalar('effect')];
    const seconds = section.scalar('tolerationSeconds');
    const toleration = {
      operator: this.#choice(section.scalar('operator'), ['Equal', 'Exists'], 'Equal'),
      tolerationMs: seconds === undefined ? Infinity : this.#count(seconds, 0) * 1000,
      ...(key === undefined ? {} : { key }),
      ...(value === undefined ? {} : { value }),
      ...(effect === undefined ? {} : { effect: this.#choice<TaintEffect>(effect, taintEffects, 'NoSchedule') }),
    };
    section.reportRest();
    return toleration;
  }

  #spreadConstraint(section: Section): SpreadConstraint {
    const selector = this.#section(section, 'labelSelector');
    const minDomains = section.scalar('minDomains');
    const constraint = {
      topologyKey: this.#required(section, 'topologyKey'),
      maxSkew: this.#count(section.scalar('maxSkew'), 1),
      whenUnsatisfiable: this.#choice(section.scalar('whenUnsatisfiable'), ['DoNotSchedule', 'ScheduleAnyway'], 'DoNotSchedule'),
      selector: this.#labels(selector.section('matchLabels')),
      ...(minDomains === undefined ? {} : { minDomains: this.#count(minDomains, 1) }),
    };
    selector.reportRest();
    section.reportRest();
    return constraint;
  }

  #strategy(section: Section | undefined): PastedDeployment['strategy'] {
    const type = this.#choice(section?.scalar('type'), ['RollingUpdate', 'Recreate'], 'RollingUpdate');
    const rolling = section?.section('rollingUpdate');
    const maxSurge = this.#countOrPercent(rolling?.scalar('maxSurge'));
    const maxUnavailable = this.#countOrPercent(rolling?.scalar('maxUnavailable'));
    rolling?.reportRest();
    section?.reportRest();
    return { type, maxSurge, maxUnavailable };
  }

  /** Replicas are not divided into containers here: the first that has a probe speaks for all. */
  #probes(containers: readonly Section[]): PastedDeployment['probes'] {
    const probes: { -readonly [Kind in keyof PastedDeployment['probes']]: PastedDeployment['probes'][Kind] } = {};
    for (const kind of ['readiness', 'liveness', 'startup'] as const) {
      const key = `${kind}Probe`;
      const [first, ...others] = containers.filter((container) => container.has(key));
      if (first === undefined) continue;
      probes[kind] = this.#probe(this.#section(first, key));
      for (const other of others) other.reportUnused(key, 'that of another container counts');
    }
    return probes;
  }

  #probe(section: Section): Probe {
    const kind = probeKinds.find((each) => section.has(each));
    if (kind === undefined) this.#fail('missing-key', section.span, 'the probe does nothing', `one of ${probeKinds.join(', ')}`);
    const seconds = (key: string, usual: number): Ms => this.#count(section.scalar(key), usual) * 1000;
    const probe = {
      kind: kind ?? 'httpGet',
      initialDelayMs: seconds('initialDelaySeconds', 0),
      periodMs: seconds('periodSeconds', 10),
      timeoutMs: seconds('timeoutSeconds', 1),
      successThreshold: this.#count(section.scalar('successThreshold'), 1),
      failureThreshold: this.#count(section.scalar('failureThreshold'), 3),
    };
    section.reportRest({}, ['http_get', 'tcp_socket', 'exec', 'grpc']);
    return probe;
  }

  #section(outer: Section, key: string): Section {
    return outer.section(key) ?? new Section(undefined, this.#file, outer.keySpan(key));
  }

  #required(section: Section, key: string): string {
    const text = section.text(key);
    if (text === undefined) this.#fail('missing-key', section.span, `missing key "${key}"`);
    return text ?? '';
  }

  #count(found: Found | undefined, usual: number): number {
    if (found === undefined || found.value === null) return usual;
    if (typeof found.value === 'number' && Number.isSafeInteger(found.value) && found.value >= 0) return found.value;
    this.#fail('bad-count', found.span, `${found.key}: expected a whole number from 0, found ${show(found.value)}`);
    return usual;
  }

  #countOrPercent(found: Found | undefined): string {
    if (found === undefined || found.value === null) return '25%';
    const text = String(found.value);
    if (!/^\d+%?$/.test(text))
      this.#fail('bad-count', found.span, `${found.key}: expected a count or a percentage, found ${show(found.value)}`);
    return text;
  }

  #choice<Choice extends string>(found: Found | undefined, choices: readonly Choice[], usual: Choice): Choice {
    if (found === undefined || found.value === null) return usual;
    const choice = choices.find((each) => each === found.value);
    if (choice === undefined) {
      const hint = keyHint(String(found.value), choices);
      this.#fail('unknown-choice', found.span, `${found.key}: ${show(found.value)} is not one of ${choices.join(', ')}`, hint);
    }
    return choice ?? usual;
  }

  #fail(...complaint: Parameters<PastedFile['error']>): void {
    this.#file.error(...complaint);
    this.hasFailed = true;
  }
}

const probeKinds = ['httpGet', 'tcpSocket', 'exec', 'grpc'] as const;

/** What containers are made of is not the simulation's business. */
const silentOfContainers = [
  ...['name', 'image', 'image_pull_policy', 'command', 'args', 'env', 'env_from', 'ports', 'volume_mounts', 'working_dir'],
  ...['security_context', 'termination_message_path', 'termination_message_policy', 'restart_policy', 'stdin', 'tty'],
];
const silentOfPods = [
  ...['restart_policy', 'volumes', 'service_account_name', 'service_account', 'image_pull_secrets', 'security_context'],
  ...['dns_policy', 'scheduler_name', 'automount_service_account_token', 'enable_service_links'],
];

const sumOf = (a: Resources, b: Resources): Resources => merged(a, b, (x, y) => x + y);
const maxOf = (a: Resources, b: Resources): Resources => merged(a, b, Math.max);

function merged(a: Resources, b: Resources, combine: (x: number, y: number) => number): Resources {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(keys.map((key) => [key, combine(a[key] ?? 0, b[key] ?? 0)]));
}
