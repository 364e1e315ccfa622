/** Kinds of `detection.json` about versioned stores, leases, locks and xDS. */
import { defaults } from '../../../src/core/params.ts';
import { INITIAL_FETCH_TIMEOUT_MS, SotwClient } from '../../../src/policies/rollout/propagation/xds/sotw-client.ts';
import { SotwServer } from '../../../src/policies/rollout/propagation/xds/sotw-server.ts';
import { makeBeforeBreak, type UpdateStep } from '../../../src/policies/rollout/propagation/xds/update-order.ts';
import { ConsulStore, consulStore } from '../../../src/policies/rollout/store/consul.ts';
import type { WatchDelivery, StoreDeps } from '../../../src/policies/rollout/store/config-store.ts';
import { EtcdStore, etcdStore } from '../../../src/policies/rollout/store/etcd.ts';
import { FencedTarget } from '../../../src/policies/rollout/store/fenced-target.ts';
import { LockTable } from '../../../src/policies/rollout/store/parts/lock-table.ts';
import type { Adapters } from '../vector-file.ts';
import { Script } from './stage.ts';

const keys: Adapters = {
  'kv.cas': (input: {
    readonly startIndex: number;
    readonly ops: readonly {
      readonly key: string;
      readonly expectIndex: number | 'first' | 'last';
      readonly value: string;
    }[];
  }) => {
    const table = new LockTable();
    let index = input.startIndex;
    const written = new Map<string, number[]>();
    const ok = input.ops.map(({ key, expectIndex, value }) => {
      const past = written.get(key) ?? [];
      const expected = expectIndex === 'first' ? past[0] : expectIndex === 'last' ? past[past.length - 1] : expectIndex;
      const succeeded = table.setIfAt(key, expected, value, ++index);
      if (succeeded) written.set(key, [...past, index]);
      return succeeded;
    });
    return { ok, value: table.get(input.ops[0].key)?.value };
  },

  'config.cas': (input: {
    readonly ops: readonly (
      | {
          readonly op: 'txn';
          readonly if: { readonly createRevision: 0 } | { readonly modRevision: string };
          readonly put: string;
        }
      | { readonly op: 'delete' }
    )[];
  }) => {
    const store = etcd();
    const start = store.revision;
    const revisionOf = new Map<string, number>();
    const steps = input.ops.map((op) => {
      let succeeded: boolean;
      if (op.op === 'delete') succeeded = store.delete('key', 0);
      else {
        const expected = 'modRevision' in op.if ? revisionOf.get(op.if.modRevision.replace(/^of/, '').toLowerCase())! : 0;
        succeeded = store.compareAndSwap('key', expected, op.put, 0).succeeded;
        if (succeeded) revisionOf.set(op.put, store.revision);
      }
      return { succeeded, delta: store.revision - start, version: store.get('key')?.version ?? 0 };
    });
    return {
      succeeded: steps.map(({ succeeded }) => succeeded),
      storeRevisionDelta: steps.map(({ delta }) => delta),
      version: steps.map(({ version }) => version),
    };
  },

  'config.watch': (input: {
    readonly compactedRevision: number;
    readonly currentRevision: number;
    readonly watchFrom: readonly number[];
  }) => {
    const outcome = input.watchFrom.map((from) => {
      let replayed: WatchDelivery | undefined;
      const store = etcd((delivery) => {
        replayed = delivery;
      });
      while (store.revision < input.currentRevision) store.put('key', 'value', 0);
      store.compact(input.compactedRevision);
      const start = store.watch(1, '', from, 0);
      if (start.kind === 'compacted') return `compacted:${start.revision}`;
      if (replayed?.kind !== 'events') return `live-from-${start.revision}`;
      const revisions = replayed.events.map(({ revision }) => revision);
      return `replay-${revisions[0]}..${revisions[revisions.length - 1]}`;
    });
    return { outcome };
  },
};

const locks: Adapters = {
  'lock.consul': (input: {
    readonly lockDelayMs: number;
    readonly ops: readonly {
      readonly atMs: number;
      readonly op: 'acquire' | 'release' | 'invalidate';
      readonly session: string;
    }[];
  }) => {
    const store = consul(input.lockDelayMs);
    const sessions = new Map<string, number>();
    let lockIndex = 0;
    const lockIndexAfter: number[] = [];
    const ok = input.ops.map(({ atMs, op, session }) => {
      if (!sessions.has(session)) sessions.set(session, store.grantLease(86_400_000, atMs)!.lease);
      const lease = sessions.get(session)!;
      let done: boolean | null = null;
      if (op === 'acquire') done = store.acquire('lock', lease, atMs).state === 'held';
      else if (op === 'release') done = store.release('lock', lease, atMs);
      else store.revokeLease(lease, atMs);
      lockIndex = store.holder('lock')?.token ?? lockIndex;
      lockIndexAfter.push(lockIndex);
      return done;
    });
    return { ok, lockIndexAfter };
  },

  'lock.etcd': (input: {
    readonly ops: readonly { readonly op: 'lock' | 'unlock' | 'leaseExpire'; readonly client: string }[];
  }) => {
    const store = etcd();
    const leases = new Map<string, number>();
    const tokens: number[] = [];
    const ownerAfter = input.ops.map(({ op, client }) => {
      if (!leases.has(client)) leases.set(client, store.grantLease(60_000, 0)!.lease);
      const lease = leases.get(client)!;
      if (op === 'lock') store.acquire('lock', lease, 0);
      else if (op === 'unlock') store.release('lock', lease, 0);
      else store.revokeLease(lease, 0);
      const holder = store.holder('lock');
      if (holder !== undefined && holder.token !== tokens[tokens.length - 1]) tokens.push(holder.token);
      return [...leases].find(([, owner]) => owner === holder?.lease)?.[0];
    });
    return { ownerAfter, fencingTokensIncrease: tokens.every((token, i) => i === 0 || token > tokens[i - 1]) };
  },

  'lock.fencing': ({ writesWithToken }: { readonly writesWithToken: readonly number[] }) => {
    const target = new FencedTarget();
    return { accepted: writesWithToken.map((token) => target.accept(token)) };
  },

  'lease.etcd.scenario': ({ ttlSeconds, steps }: { readonly ttlSeconds: number; readonly steps: readonly string[] }) => {
    const store = etcd();
    const { lease, ttlMs } = store.grantLease(ttlSeconds * 1000, 0)!;
    let pendingSince: string | undefined;
    let answered: { readonly renewResult: string; readonly renewReturnsAfter: string } | undefined;
    for (const step of steps) {
      if (step === 'revoke') store.onTimer(store.nextTimerMs());
      if (step.startsWith('renew')) pendingSince = step;
      // A renewal is answered when the store knows that the lease is gone, and not before.
      if (pendingSince !== undefined && store.keepAlive(lease, ttlMs) === 'not-found')
        answered ??= { renewResult: 'ErrLeaseNotFound', renewReturnsAfter: step };
    }
    return answered;
  },
};

