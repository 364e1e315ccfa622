/** Every discovery client and registry of the tables against its contract, and the contracts against ones that break them. */
import { describe, expect, it } from 'vitest';
import { discoveryRules } from '../../../src/policies/discovery/contract.ts';
import {
  checkDiscoveryClient,
  checkRegistry,
  consulRegistry,
  type DiscoveryClient,
  discoveryClients,
  type DiscoveryDeps,
  registries,
  type Registry,
  type RegistryDeps,
  registryWatchDiscovery,
} from '../../../src/policies/discovery/index.ts';
import { registryRules } from '../../../src/policies/discovery/registries/contract.ts';

const clientVariants: Readonly<Record<string, readonly object[]>> = {
  file: [{ watch: false }, { delay: 0 }],
  dns: [{ respectDnsTtl: true, dnsJitter: 2000 }],
  'dns-jvm': [{ cacheTtl: 0, negativeTtl: 5000 }],
  'registry-poll': [{ serverListRefreshInterval: 0 }, { readTimeout: 60_000, serverListRefreshInterval: 7000 }],
  'registry-watch': [{ wait: 1000, retryInterval: 10_000 }],
};

for (const definition of Object.values(discoveryClients)) {
  describe.each([{}, ...(clientVariants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of discovery clients: it`,
    (params) => {
      it.each(discoveryRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

const registryVariants: Readonly<Record<string, readonly object[]>> = {
  consul: [{ deregisterCriticalServiceAfter: 90_000 }, { initialStatus: 'passing', onlyPassing: true }],
  etcd: [{ ttl: 10_000 }],
  eureka: [{ responseCacheUpdateInterval: 0 }, { enableSelfPreservation: false, renewalPercentThreshold: 0 }],
};

for (const definition of Object.values(registries)) {
  describe.each([{}, ...(registryVariants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of registries: it`,
    (params) => {
      it.each(registryRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

/** An honest object whose members a test replaces. */
const overlaid = <Made extends object>(honest: Made, spoil: (honest: Made) => Partial<Made>): Made => {
  const spoilt = spoil(honest);
  return new Proxy(honest, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
      return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
    },
  });
};

describe('the contract of discovery clients', () => {
  const found = (spoil: (client: DiscoveryClient, deps: DiscoveryDeps) => Partial<DiscoveryClient>): readonly string[] =>
    checkDiscoveryClient((deps) => overlaid(registryWatchDiscovery.make({}, deps), (client) => spoil(client, deps)));

  it('finds nothing wrong with an honest client', () => {
    expect(found(() => ({}))).toEqual([]);
  });

  it('notices a client that forgets its list when the source fails', () => {
    const forgetful = found((client, { sink }) => ({
      onFetched: (id, answer, nowMs) => {
        if (typeof answer === 'string') sink.update([], nowMs);
        client.onFetched(id, answer, nowMs);
      },
    }));
    expect(forgetful).toContainEqual(expect.stringContaining('keeps its list while the source is gone'));
  });

  it('notices a client that believes an empty answer', () => {
    const credulous = checkDiscoveryClient((deps) => registryWatchDiscovery.make({ emptyUpdates: 'apply' }, deps));
    expect(credulous).toContainEqual(expect.stringContaining('does not let an answer without members take its list away'));
  });

  it('notices a client that never looks again', () => {
    expect(found(() => ({ nextTimerMs: () => Infinity }))).toContainEqual(expect.stringContaining('is still stale'));
    const once = found((client) => {
      let answers = 0;
      return { onFetched: (id, answer, nowMs) => (answers++ === 0 ? client.onFetched(id, answer, nowMs) : undefined) };
    });
    expect(once).toContainEqual(expect.stringContaining('learns of every change'));
  });

  it('notices a client that hides staleness or makes up its age', () => {
    expect(found(() => ({ isStale: () => false }))).toContainEqual(expect.stringContaining('is not stale after an hour'));
    expect(found(() => ({ ageMs: () => 0 }))).toContainEqual(expect.stringContaining('knows the age of what it knows'));
  });

  it('notices a client that takes any answer for its own', () => {
    const open = found((client, { sink }) => ({
      onFetched: (id, answer, nowMs) => {
        if (typeof answer !== 'string') sink.update(answer.members, nowMs);
        client.onFetched(id, answer, nowMs);
      },
    }));
    expect(open).toContainEqual(expect.stringContaining('ignores answers'));
    expect(open).toContainEqual(expect.stringContaining('tells its sink of changes only'));
  });

  it('notices a client that presses a failing source, and one that asks twice at once', () => {
    const pressing = checkDiscoveryClient((deps) =>
      registryWatchDiscovery.make({ retryInterval: 100, maxBackoffTime: 100 }, deps),
    );
    expect(pressing).toContainEqual(expect.stringContaining('does not press a source that fails'));
    const double = checkDiscoveryClient((deps) => {
      const fetch: DiscoveryDeps['host']['fetch'] = (request, nowMs) => {
        deps.host.fetch(request, nowMs);
        deps.host.fetch(request, nowMs);
      };
      return registryWatchDiscovery.make({}, { ...deps, host: { fetch } });
    });
    expect(double).toContainEqual(expect.stringContaining('while a question is open'));
  });

  it('notices randomness that was not injected', () => {
    let calls = 0;
    const ambient = checkDiscoveryClient((deps) => registryWatchDiscovery.make({ retryInterval: 5000 + calls++ }, deps));
    expect(ambient).toContainEqual(expect.stringContaining('two clients with the same draws'));
  });
});

describe('the contract of registries', () => {
  const found = (spoil: (registry: Registry, deps: RegistryDeps) => Partial<Registry>): readonly string[] =>
    checkRegistry((deps) => overlaid(consulRegistry.make({}, deps), (registry) => spoil(registry, deps)));

  it('finds nothing wrong with an honest registry', () => {
    expect(found(() => ({}))).toEqual([]);
  });

  it('notices a registry that never takes anybody out', () => {
    expect(found(() => ({ onTimer: () => {}, nextTimerMs: () => Infinity }))).toContainEqual(
      expect.stringContaining('takes out an instance that fell silent'),
    );
    expect(found(() => ({ deregister: () => {} }))).toContainEqual(expect.stringContaining('renews an instance that left'));
  });

  it('notices a registry that takes out the living', () => {
    expect(checkRegistry((deps) => consulRegistry.make({ ttl: 5000 }, deps))).toContainEqual(
      expect.stringContaining('lists everybody who registered and renews'),
    );
  });

  it('notices a registry that knows strangers', () => {
    expect(found(() => ({ renew: () => true }))).toContainEqual(
      expect.stringContaining('renews an instance that never registered'),
    );
  });

  it('notices queries that are lost, answered twice or never', () => {
    const lossy = found((registry) => ({
      query: (query, index, waitMs, nowMs) => (query === 120 ? undefined : registry.query(query, index, waitMs, nowMs)),
    }));
    expect(lossy).toContainEqual(expect.stringContaining('leaves queries [120] without an answer'));
    const twofold = found((registry) => ({
      query: (query, index, waitMs, nowMs) => {
        registry.query(query, index, waitMs, nowMs);
        registry.query(query, 0, waitMs, nowMs);
      },
    }));
    expect(twofold).toContainEqual(expect.stringContaining('answers query'));
  });

  it('notices an index that stands still, and one that grows by itself', () => {
    expect(checkRegistry((deps) => overlaidIndex(deps, () => 5))).toContainEqual(expect.stringContaining('goes from 5 to 5'));
    let ticks = 10;
    expect(checkRegistry((deps) => overlaidIndex(deps, () => ticks++))).toContainEqual(
      expect.stringContaining('when somebody asks'),
    );
  });

  it('notices a registry that wants to be woken again and again', () => {
    const restless = found((registry) => {
      let nowMs = 0;
      return {
        onTimer: (atMs) => registry.onTimer((nowMs = atMs)),
        nextTimerMs: () => (nowMs > 60_000 ? nowMs : registry.nextTimerMs()),
      };
    });
    expect(restless).toContainEqual(expect.stringContaining('asks to be woken for times that lie ahead'));
  });

  const overlaidIndex = (deps: RegistryDeps, index: () => number): Registry => {
    const registry = consulRegistry.make({}, deps);
    return new Proxy(registry, {
      get: (target, key) => {
        if (key === 'index') return index();
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
});
