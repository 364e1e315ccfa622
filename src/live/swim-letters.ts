/** What members of a SWIM group say to each other, as text: members have numbers of their own in each process, and addresses between them. */
import type { MemberRecord, MemberStatus, SwimMessage, Update } from '../policies/detection/swim/messages.ts';
import { addressIn } from './address.ts';
import type { Directory } from './directory.ts';

export interface SwimLetter {
  /** The sender's number here. */
  readonly from: number;
  readonly message: SwimMessage;
}

export const letterOf = (self: string, message: SwimMessage, directory: Directory): string =>
  JSON.stringify({ from: self, message: renamed(message, (member) => directory.addressOf(member as number)) });

/** Undefined for what is no letter. */
export function readLetter(text: string, directory: Directory): SwimLetter | undefined {
  const letter = parsed(text);
  if (!isObject(letter) || !isAddress(letter.from) || !isMessage(letter.message)) return undefined;
  const message = renamed(letter.message, (address) => directory.numberOf(address as string)) as SwimMessage;
  return { from: directory.numberOf(letter.from), message };
}

/** The same message with other names for its members. */
function renamed(message: object, nameOf: (member: unknown) => unknown): object {
  const { updates, target, members } = message as {
    readonly updates: readonly Update[];
    readonly target?: unknown;
    readonly members?: readonly MemberRecord[];
  };
  return {
    ...message,
    updates: updates.map((update) => ({ ...update, member: nameOf(update.member), from: nameOf(update.from) })),
    ...(target === undefined ? {} : { target: nameOf(target) }),
    ...(members === undefined ? {} : { members: members.map((each) => ({ ...each, member: nameOf(each.member) })) }),
  };
}

function isMessage(message: unknown): message is object {
  if (!isObject(message) || !Array.isArray(message.updates) || !message.updates.every(isUpdate)) return false;
  switch (message.type) {
    case 'ping':
      return Number.isInteger(message.sequence) && isAddress(message.target) && typeof message.isReliable === 'boolean';
    case 'indirect-ping':
      return Number.isInteger(message.sequence) && isAddress(message.target);
    case 'ack':
    case 'nack':
      return Number.isInteger(message.sequence);
    case 'gossip':
      return true;
    case 'push-pull':
      return typeof message.isReply === 'boolean' && Array.isArray(message.members) && message.members.every(isRecord);
    default:
      return false;
  }
}

const isUpdate = (update: unknown): boolean =>
  isObject(update) &&
  ['alive', 'suspect', 'dead'].includes(update.kind as string) &&
  isAddress(update.member) &&
  isAddress(update.from) &&
  Number.isInteger(update.incarnation);

const statuses: readonly MemberStatus[] = ['alive', 'suspect', 'dead', 'left'];
const isRecord = (record: unknown): boolean =>
  isObject(record) &&
  isAddress(record.member) &&
  Number.isInteger(record.incarnation) &&
  (statuses as readonly unknown[]).includes(record.status);

const isAddress = (value: unknown): value is string => typeof value === 'string' && addressIn(value) !== undefined;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
