/** What every replica controller owes its host, as checks that can be run on one. Each rule returns the violations it found, in words;
 *  none is good. */
import type { Ms } from '../../../core/time.ts';
import type { ReplicaController, ReplicaDeps } from './replica-controller.ts';

export type MakeReplicaController = (deps: ReplicaDeps) => ReplicaController;

export interface ReplicaRule {
  /** A sentence that the controller should make true. */
  readonly name: string;
  check(make: MakeReplicaController): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkReplicaController = (make: MakeReplicaController): readonly string[] =>
  replicaRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const replicaRules: readonly ReplicaRule[] = [
  {
    name: 'reaches every count that is asked for, and never goes beyond',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      const violations: string[] = [];
      for (const count of [1, 40, 40, 7, 0, 12]) {
        cluster.want(count);
        cluster.run(600_000);
        violations.push(...cluster.expectAlive(count));
      }
      return violations;
    },
  },
  {
    name: 'replaces what is lost',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      cluster.want(10);
      cluster.run(600_000);
      for (const replica of [...cluster.alive].slice(0, 4)) cluster.lose(replica);
      cluster.run(600_000);
      return cluster.expectAlive(10);
    },
  },
  {
    name: 'does not ask twice for what is on its way',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      cluster.createMs = 60_000;
      cluster.want(5);
      for (let i = 0; i < 20; i++) {
        cluster.want(5);
        cluster.run(7000);
      }
      cluster.run(1_200_000);
      return cluster.expectAlive(5);
    },
  },
  {
    name: 'gets there although creations are refused, without pressing',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      cluster.refuses = true;
      cluster.want(100);
      cluster.run(600_000);
      const asked = cluster.asked;
      cluster.refuses = false;
      cluster.run(3_600_000);
      return [
        ...(asked <= 120 ? [] : [`asks ${asked} times in ten minutes of refusals for 100 replicas`]),
        ...cluster.expectAlive(100),
      ];
    },
  },
  {
    name: 'removes those that are not ready before those that are',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      cluster.want(10);
      cluster.run(600_000);
      const [first, , third] = [...cluster.alive];
      cluster.setReady(first, false);
      cluster.setReady(third, false);
      cluster.want(8);
      cluster.run(600_000);
      const left = [first, third].filter((replica) => cluster.alive.has(replica));
      return left.length === 0 ? [] : [`keeps [${left}], which are not ready`];
    },
  },
  {
    name: 'asks to be woken for times that lie ahead',
    check: (make) => {
      const cluster = new ReplicaTrial(make);
      cluster.answers = false;
      cluster.want(3);
      cluster.run(3_600_000);
      return cluster.violations;
    },
  },
];

/** A place where replicas are made, slowly or not at all. */
class ReplicaTrial {
  readonly alive = new Set<number>();
  readonly violations: string[] = [];
  createMs: Ms = 1000;
  refuses = false;
  answers = true;
  asked = 0;
  readonly #controller: ReplicaController;
  #nowMs: Ms = 0;
  #nextReplica = 0;
  #desired = 0;
  readonly #pending: { readonly atMs: Ms; act(): void }[] = [];

  constructor(make: MakeReplicaController) {
    this.#controller = make({
      host: {
        create: (nowMs) => {
          this.asked++;
          if (this.answers) this.#pending.push({ atMs: nowMs + this.createMs, act: () => this.#create() });
        },
        remove: (replica, nowMs) => {
          if (!this.alive.has(replica)) this.violations.push(`removes ${replica}, which is not there`);
          this.#pending.push({ atMs: nowMs + 500, act: () => this.lose(replica) });
        },
      },
    });
  }

  want(count: number): void {
    this.#desired = count;
    this.#controller.setDesired(count, this.#nowMs);
  }

  lose(replica: number): void {
    this.alive.delete(replica);
    this.#controller.onGone(replica, this.#nowMs);
  }

  setReady(replica: number, isReady: boolean): void {
    this.#controller.onReady(replica, isReady, this.#nowMs);
  }

  run(forMs: Ms): void {
    const untilMs = this.#nowMs + forMs;
    for (;;) {
      const timerMs = this.#controller.nextTimerMs();
      const pendingMs = Math.min(Infinity, ...this.#pending.map(({ atMs }) => atMs));
      const nextMs = Math.min(timerMs, pendingMs);
      if (!(nextMs <= untilMs)) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      if (pendingMs <= timerMs) {
        const index = this.#pending.findIndex(({ atMs }) => atMs === pendingMs);
        this.#pending.splice(index, 1)[0].act();
      } else {
        this.#controller.onTimer(this.#nowMs);
        if (this.#controller.nextTimerMs() <= this.#nowMs) {
          this.violations.push(`wants to be woken at ${this.#controller.nextTimerMs()} again, at ${this.#nowMs}`);
          break;
        }
      }
    }
    this.#nowMs = untilMs;
  }

  expectAlive(expected: number): readonly string[] {
    return [
      ...this.violations,
      ...(this.alive.size === expected ? [] : [`has ${this.alive.size} replicas, expected ${expected}`]),
      ...(this.#controller.count === this.alive.size ? [] : [`counts ${this.#controller.count} of ${this.alive.size}`]),
    ];
  }

  #create(): void {
    if (this.refuses) {
      this.#controller.onCreateFailed(this.#nowMs);
      return;
    }
    const replica = this.#nextReplica++;
    this.alive.add(replica);
    if (this.alive.size > this.#desired) this.violations.push(`has ${this.alive.size} replicas, ${this.#desired} are wanted`);
    this.#controller.onCreated(replica, replica % 3, this.#nowMs);
    this.#controller.onReady(replica, true, this.#nowMs);
  }
}