const xds: Adapters = {
  'xds.sotw': (input: {
    readonly server: readonly { readonly version: string; readonly nonce: string; readonly valid: boolean }[];
  }) => {
    const client = new SotwClient<boolean>({ validate: (isValid) => (isValid ? undefined : 'not valid') });
    const activeAfterEach: string[] = [];
    const requests = [client.connect(0)];
    for (const { version: versionInfo, nonce, valid: resources } of input.server) {
      requests.push(client.onResponse({ versionInfo, nonce, resources }, 0));
      activeAfterEach.push(client.activeVersion);
    }
    const said = requests.map(({ versionInfo, responseNonce, errorDetail }) => ({
      version_info: versionInfo,
      response_nonce: responseNonce,
      ...(errorDetail === undefined ? {} : { error_detail: true }),
    }));
    return { requests: said, appliedVersion: client.activeVersion, activeAfterEach };
  },

  'xds.staleNonce': (input: {
    readonly serverSentNonces: readonly string[];
    readonly requests: readonly { readonly response_nonce: string; readonly resource_names: readonly string[] }[];
  }) => {
    const server = new SotwServer<string>();
    server.onRequest({ versionInfo: '', responseNonce: '', resourceNames: [] });
    input.serverSentNonces.forEach((nonce, i) => server.respond(String(i), '', nonce));
    const processed = input.requests.map(
      ({ response_nonce: responseNonce, resource_names: resourceNames }) =>
        server.onRequest({ versionInfo: '0', responseNonce, resourceNames }).kind !== 'stale',
    );
    return { processed };
  },

  'xds.subscribe': (input: {
    readonly acceptedVersion: string;
    readonly latestNonce: string;
    readonly subscribe: readonly string[];
  }) => {
    const client = new SotwClient<string>({ validate: () => undefined });
    client.connect(0, input.subscribe.slice(0, 1));
    client.onResponse({ versionInfo: input.acceptedVersion, nonce: input.latestNonce, resources: '' }, 0);
    const { versionInfo, responseNonce, resourceNames } = client.subscribe(input.subscribe);
    return { request: { version_info: versionInfo, response_nonce: responseNonce, resource_names: resourceNames } };
  },

  'xds.ordering': ({ update }: { readonly update: string }) => {
    const [, from, to] = /from cluster (\w+) to new cluster (\w+)/.exec(update)!;
    const steps = makeBeforeBreak({ clusters: [from], routes: { route: from } }, { clusters: [to], routes: { route: to } });
    return { order: steps.map(written) };
  },

  'xds.initialFetchTimeout': (input: { readonly firstResponseAtMs: readonly (number | null)[] }) => {
    const waits = input.firstResponseAtMs.map((atMs) => {
      const client = new SotwClient<string>({ validate: () => undefined, initialFetchTimeoutMs: INITIAL_FETCH_TIMEOUT_MS });
      client.connect(0);
      const answer = (): unknown => client.onResponse({ versionInfo: '1', nonce: 'A', resources: '' }, atMs!);
      const isInTime = atMs !== null && !client.isWarm(atMs);
      if (isInTime) answer();
      const { warmAtMs, active } = client;
      return { warmAtMs, isConfigured: active !== undefined };
    });
    return { warmAtMs: waits.map(({ warmAtMs }) => warmAtMs), configured: waits.map(({ isConfigured }) => isConfigured) };
  },
};

export const storeAdapters: Adapters = { ...keys, ...locks, ...xds };

const depsFor = (deliver: (delivery: WatchDelivery) => void): StoreDeps => ({
  rng: new Script(),
  host: { deliver: (_, delivery) => deliver(delivery) },
});
const etcd = (deliver: (delivery: WatchDelivery) => void = () => {}): EtcdStore =>
  new EtcdStore(defaults(etcdStore.params), depsFor(deliver));
const consul = (lockDelay: number): ConsulStore =>
  new ConsulStore(
    { ...defaults(consulStore.params), lockDelay },
    depsFor(() => {}),
  );

function written(step: UpdateStep): string {
  if ('names' in step) return `${step.type}{${step.names.join(',')}}`;
  return `${step.type}{${step.changes.map(({ from, to }) => `${from}->${to}`).join(',')}}`;
}
