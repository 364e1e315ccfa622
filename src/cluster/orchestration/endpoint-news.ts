/** How clients hear of instances that come and go: each after a time of its own, as proxies do that are told by a control plane. Clients
 *  that discover instances by themselves are not told. */
import type { Streams } from '../../core/streams.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Client } from '../client.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from './errands.ts';

export class EndpointNews {
  private readonly fleet: Fleet;
  private readonly errands: Errands;
  /** By service: clients that do not discover. */
  private readonly listeners: readonly (readonly Client[])[];
  private readonly delays: readonly (Sampler | undefined)[];
  private readonly rng: Xoshiro128;
  /** By client and slot: the latest news heard. Later news may overtake earlier ones. */
  private readonly heard = new Map<string, number>();
  private count: number;
  /** A client's view has changed. */
  private readonly onChange: (client: Client) => void;

  constructor(fleet: Fleet, errands: Errands, clients: readonly Client[], streams: Streams, onChange: (client: Client) => void) {
    this.fleet = fleet;
    this.errands = errands;
    this.listeners = fleet.services.map((_, service) =>
      clients.filter((client) => client.spec.service === service && client.discovery === undefined),
    );
    this.delays = fleet.services.map(({ elastic: { endpointDelay } }) =>
      endpointDelay.type === 'constant' && endpointDelay.value === 0 ? undefined : makeSampler(endpointDelay),
    );
    this.rng = streams.stream('endpoint-news');
    this.count = 0;
    this.onChange = onChange;
  }

  /** The instance is ready for requests, or is not any more. */
  tell(instance: number, isReady: boolean): void {
    const service = this.fleet.service[instance];
    const number = ++this.count;
    const delay = this.delays[service];
    for (const client of this.listeners[service]) {
      if (delay === undefined) this.hear(client, instance, isReady, number);
      else this.errands.later(delay.sample(this.rng), () => this.hear(client, instance, isReady, number));
    }
  }

  private hear(client: Client, instance: number, isReady: boolean, number: number): void {
    const slot = instance - client.base;
    const key = `${client.number}/${slot}`;
    if ((this.heard.get(key) ?? 0) > number) return;
    this.heard.set(key, number);
    client.setPresent(slot, isReady, this.errands.nowMs);
    this.onChange(client);
  }
}
