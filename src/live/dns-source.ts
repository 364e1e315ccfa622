/** Endpoints behind a name: each of its addresses, at one port. The answer may be kept as long as its shortest record says. A name that does
 *  not exist, or has no addresses, is an answer without members.
 *
 *  It asks name servers as `node:dns` does, not the files and services of the machine (`/etc/hosts`); a resolver of the program's own takes
 *  the place of that. */
import { Resolver } from 'node:dns/promises';
import type { DiscoverySource, SourceAnswer } from './discovery-source.ts';
import type { SourceFailure } from '../policies/discovery/discovery-client.ts';

export interface AddressRecord {
  readonly address: string;
  /** In seconds, as DNS counts. */
  readonly ttl: number;
}
export interface AddressResolver {
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
  resolve6?(name: string, options: { readonly ttl: true }): Promise<readonly AddressRecord[]>;
}

export interface DnsSourceOptions {
  readonly name: string;
  readonly port: number;
  readonly scheme?: 'http' | 'https';
  /** Which addresses are asked for; IPv4 by default. */
  readonly family?: 4 | 6;
  readonly resolver?: AddressResolver;
}

export function dnsSource({ name, port, scheme = 'http', family = 4, resolver }: DnsSourceOptions): DiscoverySource {
  return {
    async ask(_question, signal) {
      const own = resolver === undefined ? new Resolver() : undefined;
      const cancel = (): void => own?.cancel();
      signal.addEventListener('abort', cancel);
      try {
        return answerOf(await lookUp(resolver ?? own!, name, family), port, scheme);
      } catch (error) {
        return answerToError((error as { readonly code?: string }).code);
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

function lookUp(resolver: AddressResolver, name: string, family: 4 | 6): Promise<readonly AddressRecord[]> {
  if (family === 4) return resolver.resolve4(name, { ttl: true });
  return resolver.resolve6?.(name, { ttl: true }) ?? Promise.reject(new Error('the resolver knows no IPv6'));
}

const answerOf = (records: readonly AddressRecord[], port: number, scheme: string): SourceAnswer => ({
  members: records.map(({ address }) => `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`),
  ...(records.length === 0 ? {} : { ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)) }),
});

function answerToError(code: string | undefined): SourceAnswer | SourceFailure {
  if (code === 'ENOTFOUND' || code === 'ENODATA') return { members: [] };
  return code === 'ETIMEOUT' || code === 'ECANCELLED' ? 'timeout' : 'unreachable';
}
