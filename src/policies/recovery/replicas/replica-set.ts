/** The ReplicaSet controller of Kubernetes: keeps a count, creates in batches that double while nothing fails, removes those that
 *  serve least.
 *
 *  Use it for replicas without identity. It fails to see why replicas are gone: those lost to an overload are created anew into the
 *  same overload, and it has no opinion about where.
 *
 *  At most `burstReplicas` are created or removed in one go. Creation begins with a batch of one, and each batch that succeeded
 *  completely is followed by one twice as large, so that a quota or a server in trouble sees one refusal and not hundreds; after a refusal the rest
 *  is left for later, after a wait that doubles from 5 ms. What was asked for is expected for five minutes before it is
 *  asked for again. Which to remove: see `removedFirst`. */
import { duration, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineReplicaController, NO_NODE, type ReplicaController, type ReplicaHost } from './replica-controller.ts';

export const replicaSet = defineReplicaController({
  name: 'replica-set',
  summary: 'Keeps a count of replicas; creates in doubling batches, removes those that serve least.',
  useWhen: 'Replicas are alike and any of them can take any request.',
  failsWhen: 'Replicas die of overload: replacements start cold into the same load.',
  cost: 'O(replicas log replicas) per change',
  sources: [
    'kubernetes/kubernetes: pkg/controller/replicaset/replica_set.go, manageReplicas and slowStartBatch',
    'kubernetes/kubernetes: pkg/controller/controller_utils.go, ActivePodsWithRanks',
  ],
  aliases: [
    { system: 'Kubernetes', name: 'ReplicaSet' },
    { system: 'Kubernetes', name: 'Deployment' },
  ],
  params: {
    burstReplicas: int({
      default: 500,
      min: 1,
      about: 'Creations or removals in one go, at most.',
      official: 'Kubernetes BurstReplicas',
    }),
    slowStartInitialBatchSize: int({
      default: 1,
      min: 1,
      about: 'Size of the first batch.',
      official: 'Kubernetes SlowStartInitialBatchSize',
    }),
    expectationsTimeout: duration({
      default: 300_000,
      min: 1,
      about: 'After this, creations that nothing was heard of are taken for lost.',
      official: 'Kubernetes ExpectationsTimeout',
    }),
    retryBaseDelay: duration({
      default: 5,
      min: 1,
      about: 'Wait after the first refusal.',
      official: 'Kubernetes workqueue baseDelay',
    }),
    retryMaxDelay: duration({
      default: 1_000_000,
      min: 1,
      about: 'No wait is longer.',
      official: 'Kubernetes workqueue maxDelay',
    }),
  },
  create: (params, { host }) => new ReplicaSetController(params, host),
});

/** Sizes of the batches in which `count` are created while nothing fails. */
export function slowStartBatches(count: number, initialBatchSize: number): readonly number[] {
  const batches: number[] = [];
  for (let left = count, size = Math.min(left, initialBatchSize); size > 0; size = Math.min(2 * size, left)) {
    batches.push(size);
    left -= size;
  }
  return batches;
}

/** What is known of a replica when one has to go. */
export interface Replica {
  readonly replica: number;
  readonly node: number;
  readonly createdAtMs: Ms;
  /** Infinity while it is not ready. */
  readonly readySinceMs: Ms;
  readonly restarts: number;
}

/** Order of removal: those without a node, those not ready, those with most companions on their node, the latest to become ready,
 *  those that restarted most, the youngest. Kubernetes compares ages in powers of two, so that the choice among replicas of about the
 *  same age is random; here age decides, and then the number. */
export function removedFirst(replicas: readonly Replica[]): readonly number[] {
  const perNode = new Map<number, number>();
  for (const { node } of replicas) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  const rank = ({ node }: Replica): number => (node === NO_NODE ? 0 : (perNode.get(node) ?? 0));
  return [...replicas]
    .sort(
      (a, b) =>
        Number(b.node === NO_NODE) - Number(a.node === NO_NODE) ||
        Number(b.readySinceMs === Infinity) - Number(a.readySinceMs === Infinity) ||
        rank(b) - rank(a) ||
        compare(b.readySinceMs, a.readySinceMs) ||
        b.restarts - a.restarts ||
        compare(b.createdAtMs, a.createdAtMs) ||
        b.replica - a.replica,
    )
    .map(({ replica }) => replica);
}

// A difference of two infinities is not a number.
const compare = (a: Ms, b: Ms): number => (a === b ? 0 : a < b ? -1 : 1);

interface ReplicaSetParams {
  readonly burstReplicas: number;
  readonly slowStartInitialBatchSize: number;
  readonly expectationsTimeout: Ms;
  readonly retryBaseDelay: Ms;
  readonly retryMaxDelay: Ms;
}

