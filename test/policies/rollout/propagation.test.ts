/** Every agent against its contract, the contract against agents that break it, a tree of distributors, and xDS. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agentRules, PropagationTrial } from '../../../src/policies/rollout/propagation/contract.ts';
import {
  agents,
  checkAgent,
  type ConfigAgent,
  type ConfigUpdate,
  Distributor,
  makeBeforeBreak,
  pollAgent,
  pushAndPollAgent,
  SotwClient,
  SotwServer,
} from '../../../src/policies/rollout/propagation/index.ts';
import { testRng } from '../fixtures.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  poll: [{ interval: 10_000, jitter: 0 }, { cacheOnDisk: false }],
  push: [{ retryInitialDelay: 5000 }, { cacheOnDisk: false }],
  'push-and-poll': [{ interval: 30_000 }],
};
for (const definition of Object.values(agents)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of agents: it`,
    (params) => {
      it.each(agentRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

describe('the contract of agents', () => {
  const found = (spoil: (agent: ConfigAgent) => Partial<ConfigAgent>): readonly string[] =>
    checkAgent((deps) => {
      const agent = pushAndPollAgent.make({}, deps);
      const spoilt = spoil(agent);
      return new Proxy(agent, {
        get: (target, key) => {
          const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
          return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
        },
      });
    });

  it('notices agents that take nothing, and such that forget', () => {
    expect(found(() => ({ onMessage: () => {} })).join()).toContain('comes to have every change');
    expect(found(() => ({ active: undefined })).join()).toContain('keeps what it has');
  });

  it('notices agents that never ask', () => {
    expect(found(() => ({ start: () => {} })).join()).toContain('comes to have every change');
  });
});

describe('propagation', () => {
  it('converges whatever the order and the losses, once messages get through again', () => {
    const changes = fc.array(fc.record({ afterMs: fc.nat(30_000), loss: fc.constantFrom(0, 0.3, 0.9) }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 10_000 }), (list, seed) => {
        const trial = new PropagationTrial((deps) => pushAndPollAgent.make({}, deps), 4, seed);
        list.forEach(({ afterMs, loss }, at) => {
          trial.lossShare = loss;
          trial.publish(at + 1);
          trial.run(afterMs);
        });
        trial.lossShare = 0;
        trial.run(900_000);
        expect(trial.expectAll(list.length)).toEqual([]);
        expect([...trial.distributor.versions.values()]).toEqual([1, 2, 3, 4].map(() => list.length));
      }),
      { numRuns: 40 },
    );
  });

  it('goes down a tree, and a branch that is cut off keeps what it had', () => {
    const update = (version: number): ConfigUpdate => ({ version, digest: `d${version}`, content: '' });
    const applied: string[] = [];
    let isCut = false;
    const hosts = new Map<string, ConfigAgent>();
    const leaf = new Distributor({
      send: (child, message, nowMs) => hosts.get(child)!.onMessage(message, nowMs),
    });
    const root = new Distributor({
      send: (_, message, nowMs) => {
        if (!isCut && message.kind === 'update') leaf.publish(message.update, nowMs);
      },
    });
    root.onMessage('leaf', { kind: 'subscribe', have: 0 }, 0);
    for (const name of ['a', 'b']) {
      const agent = pushAndPollAgent.make(
        {},
        {
          rng: testRng(1),
          host: {
            send: (message, nowMs) => leaf.onMessage(name, message, nowMs),
            apply: ({ version }) => void applied.push(`${name}${version}`),
          },
        },
      );
      hosts.set(name, agent);
      agent.start(0);
    }
    root.publish(update(1), 1);
    isCut = true;
    root.publish(update(2), 2);
    expect(applied).toEqual(['a1', 'b1']);
    isCut = false;
    // The leaf did not acknowledge, so it is sent again.
    root.onTimer(20_000);
    expect(applied).toEqual(['a1', 'b1', 'a2', 'b2']);
    expect([...leaf.versions]).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });

  it('spreads a change over time where pushes have a rate', () => {
    const sentMs: number[] = [];
    const distributor = new Distributor({
      send: (_, { kind }, nowMs) => kind === 'update' && sentMs.push(nowMs),
      pushesPerSecond: 10,
    });
    for (let child = 0; child < 5; child++) distributor.onMessage(String(child), { kind: 'subscribe', have: 0 }, 0);
    distributor.publish({ version: 1, digest: '', content: '' }, 0);
    for (let nowMs = 0; nowMs <= 1000; nowMs += 50) distributor.onTimer(nowMs);
    expect(sentMs).toEqual([0, 100, 200, 300, 400]);
  });

  it('asks at different moments, although all hosts started at once', () => {
    const askedMs = Array.from({ length: 50 }, (_, seed) => {
      const agent = pollAgent.make({}, { rng: testRng(seed + 1), host: { send: () => {}, apply: () => undefined } });
      agent.start(0);
      return agent.nextTimerMs();
    });
    expect(new Set(askedMs).size).toBe(50);
    expect(Math.min(...askedMs)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...askedMs)).toBeLessThanOrEqual(60_000);
  });
});

describe('xDS', () => {
  it('starts nonces anew with a stream, and keeps the version', () => {
    const client = new SotwClient<string>({ validate: () => undefined });
    const server = new SotwServer<string>();
    expect(server.onRequest(client.connect(0, ['a']))).toEqual({ kind: 'subscribed', resourceNames: ['a'] });
    expect(server.onRequest(client.onResponse(server.respond('7', 'x'), 1))).toEqual({ kind: 'acked', version: '7' });
    server.disconnect();
    expect(client.connect(2)).toEqual({ versionInfo: '7', responseNonce: '', resourceNames: ['a'] });
    expect(server.onRequest(client.connect(3)).kind).toBe('subscribed');
    expect(server.versionInUse).toBe('7');
    expect(server.isNews('7')).toBe(false);
    expect(server.isNews('8')).toBe(true);
  });

  it('says of a refusal what is wrong, and does not send the same again', () => {
    const client = new SotwClient<string>({ validate: (text) => (text === 'bad' ? 'is bad' : undefined) });
    const server = new SotwServer<string>();
    server.onRequest(client.connect(0));
    server.onRequest(client.onResponse(server.respond('1', 'good'), 0));
    const refusal = server.onRequest(client.onResponse(server.respond('2', 'bad'), 0));
    expect(refusal).toEqual({ kind: 'nacked', version: '2', error: 'is bad' });
    expect(client.active).toBe('good');
    expect(server.versionInUse).toBe('1');
    expect(server.isNews('2')).toBe(false);
  });

  it('never points at what is not there, at any moment of an update', () => {
    const names = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd'), { minLength: 1 });
    const config = names.chain((clusters) =>
      fc.record({
        clusters: fc.constant(clusters),
        routes: fc.dictionary(fc.constantFrom('r', 's'), fc.constantFrom(...clusters)),
      }),
    );
    fc.assert(
      fc.property(config, config, (before, after) => {
        let clusters = new Set<string>(before.clusters);
        const endpoints = new Set(before.clusters);
        const routes = new Map(Object.entries(before.routes));
        for (const step of makeBeforeBreak(before, after)) {
          if (step.type === 'CDS') clusters = new Set(step.names);
          if (step.type === 'EDS') for (const name of step.names) endpoints.add(name);
          if ('changes' in step)
            for (const { name, to } of step.changes) void (to === undefined ? routes.delete(name) : routes.set(name, to));
          for (const cluster of routes.values()) expect(clusters.has(cluster) && endpoints.has(cluster)).toBe(true);
        }
        expect([...clusters].sort()).toEqual([...after.clusters].sort());
        expect(Object.fromEntries(routes)).toEqual({ ...after.routes });
      }),
    );
  });
});
