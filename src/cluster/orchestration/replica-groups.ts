/** The instances of a service in groups, each of one version and kept at its size by a replica controller of its own. Where nothing is rolled
 *  out there is one group, which has as many instances as the service shall have; else a roll-out says how many each has. */
import type { Ms } from '../../core/time.ts';
import type { ReplicaController, ReplicaHost } from '../../policies/recovery/replicas/replica-controller.ts';
import type { Errands } from './errands.ts';

export interface ReplicaGroup {
  /** The version, except where one version runs in two groups. */
  readonly name: string;
  readonly version: string;
  readonly controller: ReplicaController;
  /** Wakes the controller when it next wants to be. */
  readonly wake: () => void;
  /** Instances asked for. */
  spec: number;
}

export interface ReplicaGroupsHost {
  make(host: ReplicaHost): ReplicaController;
  create(group: ReplicaGroup, nowMs: Ms): void;
  remove(index: number): void;
  /** So many shall there be in all, which is somebody else's to divide. */
  wantedChanged(): void;
}

export class ReplicaGroups {
  /** In order of creation, oldest first. */
  readonly all: ReplicaGroup[];
  private readonly errands: Errands;
  private readonly service: string;
  private readonly host: ReplicaGroupsHost;
  private readonly isRolledOut: boolean;
  /** By index within the service: the group of the instance in this place, or of the last one. */
  private readonly groups: ReplicaGroup[];

  constructor(errands: Errands, service: string, version: string, isRolledOut: boolean, places: number, host: ReplicaGroupsHost) {
    this.errands = errands;
    this.service = service;
    this.host = host;
    this.isRolledOut = isRolledOut;
    this.all = [];
    this.groups = Array<ReplicaGroup>(places).fill(this.add(version, version));
  }

  /** The group of the instance in this place. */
  of(index: number): ReplicaGroup {
    return this.groups[index];
  }

  /** A new instance of the group takes this place. */
  take(index: number, group: ReplicaGroup): void {
    this.groups[index] = group;
  }

  /** The service has been running with so many instances. */
  begin(count: number): void {
    this.resize(this.all[0], count);
  }

  /** So many instances shall there be in all. */
  setWanted(count: number): void {
    if (this.isRolledOut) this.host.wantedChanged();
    else this.scale(this.all[0].name, this.all[0].version, count);
  }

  scale(name: string, version: string, count: number): void {
    const group = this.all.find((each) => each.name === name) ?? this.add(name, version);
    this.resize(group, count);
    group.wake();
  }

  private resize(group: ReplicaGroup, count: number): void {
    group.spec = count;
    group.controller.setDesired(count, this.errands.nowMs);
  }

  private add(name: string, version: string): ReplicaGroup {
    const controller = this.host.make({
      create: (nowMs) => this.host.create(group, nowMs),
      remove: (index) => this.host.remove(index),
    });
    const wake = this.errands.waker(`replica controller of ${this.service}`, controller);
    const group: ReplicaGroup = { name, version, controller, wake, spec: 0 };
    this.all.push(group);
    return group;
  }
}
