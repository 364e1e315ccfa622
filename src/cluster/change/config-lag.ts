/** How long hosts wait for what was decided for them: from the decision that names a host with another version until that is in force there.
 *  A wait also ends, uncounted, when something else is decided that the host has already, when the host refuses it, and when it goes. */
import type { Ms } from '../../core/time.ts';

interface Wait {
  readonly version: string;
  readonly sinceMs: Ms;
}

export class ConfigLag {
  private readonly waits = new Map<string, Wait>();
  private count = 0;
  private sumMs: Ms = 0;
  private mostMs: Ms = -Infinity;

  /** It was decided that the host, which has `current`, shall have `version`. */
  decided(host: string, version: string, current: string, nowMs: Ms): void {
    if (version === current) this.waits.delete(host);
    else if (this.waits.get(host)?.version !== version) this.waits.set(host, { version, sinceMs: nowMs });
  }

  applied(host: string, version: string, nowMs: Ms): void {
    const wait = this.waits.get(host);
    if (wait?.version !== version) return;
    this.waits.delete(host);
    this.count++;
    this.sumMs += nowMs - wait.sinceMs;
    this.mostMs = Math.max(this.mostMs, nowMs - wait.sinceMs);
  }

  refused(host: string, version: string): void {
    if (this.waits.get(host)?.version === version) this.waits.delete(host);
  }

  gone(host: string): void {
    this.waits.delete(host);
  }

  /** Of the waits that ended, to be added up with those of others. */
  get ended(): { readonly count: number; readonly sumMs: Ms } {
    return { count: this.count, sumMs: this.sumMs };
  }

  /** Those under way count with the time so far; NaN if there was none. */
  maxMs(nowMs: Ms): Ms {
    let mostMs = this.mostMs;
    for (const { sinceMs } of this.waits.values()) mostMs = Math.max(mostMs, nowMs - sinceMs);
    return mostMs === -Infinity ? NaN : mostMs;
  }
}
