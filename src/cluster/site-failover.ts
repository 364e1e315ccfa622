/** One client's choice of the zone that takes its traffic: it reports how many of each zone's endpoints are well, as far as it can tell, and
 *  leaves out those of the other zones. Zones are sites in the order in which the service names them. */
import type { Ms } from '../core/time.ts';
import { doubts, type EndpointHealth } from '../policies/balancing/endpoint-health.ts';
import type { Failover, FailoverDeps } from '../policies/recovery/failover/failover.ts';

export interface SiteFailoverParts {
  readonly slots: number;
  siteOf(slot: number): number;
  readonly health: EndpointHealth;
}

export class SiteFailover {
  /** How often the traffic was switched. */
  switches: number;
  private readonly parts: SiteFailoverParts;
  private readonly sites: number;
  private readonly policy: Failover;
  /** While endpoints are put in and out of use, which is no news of their health. */
  private isSwitching: boolean;

  constructor(make: (deps: FailoverDeps) => Failover, sites: readonly number[], parts: SiteFailoverParts) {
    this.parts = parts;
    this.sites = sites.length;
    this.switches = 0;
    this.isSwitching = false;
    this.policy = make({
      sites: sites.length,
      sink: {
        switchTo: (_, nowMs) => {
          this.switches++;
          this.confine(nowMs);
        },
      },
    });
    this.confine(0);
  }

  /** What is believed of some endpoint has changed, or who there is. */
  changed(nowMs: Ms): void {
    if (this.isSwitching) return;
    const well = new Int32Array(this.sites);
    const all = new Int32Array(this.sites);
    const { slots, siteOf, health } = this.parts;
    for (let slot = 0; slot < slots; slot++) {
      const site = siteOf(slot);
      if (site < 0 || !health.isPresent(slot)) continue;
      all[site]++;
      if (health.isWell(slot)) well[site]++;
    }
    // A site without anybody is as good as one where all are down.
    for (let site = 0; site < this.sites; site++) this.policy.report(site, all[site] > 0 ? well[site] / all[site] : 0, nowMs);
    this.confine(nowMs);
  }

  nextTimerMs(): Ms {
    return this.policy.nextTimerMs();
  }

  onTimer(nowMs: Ms): void {
    this.policy.onTimer(nowMs);
  }

  /** Traffic goes to the active site only. */
  private confine(nowMs: Ms): void {
    // The policy may switch while it is being made.
    if (this.isSwitching || this.policy === undefined) return;
    this.isSwitching = true;
    const { slots, siteOf, health } = this.parts;
    for (let slot = 0; slot < slots; slot++) health.set(slot, doubts.elsewhere, siteOf(slot) !== this.policy.active, nowMs);
    this.isSwitching = false;
  }
}

/** Zones in the order of their first instance. */
export const sitesOf = (zones: readonly number[]): number[] => [...new Set(zones)];
