/** The kinds of events in the simulated world: what `World.handle` switches on. 0 ends the run (engine). */
export const eventKinds = {
  arrival: 1, // a: traffic source
  slotDone: 2, // a: request, b: instance
  sharedDone: 3, // a: instance (processor sharing)
  timeout: 4, // a: lane
  requestDelivered: 5, // a: request
  responseDelivered: 6, // a: request
  requestLine: 7, // a: delay line
  responseLine: 8, // a: delay line
  window: 9,
  warmupOver: 10,
  faultBegins: 11, // a: fault, b: target
  faultEnds: 12, // a: fault, b: target
  instanceReady: 13, // a: instance, b: start count
  coldStartStep: 14, // a: instance, b: start count
  heartbeat: 15, // a: ring
  heartbeatDelivered: 16, // a: instance, b: client
  heartbeatLine: 17, // a: delay line
  detectorTimer: 18, // a: client
  balancerTimer: 19, // a: client
  probeLine: 20, // a: delay line
  probeDelivered: 21, // a: probe
  probeAnswerLine: 22, // a: delay line
  probeAnswered: 23, // a: probe
} as const;

const names = new Map<number, string>(Object.entries(eventKinds).map(([name, kind]) => [kind, name]));

/** For error reports. */
export const eventName = (kind: number): string => names.get(kind) ?? (kind === 0 ? 'stop' : `kind ${kind}`);
