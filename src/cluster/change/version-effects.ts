/** What versions do to the instances that have them: slower, failing, crashing, leaking, cold, or at odds with others. Each instance has a
 *  version as code, for as long as its process lives, and one as configuration, which may change under way; what the two do adds up. The
 *  first version is there as code, but as configuration where nothing else is rolled out, so that the next one takes its place.
 *
 *  What shows only under load, or only towards some callers, is asked for with each request (`VersionParts`); everything else is set
 *  on the instance when it begins to show. Chances are drawn from a stream of each instance's own. */
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import type { ChangeSpec, ServiceSpec, VersionEffect, VersionSpec } from '../../scenario/spec.ts';
import { makeSampler } from '../../stats/samplers.ts';
import { type Fleet, instanceStates } from '../fleet.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { Servers, VersionParts } from '../servers.ts';

export interface VersionEffectsHost {
  /** The instance that made this attempt; -1 if no instance did. */
  callerOf(attempt: number): number;
  flushCaches(instance: number): void;
}

/** Steps in which memory fills. */
const LEAK_STEPS = 10;
/** A process that cannot start ends so long after its start-up. */
const FAILED_START_MS: Ms = 1000;

const layers = ['release', 'config'] as const;
type Layer = (typeof layers)[number];
type Effect<Type extends VersionEffect['type']> = Extract<VersionEffect, { type: Type }>;

/** What one instance has of one kind. */
interface Held {
  version: VersionSpec | undefined;
  /** Those that show, with how far memory has filled. */
  readonly showing: Map<VersionEffect, number>;
  /** Counts beginnings, so that an errand of an earlier one is recognised. */
  life: number;
}

/** Whether some of the versions' effects have to be looked at with every request. */
export const hasPartEffects = (services: readonly ServiceSpec[]): boolean =>
  services.some(({ versions = [] }) =>
    versions.some(({ effects }) =>
      effects.some(({ type, load }) => type === 'incompatible' || (load > 0 && (type === 'slow' || type === 'errors'))),
    ),
  );

export class VersionEffects implements VersionParts {
  private readonly fleet: Fleet;
  private readonly servers: Servers;
  private readonly errands: Errands;
  private readonly host: VersionEffectsHost;
  private readonly held: Readonly<Record<Layer, readonly Held[]>>;
  private readonly rngs: readonly Xoshiro128[];
  /** By instance: what shows only under load; empty for most. */
  private readonly loaded: (readonly (Effect<'slow'> | Effect<'errors'>)[])[];
  private readonly hasIncompatible: boolean;
  /** By service: as what the first version is there. */
  private readonly homes: readonly Layer[];

  constructor(
    fleet: Fleet,
    servers: Servers,
    errands: Errands,
    streams: Streams,
    changes: readonly ChangeSpec[],
    host: VersionEffectsHost,
  ) {
    this.fleet = fleet;
    this.servers = servers;
    this.errands = errands;
    this.host = host;
    this.homes = fleet.services.map((_, service) => homeOf(changes, service));
    const held = (layer: Layer): Held[] =>
      Array.from(fleet.service, (service) => ({
        version: this.homes[service] === layer ? fleet.services[service].versions?.[0] : undefined,
        showing: new Map<VersionEffect, number>(),
        life: 0,
      }));
    this.held = { release: held('release'), config: held('config') };
    this.rngs = fleet.ids.map((id) => streams.stream(`version/${id}`));
    this.loaded = fleet.ids.map(() => []);
    this.hasIncompatible = fleet.services.some(({ versions = [] }) =>
      versions.some(({ effects }) => effects.some(({ type }) => type === 'incompatible')),
    );
  }

  /** Instances have been running before the first moment. */
  start(): void {
    for (let instance = 0; instance < this.fleet.count; instance++) if (this.servers.isUp(instance)) this.begin(instance, layers);
  }

  /** A process with this version is put into the place; what it does begins when it is up. */
  place(instance: number, version: VersionSpec): void {
    this.held.release[instance].version = version;
  }

  /** The instance has this configuration from now on. */
  configure(instance: number, version: VersionSpec): void {
    const service = this.fleet.service[instance];
    // The first version is not there twice.
    const isThereAsCode = this.homes[service] === 'release' && version === this.fleet.services[service].versions?.[0];
    this.held.config[instance].version = isThereAsCode ? undefined : version;
    if (this.servers.isUp(instance)) this.begin(instance, ['config']);
  }

  /** False if it fails to start: it will be down in a moment, and is ready for nobody until then. */
  cameUp(instance: number): boolean {
    this.begin(instance, layers);
    const chances = this.effects(instance).map((effect) =>
      effect.type === 'crash' && this.isMet(effect, instance) ? effect.onStart : 0,
    );
    // One number per start, however many chances there are.
    const luck = this.rngs[instance].next();
    if (luck >= 1 - chances.reduce((well, chance) => well * (1 - chance), 1)) return true;
    const { life } = this.held.release[instance];
    this.errands.later(FAILED_START_MS, () => {
      if (this.held.release[instance].life === life) this.crash(instance);
    });
    return false;
  }

  /** Its process is gone; nothing of it shows any more. */
  wentDown(instance: number): void {
    for (const layer of layers) this.cease(this.held[layer][instance]);
    this.refresh(instance);
  }

