/** What requests have to do with roll-outs: which version each meets, how it ends for whom, and which are copied. The only part of change that is
 *  on the path of requests: columns by row of the request table, nothing is allocated per request. */
import { grown } from '../../core/grow.ts';
import type { Ms } from '../../core/time.ts';
import type { Outcome, Slot } from '../../policies/balancing/balancer.ts';
import type { RequestResult } from '../../policies/pipeline/results.ts';
import type { Client } from '../client.ts';
import { ARRIVAL_MS, CLIENT, type RequestTable } from '../request-table.ts';
import type { RolloutRecord } from './rollout-record.ts';
import type { VersionTrack } from './version-track.ts';

const ROWS_AT_FIRST = 256;

/** Changes of one kind to one service. */
export interface Measured {
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
}

interface Subject extends Measured {
  /** By row: the roll-out whose version the last attempt met, from 1 on; 0 for none. */
  exposed: Uint16Array;
}

export interface ExposureParts {
  readonly clock: { readonly nowMs: Ms };
  readonly requests: RequestTable;
  readonly clients: readonly Client[];
  /** By service: the instance that gets a copy of one more request, -1 for none; absent where nothing is ever copied. */
  readonly copyTo: readonly ((() => number) | undefined)[];
}

export class Exposure {
  private readonly parts: ExposureParts;
  /** By service. */
  private readonly subjects: readonly (readonly Subject[])[];
  /** By service: where instances are released. */
  private readonly released: readonly (VersionTrack | undefined)[];

  /** By service: what is measured of it, and what of that is about instances that are released. */
  constructor(parts: ExposureParts, measured: readonly (readonly Measured[])[], released: readonly (VersionTrack | undefined)[]) {
    this.parts = parts;
    this.subjects = measured.map((subjects) =>
      subjects.map(({ record, track }) => ({ record, track, exposed: new Uint16Array(ROWS_AT_FIRST) })),
    );
    this.released = released;
  }

  /** A request begins, in this row. */
  begun(request: number): void {
    const { service } = this.clientOf(request).spec;
    for (const subject of this.subjects[service]) {
      const { length } = subject.exposed;
      if (request >= length) subject.exposed = grown(subject.exposed, new Uint16Array(Math.max(request + 1, 2 * length)));
      subject.exposed[request] = 0;
    }
  }

  /** An attempt of it goes to the instance in this slot. */
  sent(request: number, slot: Slot): void {
    const client = this.clientOf(request);
    for (const subject of this.subjects[client.spec.service]) {
      const version = subject.track.met(client.number, slot);
      subject.exposed[request] = version < 0 ? 0 : subject.record.exposing(version, this.parts.clock.nowMs);
    }
  }

  attemptEnded(client: Client, slot: Slot, outcome: Outcome, latencyMs: Ms): void {
    for (const { track } of this.subjects[client.spec.service]) track.attemptEnded(client.number, slot, outcome, latencyMs);
  }

  ended(request: number, result: RequestResult): void {
    const { requests, clock } = this.parts;
    const arrivalMs = requests.reals[(request << 3) + ARRIVAL_MS];
    const user = requests.calls.key[request];
    for (const { record, exposed } of this.subjects[this.clientOf(request).spec.service]) {
      record.requestEnded(result, arrivalMs, clock.nowMs, user, exposed[request]);
    }
  }

  /** Which instance gets a copy of a request that is on its way now; -1 for none. */
  copyTo(service: number): number {
    return this.parts.copyTo[service]?.() ?? -1;
  }

  copyEnded(client: Client, instance: number, outcome: Outcome, latencyMs: Ms): void {
    this.released[client.spec.service]?.copyEnded(instance - client.base, outcome, latencyMs);
  }

  private clientOf(request: number): Client {
    return this.parts.clients[this.parts.requests.ints[(request << 4) + CLIENT]];
  }
}
