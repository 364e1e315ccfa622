/** What a vertical recommender makes of a service's use, from what the metrics pipeline sees. Nothing is changed by it: its answer is part
 *  of the result. */
import type { VerticalRecommender } from '../../policies/autoscaling/vertical/vertical-recommender.ts';
import type { ServiceSpec } from '../../scenario/spec.ts';
import type { SizeRecommendation } from '../../stats/result.ts';
import type { MetricsPipeline } from './metrics-pipeline.ts';

const MILLI = 1000;

export interface SizedService {
  readonly service: number;
  readonly spec: ServiceSpec;
  readonly recommender: VerticalRecommender;
}

export class Sizing {
  private readonly services: readonly SizedService[];
  private readonly pipeline: MetricsPipeline;

  constructor(services: readonly SizedService[], pipeline: MetricsPipeline) {
    this.services = services;
    this.pipeline = pipeline;
    pipeline.listeners.push(() => this.observe());
  }

  results(): SizeRecommendation[] {
    return this.services.flatMap(({ spec, recommender }): SizeRecommendation[] => {
      const found = recommender.recommend();
      if (found === undefined) return [];
      const { cpu, memory, memoryBase } = spec.elastic;
      return [
        { service: spec.name, resource: 'cpu', reserved: cpu / MILLI, ...found.cpu },
        ...(Number.isNaN(memoryBase)
          ? []
          : [{ service: spec.name, resource: 'memory' as const, reserved: memory, ...found.memory }]),
      ];
    });
  }

  private observe(): void {
    for (const { service, spec, recommender } of this.services) {
      for (const { index, atMs, windowMs, values } of this.pipeline.latest(service)) {
        const { cpu, memory } = values;
        recommender.observe({
          ...{ replica: index, startMs: atMs - windowMs, cpu, cpuRequest: spec.elastic.cpu / MILLI },
          ...(memory === undefined ? {} : { memory }),
        });
      }
    }
  }
}
