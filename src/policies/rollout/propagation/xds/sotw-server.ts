/** The other end of one type of resources on an xDS stream: sends the newest state, learns from requests what the client has, and ignores
 *  requests about answers that it has overtaken meanwhile, because the client will speak of the newer one in a moment.
 *
 *  After envoyproxy/envoy: docs/root/api-docs/xds_protocol.rst, on nonces; envoyproxy/go-control-plane: pkg/server/sotw/v3. */
import type { DiscoveryRequest, DiscoveryResponse } from './sotw-client.ts';

export type RequestReading =
  /** About an answer that is not the newest one. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'subscribed'; readonly resourceNames: readonly string[] }
  | { readonly kind: 'acked'; readonly version: string }
  | { readonly kind: 'nacked'; readonly version: string; readonly error: string };

export class SotwServer<Resources> {
  #sent: { readonly version: string; readonly nonce: string } | undefined;
  #names: readonly string[] | undefined;
  #nonces = 0;
  /** Version that the client has said to use. */
  #inUse = '';

  get versionInUse(): string {
    return this.#inUse;
  }

  get resourceNames(): readonly string[] {
    return this.#names ?? [];
  }

  /** Whether this version is news for the client; one that it refused is not sent again. */
  isNews(version: string): boolean {
    return this.#names !== undefined && version !== this.#sent?.version && version !== this.#inUse;
  }

  respond(versionInfo: string, resources: Resources, nonce = String(++this.#nonces)): DiscoveryResponse<Resources> {
    this.#sent = { version: versionInfo, nonce };
    return { versionInfo, nonce, resources };
  }

  onRequest({ versionInfo, responseNonce, resourceNames, errorDetail }: DiscoveryRequest): RequestReading {
    if (responseNonce !== '' && responseNonce !== this.#sent?.nonce) return { kind: 'stale' };
    const isChanged = this.#names === undefined || this.#names.join('\n') !== resourceNames.join('\n');
    this.#names = resourceNames;
    this.#inUse = versionInfo;
    if (errorDetail !== undefined) return { kind: 'nacked', version: this.#sent?.version ?? '', error: errorDetail };
    if (isChanged) return { kind: 'subscribed', resourceNames };
    return { kind: 'acked', version: versionInfo };
  }

  /** The stream is gone; what the client uses will be said on the next one. */
  disconnect(): void {
    this.#sent = undefined;
    this.#names = undefined;
  }
}
