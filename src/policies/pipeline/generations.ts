/** The configurations that a pipeline's requests live by: the current one, and those before it until their last request has ended. Their
 *  balancers hear of the endpoints as long. Numbers are reused, so what is kept does not grow with the number of configurations. */
import type { EndpointSet } from '../balancing/endpoint-set.ts';
import type { Ms } from '../../core/time.ts';
import { Generation, type PipelineSettings } from './generation.ts';

export class Generations {
  current: Generation;
  private readonly endpoints: EndpointSet;
  private readonly kept: (Generation | undefined)[];

  /** The first balancer is bound already. */
  constructor(first: PipelineSettings, endpoints: EndpointSet) {
    this.endpoints = endpoints;
    this.current = new Generation(first, 0);
    this.kept = [this.current];
  }

  of(number: number): Generation {
    return this.kept[number]!;
  }

  get count(): number {
    return this.kept.filter((each) => each !== undefined).length;
  }

  replace(settings: PipelineSettings, nowMs: Ms): void {
    const former = this.current;
    const free = this.kept.indexOf(undefined);
    const number = free === -1 ? this.kept.length : free;
    this.current = new Generation(settings, number);
    this.kept[number] = this.current;
    this.endpoints.bindAlso(settings.balancer, nowMs);
    if (former.requests === 0) this.forget(former);
  }

  /** A request that lived by it has ended. */
  leave(generation: Generation): void {
    generation.requests--;
    if (generation.requests === 0 && generation !== this.current) this.forget(generation);
  }

  private forget(generation: Generation): void {
    this.kept[generation.number] = undefined;
    // Configurations may share a balancer.
    if (!this.kept.some((each) => each?.balancer === generation.balancer)) this.endpoints.unbind(generation.balancer);
  }
}
