/** Operations on a store as plain data, so that a host can carry them over a network that delays, loses and repeats them. */
import type { Ms } from '../../../core/time.ts';
import type { Acquisition, ConfigStore, StoreEntry, KeepAlive } from './config-store.ts';

export type StoreRequest =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'list'; readonly prefix: string }
  | { readonly op: 'put'; readonly key: string; readonly value: string }
  | { readonly op: 'compare-and-swap'; readonly key: string; readonly modRevision: number; readonly value: string }
  | { readonly op: 'grant-lease'; readonly ttlMs: Ms }
  | { readonly op: 'keep-alive'; readonly lease: number }
  | { readonly op: 'revoke-lease'; readonly lease: number }
  | { readonly op: 'acquire'; readonly key: string; readonly lease: number; readonly value: string }
  | { readonly op: 'release'; readonly key: string; readonly lease: number };

export type StoreAnswer =
  | { readonly kind: 'entry'; readonly entry: StoreEntry | undefined }
  | { readonly kind: 'entries'; readonly entries: readonly StoreEntry[] }
  | { readonly kind: 'written'; readonly succeeded: boolean; readonly revision: number }
  /** `lease` is undefined if none was granted. */
  | { readonly kind: 'lease'; readonly lease: number | undefined; readonly ttlMs: Ms }
  | { readonly kind: 'keep-alive'; readonly result: KeepAlive }
  | { readonly kind: 'acquisition'; readonly result: Acquisition }
  | { readonly kind: 'done'; readonly succeeded: boolean }
  /** The store was not reached, or did not answer in time; whether the operation took effect is not known. */
  | { readonly kind: 'unreachable' };

export function performOn(store: ConfigStore, request: StoreRequest, nowMs: Ms): StoreAnswer {
  switch (request.op) {
    case 'get':
      return { kind: 'entry', entry: store.get(request.key) };
    case 'list':
      return { kind: 'entries', entries: store.list(request.prefix) };
    case 'put':
      return { kind: 'written', succeeded: true, revision: store.put(request.key, request.value, nowMs) };
    case 'compare-and-swap':
      return { kind: 'written', ...store.compareAndSwap(request.key, request.modRevision, request.value, nowMs) };
    case 'grant-lease': {
      const granted = store.grantLease(request.ttlMs, nowMs);
      return { kind: 'lease', lease: granted?.lease, ttlMs: granted?.ttlMs ?? 0 };
    }
    case 'keep-alive':
      return { kind: 'keep-alive', result: store.keepAlive(request.lease, nowMs) };
    case 'revoke-lease':
      return { kind: 'done', succeeded: store.revokeLease(request.lease, nowMs) };
    case 'acquire':
      return { kind: 'acquisition', result: store.acquire(request.key, request.lease, nowMs, request.value) };
    case 'release':
      return { kind: 'done', succeeded: store.release(request.key, request.lease, nowMs) };
  }
}
