/** Bodies of requests, read to their end before the first attempt: a retry or a hedge must be able to send the same again. */
import type { IncomingMessage } from 'node:http';
import { hasBody } from './headers.ts';

/** The body; undefined if it is longer than `maxBytes`. Fails when the caller leaves in the middle. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!hasBody(request)) return nothing;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop would destroy the connection, on which the refusal still has to go out.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const nothing = new Uint8Array(0);
