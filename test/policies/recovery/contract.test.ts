/** Every policy of the recovery tables against its contract, and the contracts against ones that break them. */
import { describe, expect, it } from 'vitest';
import { evictionRules } from '../../../src/policies/recovery/eviction/contract.ts';
import { failoverRules } from '../../../src/policies/recovery/failover/contract.ts';
import {
  checkFailover,
  checkNodeEviction,
  checkReplicaController,
  checkRestartPolicy,
  type Failover,
  failovers,
  kubeletRestart,
  type NodeEviction,
  nodeEvictions,
  nodeLifecycle,
  priorityFailover,
  type ReplicaController,
  replicaControllers,
  type ReplicaDeps,
  replicaSet,
  restartPolicies,
  type RestartPolicy,
} from '../../../src/policies/recovery/index.ts';
import { replicaRules } from '../../../src/policies/recovery/replicas/contract.ts';
import { restartRules } from '../../../src/policies/recovery/restarts/contract.ts';

const restartVariants: Readonly<Record<string, readonly object[]>> = {
  kubelet: [{ restartPolicy: 'never' }, { initialBackoff: 1000, maxContainerRestartPeriod: 60_000 }],
  nomad: [{ mode: 'delay' }],
};
for (const definition of Object.values(restartPolicies)) {
  describe.each([{}, ...(restartVariants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of restart policies: it`,
    (params) => {
      it.each(restartRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}
for (const definition of Object.values(replicaControllers)) {
  describe.each([{}, { burstReplicas: 3 }, { slowStartInitialBatchSize: 2 }])(
    `${definition.name} %j keeps the contract of replica controllers: it`,
    (params) => {
      it.each(replicaRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}
for (const definition of Object.values(nodeEvictions)) {
  describe.each([{}, { tolerationSeconds: 90_000, nodeEvictionRate: 5 }])(
    `${definition.name} %j keeps the contract of node eviction: it`,
    (params) => {
      it.each(evictionRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}
for (const definition of Object.values(failovers)) {
  describe.each([{}, { failBelow: 0.8, recoverAbove: 0.2, failAfter: 0 }])(
    `${definition.name} %j keeps the contract of failover: it`,
    (params) => {
      it.each(failoverRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

/** An honest object whose members a test replaces. */
const overlaid = <Made extends object>(honest: Made, spoilt: Partial<Made>): Made =>
  new Proxy(honest, {
    get: (target, key) => {
      const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
      return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
    },
  });

describe('the contract of restart policies', () => {
  const found = (spoil: (policy: RestartPolicy) => Partial<RestartPolicy>): readonly string[] =>
    checkRestartPolicy((deps) => {
      const policy = kubeletRestart.make({}, deps);
      return overlaid(policy, spoil(policy));
    });

  it('notices restarts before the end, and restarts without end', () => {
    expect(found(() => ({ restartAtMs: (_, __, endedAtMs) => endedAtMs - 1 }))).toContainEqual(
      expect.stringContaining('never restarts before the end'),
    );
    expect(found(() => ({ restartAtMs: (_, __, endedAtMs) => endedAtMs }))).toContainEqual(
      expect.stringContaining('does not wear its host down'),
    );
  });

  it('notices one that never forgives', () => {
    const slow = found((policy) => ({ restartAtMs: (...args) => policy.restartAtMs(...args) + 120_000 }));
    expect(slow).toContainEqual(expect.stringContaining('restarts soon what ran well for a day'));
    expect(found(() => ({ forget: () => {} }))).toEqual([]);
    const stubborn = checkRestartPolicy((deps) => {
      const policy = kubeletRestart.make({ resetAfter: 1e12 }, deps);
      return overlaid(policy, { forget: () => {} });
    });
    expect(stubborn).toContainEqual(expect.stringContaining('after it was told to forget'));
  });

  it('notices one that mixes instances up', () => {
    const mixed = found((policy) => ({
      restartAtMs: (_, ...rest) => policy.restartAtMs(0, ...rest),
      onRestarted: (_, nowMs) => policy.onRestarted(0, nowMs),
    }));
    expect(mixed).toContainEqual(expect.stringContaining('judges every instance by itself'));
  });

  it('notices randomness that was not injected', () => {
    let calls = 0;
    const ambient = found((policy) => ({ restartAtMs: (...args) => policy.restartAtMs(...args) + calls++ }));
    expect(ambient).toContainEqual(expect.stringContaining('two policies with the same draws'));
  });
});

describe('the contract of replica controllers', () => {
  const found = (spoil: (controller: ReplicaController) => Partial<ReplicaController>): readonly string[] =>
    checkReplicaController((deps) => {
      const controller = replicaSet.make({}, deps);
      return overlaid(controller, spoil(controller));
    });
  const withHost = (change: (deps: ReplicaDeps) => ReplicaDeps): readonly string[] =>
    checkReplicaController((deps) => replicaSet.make({}, change(deps)));

  it('notices one that does not replace, or removes the wrong ones', () => {
    expect(found(() => ({ onGone: () => {} }))).toContainEqual(expect.stringContaining('replaces what is lost'));
    expect(found(() => ({ onReady: () => {} }))).toContainEqual(expect.stringContaining('which are not ready'));
  });

  it('notices one that asks twice for everything', () => {
    const twofold = withHost(({ host }) => ({
      host: {
        remove: (replica, nowMs) => host.remove(replica, nowMs),
        create: (nowMs) => {
          host.create(nowMs);
          host.create(nowMs);
        },
      },
    }));
    expect(twofold).toContainEqual(expect.stringContaining('never goes beyond'));
  });

  it('notices one that presses, and one that gives up', () => {
    const pressing = checkReplicaController((deps) => replicaSet.make({ retryMaxDelay: 5 }, deps));
    expect(pressing).toContainEqual(expect.stringContaining('ten minutes of refusals'));
    expect(found(() => ({ nextTimerMs: () => Infinity }))).toContainEqual(
      expect.stringContaining('has 0 replicas, expected 100'),
    );
  });

  it('notices one that wants to be woken again and again', () => {
    expect(found(() => ({ nextTimerMs: () => 1000 }))).toContainEqual(expect.stringContaining('again, at 1000'));
  });
});

describe('the contract of node eviction', () => {
  const found = (spoil: (policy: NodeEviction) => Partial<NodeEviction>): readonly string[] =>
    checkNodeEviction((deps) => {
      const policy = nodeLifecycle.make({}, deps);
      return overlaid(policy, spoil(policy));
    });

  it('notices one that evicts nothing, or what has left or come back', () => {
    expect(found(() => ({ onTimer: () => {}, nextTimerMs: () => Infinity }))).toContainEqual(
      expect.stringContaining('gives up what is on a lost node'),
    );
    expect(found(() => ({ unplace: () => {} }))).toContainEqual(expect.stringContaining('forgets an instance that has left'));
    const grim = found((policy) => ({
      setReady: (node, isReady, nowMs) => (isReady ? undefined : policy.setReady(node, false, nowMs)),
    }));
    expect(grim).toContainEqual(expect.stringContaining('evicts nothing from a node that is back in time'));
  });

  it('notices one that ignores tolerations', () => {
    const strict = found((policy) => ({ place: (instance, node, nowMs) => policy.place(instance, node, nowMs) }));
    expect(strict).toContainEqual(expect.stringContaining('lets an instance stay that tolerates everything'));
  });

  it('notices one that empties everything when everything is silent', () => {
    const panicky = checkNodeEviction((deps) => {
      const policy = nodeLifecycle.make({}, deps);
      policy.addNode(1000, 7, 0);
      return policy;
    });
    // A node that is ready for ever, in a zone of its own, makes the others look lost and not the observer.
    expect(panicky).toContainEqual(expect.stringContaining('evicts nothing while all nodes are lost'));
  });

  it('notices one that wants to be woken again and again', () => {
    expect(found((policy) => ({ nextTimerMs: () => Math.min(30_000, policy.nextTimerMs()) }))).toContainEqual(
      expect.stringContaining('asks to be woken for times that lie ahead'),
    );
  });
});

describe('the contract of failover', () => {
  const found = (spoil: (failover: Failover) => Partial<Failover>): readonly string[] =>
    checkFailover((deps) => {
      const failover = priorityFailover.make({}, deps);
      return overlaid(failover, spoil(failover));
    });

  it('notices one that never leaves, and one that follows every change', () => {
    expect(found(() => ({ report: () => {} }))).toContainEqual(expect.stringContaining('leaves a site that is down'));
    const nervous = checkFailover((deps) => priorityFailover.make({ failAfter: 0, failBackDelay: 0 }, deps));
    expect(nervous).toContainEqual(expect.stringContaining('does not follow a site that comes and goes'));
  });

  it('notices one that goes to sites that are down, or away from sites that are well', () => {
    const blind = checkFailover((deps) => {
      const failover = priorityFailover.make({}, deps);
      return overlaid(failover, { report: (site, share, nowMs) => failover.report(site, site === 1 ? 1 : share, nowMs) });
    });
    expect(blind).toContainEqual(expect.stringContaining('leaves a site that is down for the first one that is well'));
    const restless = found((failover) => ({ report: (site, share, nowMs) => failover.report(site, 1 - share, nowMs) }));
    expect(restless).toContainEqual(expect.stringContaining('stays with the first site while it is well'));
  });

  it('notices switches that nobody is told of', () => {
    const silent = checkFailover((deps) => priorityFailover.make({}, { ...deps, sink: { switchTo: () => {} } }));
    expect(silent).toContainEqual(expect.stringContaining('tells its sink of every switch'));
  });
});
