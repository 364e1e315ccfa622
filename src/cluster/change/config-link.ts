/** Messages between distributors, and between them and hosts: each takes a time of its own, so that later ones can overtake earlier ones, and
 *  a share is lost. While no distributor works none gets through, and those under way when they cease are lost with their streams. */
import type { Streams } from '../../core/streams.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import type { DeliverySpec } from '../../scenario/spec.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Errands } from '../orchestration/errands.ts';

export class ConfigLink {
  private readonly errands: Errands;
  private readonly latency: Sampler;
  private readonly loss: number;
  private readonly rng: Xoshiro128;
  /** Sent before the first moment; undefined after it. */
  private early: (() => void)[] | undefined;
  private isWorking: boolean;
  private breaks: number;

  constructor(errands: Errands, streams: Streams, name: string, { latency, loss }: Pick<DeliverySpec, 'latency' | 'loss'>) {
    this.errands = errands;
    this.latency = makeSampler(latency);
    this.loss = loss;
    this.rng = streams.stream(`config/${name}/messages`);
    this.early = [];
    this.isWorking = true;
    this.breaks = 0;
  }

  /** What was sent so far has arrived long ago. */
  begin(): void {
    const early = this.early ?? [];
    // Messages answer each other: the list grows meanwhile.
    for (const arrive of early) arrive();
    this.early = undefined;
  }

  setWorking(isWorking: boolean): void {
    this.isWorking = isWorking;
    if (!isWorking) this.breaks++;
  }

  send(arrive: () => void): void {
    if (this.early !== undefined) {
      this.early.push(arrive);
      return;
    }
    const delayMs = this.latency.sample(this.rng);
    const isLost = this.rng.next() < this.loss;
    if (isLost || !this.isWorking) return;
    const { breaks } = this;
    this.errands.later(delayMs, () => {
      if (breaks === this.breaks) arrive();
    });
  }
}
