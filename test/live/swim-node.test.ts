/** A group that watches itself over real sockets: who joins is known to all, who is killed is noticed by all. Periods are short and nothing
 *  is said of when things happen, only that they do. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, SwimNode, type SwimNodeOptions } from '../../src/live/index.ts';
import { Directory } from '../../src/live/directory.ts';
import { letterOf, readLetter } from '../../src/live/swim-letters.ts';
import type { SwimMessage } from '../../src/policies/detection/swim/messages.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { Backends } from './backends.ts';
import { until } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

const quick = {
  use: 'swim',
  probeInterval: 60,
  probeTimeout: 30,
  gossipInterval: 20,
  suspicionMult: 2,
  suspicionMaxTimeoutMult: 1,
};
const open = async (options: SwimNodeOptions = {}): Promise<SwimNode> =>
  backends.keep(await SwimNode.open({ membership: quick, ...options }));

const statusOf = (node: SwimNode, address: string): string | undefined =>
  node.members().find((member) => member.address === address)?.status;

async function group(size: number): Promise<readonly SwimNode[]> {
  const nodes = await Promise.all(Array.from({ length: size }, () => open()));
  for (const node of nodes.slice(1)) node.join(nodes[0].address);
  await until(() => nodes.every((node) => nodes.every(({ address }) => statusOf(node, address) === 'alive')));
  return nodes;
}

describe('a group of three', () => {
  test('notices when one is killed, and knows it again when it is back', async () => {
    const [one, two, three] = await group(3);
    const believed: string[] = [];
    one.onBelief((member, isAlive) => believed.push(`one ${member === three.address} ${isAlive}`));
    two.onBelief((member, isAlive) => believed.push(`two ${member === three.address} ${isAlive}`));
    const port = Number(three.address.split(':')[1]);
    await three.close();
    await until(() => believed.includes('one true false') && believed.includes('two true false'));
    // Somebody slow to answer may be suspected meanwhile; it defends itself.
    await until(() => statusOf(one, two.address) === 'alive' && statusOf(two, one.address) === 'alive');
    const again = await open({ port });
    expect(again.address).toBe(three.address);
    again.join(one.address);
    await until(() => statusOf(one, three.address) === 'alive' && statusOf(two, three.address) === 'alive');
  });

  test('is told by whoever leaves', async () => {
    const [one, two, three] = await group(3);
    await three.leave(200);
    await until(() => statusOf(one, three.address) === 'left' && statusOf(two, three.address) === 'left');
  });
});

test('what a member of the group believes keeps requests from an endpoint', async () => {
  const [one, two] = await group(2);
  const proxy = backends.keep(createProxy({ endpoints: ['http://a', 'http://b'], balancer: inTurn }));
  one.onBelief((member, isAlive) => proxy.suspect(member === two.address ? 'http://a' : 'http://b', !isAlive));
  expect(proxy.healthyShare).toBe(1);
  await two.close();
  await until(() => proxy.healthyShare === 0.5);
});

describe('letters', () => {
  const messages: readonly SwimMessage[] = [
    {
      type: 'ping',
      sequence: 3,
      target: 1,
      isReliable: false,
      updates: [{ kind: 'suspect', member: 2, incarnation: 5, from: 0 }],
    },
    { type: 'indirect-ping', sequence: 4, target: 2, updates: [] },
    { type: 'ack', sequence: 4, updates: [{ kind: 'alive', member: 0, incarnation: 1, from: 0 }] },
    { type: 'nack', sequence: 4, updates: [] },
    { type: 'gossip', updates: [{ kind: 'dead', member: 1, incarnation: 2, from: 1 }] },
    { type: 'push-pull', isReply: true, members: [{ member: 1, incarnation: 7, status: 'left' }], updates: [] },
  ];
  test('mean the same to a reader with other numbers', () => {
    const [here, there] = [new Directory(), new Directory()];
    for (const address of ['h:1', 'h:2', 'h:3']) here.numberOf(address);
    // The reader knows the third first: 2 is 0, and what comes later counts on.
    there.numberOf('h:3');
    for (const message of messages) {
      const text = letterOf('h:1', message, here);
      const { from, message: read } = readLetter(text, there)!;
      expect(there.addressOf(from)).toBe('h:1');
      expect(JSON.parse(letterOf('h:1', read, there))).toEqual(JSON.parse(text));
      expect(JSON.parse(text).message.type).toBe(message.type);
    }
    expect(there.numberOf('h:3')).toBe(0);
  });

  test('that are none are nobody’s', () => {
    const good = { from: 'h:1', message: { type: 'ack', sequence: 1, updates: [] } };
    expect(readLetter(JSON.stringify(good), new Directory())).toBeDefined();
    const bad = [
      'nonsense',
      'null',
      { ...good, from: 'h:99999' },
      { from: 'h:1' },
      ...[
        { type: 'ack', sequence: 'x', updates: [] },
        { type: 'ack', sequence: 1 },
        { type: 'ack', sequence: 1, updates: [{ kind: 'alive', member: 'h', incarnation: 1, from: 'h:1' }] },
        { type: 'ping', sequence: 1, target: 5, isReliable: true, updates: [] },
        { type: 'ping', sequence: 1, target: 'h:5', updates: [] },
        { type: 'push-pull', isReply: false, members: [{ member: 'h:1', incarnation: 1, status: 'well' }], updates: [] },
        { type: 'other', updates: [] },
      ].map((message) => ({ ...good, message })),
    ].map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    for (const text of bad) expect(readLetter(text, new Directory()), text).toBeUndefined();
  });

  test('of strangers, by either way, do a member no harm', async () => {
    const [one, two] = await group(2);
    const port = Number(one.address.split(':')[1]);
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.send('{"from":"x:1","message":{}}', port, '127.0.0.1', resolve));
    socket.close();
    const connection = connect({ port, host: '127.0.0.1' });
    connection.end('nonsense');
    await once(connection, 'close');
    expect(
      one
        .members()
        .map(({ address }) => address)
        .toSorted(),
    ).toEqual([one.address, two.address].toSorted());
    expect(() => one.join('nowhere')).toThrow('is no address');
  });
});
