/** Configuration of one service that is rolled out: hosts are told which version to use. Hosts are the service's instances where a version does
 *  something to them, and the clients (proxies) of its callers where one sets something for those. */
import type { Ms } from '../../core/time.ts';
import type { RolloutRequest } from '../../policies/rollout/rollout-controller.ts';
import type { RolloutAction, RolloutObservation } from '../../policies/rollout/strategies/rollout.ts';
import type { VersionSpec } from '../../scenario/spec.ts';
import type { Client } from '../client.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ChangeSubject } from './change-subject.ts';
import type { Configuration, HostPlace } from './configuration.ts';
import type { RolloutRecord } from './rollout-record.ts';
import type { VersionTrack } from './version-track.ts';

/** Either an instance, by its global number and place in the service, or a client. */
export type ConfigHostOf =
  | { readonly instance: number; readonly slot: number; readonly client?: undefined }
  | { readonly client: Client; readonly instance?: undefined };

export interface ConfigChangeParts {
  readonly service: number;
  readonly errands: Errands;
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
  /** All there may ever be, by name; some come later. */
  readonly hosts: ReadonlyMap<string, { readonly of: ConfigHostOf; readonly isThere: boolean }>;
  /** Where it stands, which may be known only once it is there. */
  readonly domainOf: (host: ConfigHostOf) => string;
  readonly first: VersionSpec;
  readonly configurationOf: (hosts: readonly HostPlace[], applied: (host: string, version: VersionSpec) => void) => Configuration;
  readonly isUp: (instance: number) => boolean;
  /** Whether metrics can be read. */
  readonly isMeasured: () => boolean;
  /** The host works with this version from now on. */
  readonly configure: (host: ConfigHostOf, version: VersionSpec) => void;
  readonly noted: (host: string, version: string) => void;
  /** Controllers should look. */
  readonly changed: (subject: ChangeSubject) => void;
  readonly phase: (action: Extract<RolloutAction, { kind: 'phase' }>, turn: number | undefined) => void;
}

export class ConfigChange implements ChangeSubject {
  readonly kind = 'config';
  readonly service: number;
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
  readonly configuration: Configuration;
  private readonly parts: ConfigChangeParts;
  private isLooking: boolean;
  /** Time in which hosts differed, up to the last change. */
  private skewedMs: Ms;
  private isSkewed: boolean;
  private skewedSinceMs: Ms;

  constructor(parts: ConfigChangeParts) {
    this.parts = parts;
    this.service = parts.service;
    this.record = parts.record;
    this.track = parts.track;
    this.isLooking = false;
    this.skewedMs = 0;
    this.isSkewed = false;
    this.skewedSinceMs = 0;
    const places = [...parts.hosts].flatMap(([host, { of, isThere }]) => (isThere ? [{ host, domain: parts.domainOf(of) }] : []));
    this.configuration = parts.configurationOf(places, (host, version) => this.applied(host, version));
    for (const [host, { of, isThere }] of parts.hosts) {
      this.measure(of, parts.first);
      if (isThere) parts.noted(host, parts.first.name);
    }
  }

  start(): void {
    this.configuration.start();
  }

  request(): RolloutRequest | undefined {
    return this.record.request;
  }

  observe(): RolloutObservation {
    const { errands, hosts, domainOf, isUp, isMeasured } = this.parts;
    const { nowMs } = errands;
    const statuses = this.configuration.statuses().map((status) => {
      const { of } = hosts.get(status.host)!;
      // Instances that were there at first have been put on their nodes since.
      return { ...status, domain: domainOf(of), isHealthy: of.instance === undefined || isUp(of.instance) };
    });
    return {
      nowMs,
      desired: statuses.length,
      groups: [],
      weights: undefined,
      mirror: undefined,
      hosts: statuses,
      metric: (query) => (isMeasured() ? this.track.metric(query, nowMs) : undefined),
    };
  }

  carryOut(action: RolloutAction, turn: number | undefined): void {
    if (action.kind === 'push') this.configuration.push(action.version, action.hosts);
    else if (action.kind === 'phase') this.parts.phase(action, turn);
    // Configuration has neither replicas nor a router.
    this.lookSoon();
  }

  /** What hosts do has changed, or a change is due. */
  lookSoon(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    // By an errand: whoever says so is in the middle of something.
    this.parts.errands.later(0, () => {
      this.isLooking = false;
      this.record.settle(this.parts.errands.nowMs);
      this.parts.changed(this);
    });
  }

  /** The process of an instance that is a host has ended; `isGone`: there will not be another in its place by itself. */
  wentDown(name: string, isGone: boolean): void {
    if (!this.parts.hosts.has(name)) return;
    if (isGone) {
      this.configuration.hostGone(name);
      this.parts.noted(name, '');
      this.count();
    } else this.configuration.hostDown(name);
    this.lookSoon();
  }

  cameUp(name: string): void {
    const host = this.parts.hosts.get(name);
    if (host === undefined) return;
    const isThere = this.configuration.statuses().some((status) => status.host === name);
    if (isThere) this.configuration.hostRestarted(name);
    else {
      this.configuration.hostCame({ host: name, domain: this.parts.domainOf(host.of) });
      this.parts.noted(name, this.configuration.versionOf(name).name);
      this.count();
    }
    this.lookSoon();
  }

  /** How many hosts have each version. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { version } of this.configuration.statuses()) counts.set(version!, (counts.get(version!) ?? 0) + 1);
    return counts;
  }

  /** Share of the time so far in which hosts had different versions. */
  skew(): number {
    const { nowMs } = this.parts.errands;
    return (this.skewedMs + (this.isSkewed ? nowMs - this.skewedSinceMs : 0)) / nowMs;
  }

  private applied(name: string, version: VersionSpec): void {
    const { of } = this.parts.hosts.get(name)!;
    this.measure(of, version);
    this.parts.configure(of, version);
    this.parts.noted(name, version.name);
    this.count();
    this.lookSoon();
  }

  private measure(of: ConfigHostOf, version: VersionSpec): void {
    const { nowMs } = this.parts.errands;
    if (of.client === undefined) this.track.setInstance(of.slot, version.name, version.name, nowMs);
    else this.track.setClient(of.client.number, version.name, nowMs);
  }

  private count(): void {
    const { nowMs } = this.parts.errands;
    if (this.isSkewed) this.skewedMs += nowMs - this.skewedSinceMs;
    this.isSkewed = this.counts().size > 1;
    this.skewedSinceMs = nowMs;
  }
}
