/** What every policy that empties lost nodes owes its host, as checks that can be run on one. Each rule returns the violations it found,
 *  in words; none is good. */
import type { Ms } from '../../../core/time.ts';
import type { EvictionDeps, NodeEviction } from './node-eviction.ts';

export type MakeNodeEviction = (deps: EvictionDeps) => NodeEviction;

export interface EvictionRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeNodeEviction): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkNodeEviction = (make: MakeNodeEviction): readonly string[] =>
  evictionRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const evictionRules: readonly EvictionRule[] = [
  {
    name: 'leaves nodes alone that are ready',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.run(3_600_000);
      return cluster.expectEvicted();
    },
  },
  {
    name: 'gives up what is on a lost node, all of it and only that, once',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.setReady([4], false);
      cluster.run(3_600_000);
      return [...cluster.expectTainted(4), ...cluster.expectEvicted(40, 41)];
    },
  },
  {
    name: 'evicts nothing from a node that is back in time',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.setReady([4], false);
      cluster.run(60_000);
      cluster.setReady([4], true);
      cluster.run(3_600_000);
      return [...cluster.expectTainted(), ...cluster.expectEvicted()];
    },
  },
  {
    name: 'lets an instance stay that tolerates everything',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.policy.place(999, 4, 0, Infinity);
      cluster.setReady([4], false);
      cluster.run(3_600_000);
      return cluster.expectEvicted(40, 41);
    },
  },
  {
    name: 'forgets an instance that has left, and follows one that has moved',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.setReady([4], false);
      cluster.run(60_000);
      cluster.policy.unplace(40);
      cluster.policy.place(41, 5, cluster.nowMs);
      cluster.run(3_600_000);
      return cluster.expectEvicted();
    },
  },
  {
    name: 'evicts nothing while all nodes are lost, and goes on when one is back',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.setReady(cluster.nodes, false);
      cluster.run(3_600_000);
      const violations = [...cluster.expectTainted(), ...cluster.expectEvicted()];
      cluster.setReady(
        cluster.nodes.filter((node) => node !== 4),
        true,
      );
      cluster.run(3_600_000);
      return [...violations, ...cluster.expectTainted(4), ...cluster.expectEvicted(40, 41)];
    },
  },
  {
    name: 'asks to be woken for times that lie ahead',
    check: (make) => {
      const cluster = new EvictionTrial(make);
      cluster.setReady([0, 1, 2, 10, 11, 12], false);
      cluster.run(3_600_000);
      return cluster.violations;
    },
  },
];

/** Two zones of ten nodes with two instances each: node 4 has 40 and 41. */
class EvictionTrial {
  readonly policy: NodeEviction;
  readonly nodes: readonly number[] = Array.from({ length: 20 }, (_, node) => node);
  readonly violations: string[] = [];
  nowMs: Ms = 0;
  readonly #tainted = new Set<number>();
  readonly #evicted: number[] = [];

  constructor(make: MakeNodeEviction) {
    this.policy = make({
      host: {
        taint: (node, isTainted) => {
          if (isTainted) this.#tainted.add(node);
          else this.#tainted.delete(node);
        },
        evict: (instance) => this.#evicted.push(instance),
      },
    });
    for (const node of this.nodes) this.policy.addNode(node, Math.floor(node / 10), 0);
    for (const node of this.nodes) for (const i of [0, 1]) this.policy.place(node * 10 + i, node, 0);
    this.run(60_000);
  }

  setReady(nodes: readonly number[], isReady: boolean): void {
    for (const node of nodes) this.policy.setReady(node, isReady, this.nowMs);
  }

  run(forMs: Ms): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      const nextMs = this.policy.nextTimerMs();
      if (!(nextMs <= untilMs)) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.policy.onTimer(this.nowMs);
      if (this.policy.nextTimerMs() <= this.nowMs) {
        this.violations.push(`wants to be woken at ${this.policy.nextTimerMs()} again, at ${this.nowMs}`);
        break;
      }
    }
    this.nowMs = untilMs;
  }

  expectEvicted(...expected: readonly number[]): readonly string[] {
    const found = [...this.#evicted].sort((a, b) => a - b).join();
    return [...this.violations, ...(found === expected.join() ? [] : [`evicts [${found}], expected [${expected}]`])];
  }

  expectTainted(...expected: readonly number[]): readonly string[] {
    const found = [...this.#tainted].sort((a, b) => a - b).join();
    return found === expected.join() ? [] : [`has tainted [${found}], expected [${expected}]`];
  }
}