class ReplicaSetController implements ReplicaController {
  readonly #params: ReplicaSetParams;
  readonly #host: ReplicaHost;
  readonly #replicas = new Map<number, Replica>();
  readonly #leaving = new Set<number>();
  #desired = 0;
  /** Creations asked for and not answered. */
  #expected = 0;
  #expectedUntilMs: Ms = Infinity;
  /** Creations of this go that wait for the present batch. */
  #toCreate = 0;
  #batch = 0;
  #refusals = 0;
  #failures = 0;
  #retryAtMs: Ms = Infinity;
  #isAsking = false;

  constructor(params: ReplicaSetParams, host: ReplicaHost) {
    this.#params = params;
    this.#host = host;
  }

  get count(): number {
    return this.#replicas.size - this.#leaving.size;
  }

  setDesired(count: number, nowMs: Ms): void {
    this.#desired = count;
    this.#sync(nowMs);
  }

  onCreated(replica: number, node: number, nowMs: Ms): void {
    this.#replicas.set(replica, { replica, node, createdAtMs: nowMs, readySinceMs: Infinity, restarts: 0 });
    this.#answered(nowMs);
  }

  onPlaced(replica: number, node: number): void {
    const known = this.#replicas.get(replica);
    if (known !== undefined) this.#replicas.set(replica, { ...known, node });
  }

  onCreateFailed(nowMs: Ms): void {
    this.#refusals++;
    this.#answered(nowMs);
  }

  onReady(replica: number, isReady: boolean, nowMs: Ms): void {
    const known = this.#replicas.get(replica);
    if (known === undefined || isReady === known.readySinceMs < Infinity) return;
    this.#replicas.set(replica, { ...known, readySinceMs: isReady ? nowMs : Infinity });
  }

  onRestarted(replica: number): void {
    const known = this.#replicas.get(replica);
    if (known !== undefined) this.#replicas.set(replica, { ...known, restarts: known.restarts + 1 });
  }

  onGone(replica: number, nowMs: Ms): void {
    if (!this.#replicas.delete(replica)) return;
    if (!this.#leaving.delete(replica)) this.#sync(nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#retryAtMs, this.#expected > 0 ? this.#expectedUntilMs : Infinity);
  }

  onTimer(nowMs: Ms): void {
    if (this.#expected > 0 && nowMs >= this.#expectedUntilMs) {
      this.#expected = 0;
      this.#toCreate = 0;
      this.#sync(nowMs);
    } else if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity;
      this.#sync(nowMs);
    }
  }

  #sync(nowMs: Ms): void {
    // Counting before all answers are there would ask again for what is on its way.
    if (this.#expected > 0 || this.#isAsking) return;
    const missing = this.#desired - this.count;
    if (missing > 0) {
      this.#toCreate = Math.min(missing, this.#params.burstReplicas);
      this.#batch = Math.min(this.#toCreate, this.#params.slowStartInitialBatchSize);
      this.#createBatch(nowMs);
    } else if (missing < 0) this.#remove(-missing, nowMs);
  }

  #createBatch(nowMs: Ms): void {
    this.#toCreate -= this.#batch;
    this.#expected = this.#batch;
    this.#expectedUntilMs = nowMs + this.#params.expectationsTimeout;
    this.#refusals = 0;
    this.#retryAtMs = Infinity;
    this.#isAsking = true;
    for (let i = 0; i < this.#batch; i++) this.#host.create(nowMs);
    this.#isAsking = false;
    if (this.#expected === 0) this.#batchDone(nowMs);
  }

  #answered(nowMs: Ms): void {
    // An answer to what was taken for lost: it counts when the replicas are counted next.
    if (this.#expected === 0) {
      this.#refusals = 0;
      this.#sync(nowMs);
      return;
    }
    this.#expected--;
    if (this.#expected === 0 && !this.#isAsking) this.#batchDone(nowMs);
  }

  #batchDone(nowMs: Ms): void {
    if (this.#refusals > 0) {
      this.#toCreate = 0;
      this.#retryAtMs = nowMs + this.#retryDelayMs();
      this.#failures++;
      return;
    }
    if (this.#toCreate > 0) {
      this.#batch = Math.min(2 * this.#batch, this.#toCreate);
      this.#createBatch(nowMs);
      return;
    }
    this.#failures = 0;
    this.#sync(nowMs);
  }

  #retryDelayMs(): Ms {
    const { retryBaseDelay, retryMaxDelay } = this.#params;
    let ms = retryBaseDelay;
    for (let step = 0; step < this.#failures && ms < retryMaxDelay; step++) ms *= 2;
    return Math.min(ms, retryMaxDelay);
  }

  #remove(surplus: number, nowMs: Ms): void {
    const present = [...this.#replicas.values()].filter(({ replica }) => !this.#leaving.has(replica));
    const chosen = removedFirst(present).slice(0, Math.min(surplus, this.#params.burstReplicas));
    for (const replica of chosen) this.#leaving.add(replica);
    for (const replica of chosen) this.#host.remove(replica, nowMs);
    if (this.count > this.#desired) this.#sync(nowMs);
  }
}