  workFactor(_attempt: number, instance: number): number {
    let factor = 1;
    for (const effect of this.loaded[instance])
      if (effect.type === 'slow' && this.isLoaded(effect, instance)) factor *= effect.factor;
    return factor;
  }

  failingShare(attempt: number, instance: number): number {
    let well = 1;
    for (const effect of this.loaded[instance])
      if (effect.type === 'errors' && this.isLoaded(effect, instance)) well *= 1 - effect.share;
    const caller = this.hasIncompatible ? this.host.callerOf(attempt) : -1;
    return 1 - (caller < 0 ? well : well * this.harmony(instance, caller) * this.harmony(caller, instance));
  }

  /** Share of requests that survive what one of the two has against the other. */
  private harmony(instance: number, other: number): number {
    let well = 1;
    for (const layer of layers) {
      for (const effect of this.held[layer][instance].showing.keys()) {
        if (effect.type !== 'incompatible' || effect.service !== this.fleet.service[other]) continue;
        const isAtOdds = layers.some((each) => effect.versions.includes(this.held[each][other].version?.name ?? ''));
        if (isAtOdds && (effect.load === 0 || this.isLoaded(effect, instance))) well *= 1 - effect.share;
      }
    }
    return well;
  }

  private begin(instance: number, which: readonly Layer[]): void {
    for (const layer of which) {
      const held = this.held[layer][instance];
      this.cease(held);
      const { life } = held;
      for (const effect of held.version?.effects ?? []) {
        if (!this.isMet(effect, instance)) continue;
        if (effect.afterMs === 0) this.show(instance, held, effect);
        else
          this.errands.later(effect.afterMs, () => {
            if (held.life !== life) return;
            this.show(instance, held, effect);
            this.refresh(instance);
          });
      }
    }
    const cold = this.effects(instance).find((effect) => effect.type === 'cold-start' && this.isMet(effect, instance));
    this.servers.setColdStart(instance, cold?.type === 'cold-start' ? cold : undefined);
    this.refresh(instance);
  }

  private cease(held: Held): void {
    held.life++;
    held.showing.clear();
  }

  private show(instance: number, held: Held, effect: VersionEffect): void {
    held.showing.set(effect, 0);
    if (effect.type === 'crash' && effect.every !== undefined) this.crashLater(instance, held, effect, makeSampler(effect.every));
    else if (effect.type === 'memory-leak') this.fill(instance, held, effect);
    else if (effect.type === 'cold-caches') this.host.flushCaches(instance);
  }

  /** Again and again; only while there is load enough, where it takes load: for exponential times that thins them as it should. */
  private crashLater(instance: number, held: Held, effect: Effect<'crash'>, law: ReturnType<typeof makeSampler>): void {
    const { life } = held;
    this.errands.later(law.sample(this.rngs[instance]), () => {
      if (held.life !== life) return;
      if (effect.load === 0 || this.isLoaded(effect, instance)) this.crash(instance);
      else this.crashLater(instance, held, effect, law);
    });
  }

  private fill(instance: number, held: Held, effect: Effect<'memory-leak'>): void {
    const { life } = held;
    this.errands.later(effect.fillsMs / LEAK_STEPS, () => {
      if (held.life !== life) return;
      const isFilling = effect.load === 0 || this.isLoaded(effect, instance);
      const step = (held.showing.get(effect) ?? 0) + (isFilling ? 1 : 0);
      if (step >= LEAK_STEPS) {
        this.crash(instance);
        return;
      }
      held.showing.set(effect, step);
      this.refresh(instance);
      this.fill(instance, held, effect);
    });
  }

  private crash(instance: number): void {
    if (!this.servers.isUp(instance)) {
      // It is leaving: it goes at once, with what it has.
      if (this.fleet.state[instance] !== instanceStates.draining) return;
    }
    this.servers.crash(instance);
    this.servers.restart(instance);
  }

  /** Sets on the instance what shows of it all the time. */
  private refresh(instance: number): void {
    let factor = 1;
    let well = 1;
    const loaded: (Effect<'slow'> | Effect<'errors'>)[] = [];
    for (const layer of layers) {
      for (const [effect, step] of this.held[layer][instance].showing) {
        if (effect.type === 'memory-leak') factor *= 1 + ((effect.factor - 1) * step) / LEAK_STEPS;
        else if (effect.type !== 'slow' && effect.type !== 'errors') continue;
        else if (effect.load > 0) loaded.push(effect);
        else if (effect.type === 'slow') factor *= effect.factor;
        else well *= 1 - effect.share;
      }
    }
    this.loaded[instance] = loaded;
    this.servers.setVersion(instance, factor, 1 - well);
  }

  private effects(instance: number): VersionEffect[] {
    return layers.flatMap((layer) => this.held[layer][instance].version?.effects ?? []);
  }

  private isMet({ zones }: VersionEffect, instance: number): boolean {
    return zones.length === 0 || zones.includes(this.fleet.zoneNames[this.fleet.zone[instance]]);
  }

  private isLoaded({ load }: VersionEffect, instance: number): boolean {
    return this.servers.load(instance) >= load;
  }
}

function homeOf(changes: readonly ChangeSpec[], service: number): Layer {
  const own = changes.filter((change) => change.service === service);
  return own.length > 0 && own.every(({ kind }) => kind === 'config') ? 'config' : 'release';
}
