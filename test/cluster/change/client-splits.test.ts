/** A client's part of the router, whatever configuration it has. */
import { beforeEach, expect, test } from 'vitest';
import { Streams } from '../../../src/core/streams.ts';
import { groups, SplitClient } from './split-bench.ts';

let client: SplitClient;
beforeEach(() => {
  client = new SplitClient({ time: 0 }, new Streams('splits'));
});

test('everybody gets some before anything is divided', () => {
  expect(Array.from({ length: 4 }, () => client.pick())).toEqual([0, 1, 2, 3]);
});

test('shares are met, whatever the number of instances', () => {
  client.splits.setShares({ v1: 90, v2: 10 }, undefined);
  // Four standard deviations.
  expect(Math.abs(client.share() - 0.1)).toBeLessThan(0.019);
  client.splits.setShares({ v1: 100 }, undefined);
  expect(client.share(200)).toBe(0);
  client.splits.setShares({ v2: 100 }, undefined);
  expect(client.share(200)).toBe(1);
});

test('nothing spills over to whoever has a share and nobody there', () => {
  client.splits.setShares({ v3: 100 }, undefined);
  expect(client.version()).toBe('');
});

test('an instance in another group gets what that group gets', () => {
  client.splits.setShares({ v2: 100 }, undefined);
  client.splits.setGroup(2, 'v1');
  expect(new Set(Array.from({ length: 10 }, () => client.pick()))).toEqual(new Set([3]));
});

test('a later configuration divides as the client does, and so does the one before it', () => {
  client.splits.setShares({ v1: 100 }, undefined);
  client.splits.setGroup(1, 'v2');
  client.configure();
  expect(new Set(Array.from({ length: 10 }, () => client.pick()))).toEqual(new Set([0]));
  client.splits.setShares({ v2: 100 }, undefined);
  for (const configuration of [0, 1]) {
    const picked = new Set(Array.from({ length: 30 }, () => client.pick(-1, configuration)));
    expect(picked, `${configuration}`).toEqual(new Set([1, 2, 3]));
  }
  expect(groups[1]).toBe('v1');
});

test('draws of configurations and of clients have nothing to do with each other', () => {
  const other = new SplitClient({ time: 0 }, client.streams, 1);
  client.configure();
  for (const each of [client, other]) each.splits.setShares({ v1: 50, v2: 50 }, undefined);
  const drawn = (whose: SplitClient, configuration: number): string =>
    Array.from({ length: 64 }, () => whose.version(-1, configuration)).join('');
  expect(new Set([drawn(client, 0), drawn(client, 1), drawn(other, 0)]).size).toBe(3);
  const again = new SplitClient({ time: 0 }, new Streams('splits'));
  const same = new SplitClient({ time: 0 }, new Streams('splits'));
  for (const each of [again, same]) each.splits.setShares({ v1: 50, v2: 50 }, undefined);
  expect(drawn(again, 0)).toBe(drawn(same, 0));
});
