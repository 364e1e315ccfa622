/** The kinds of events in the simulated world: what `World.handle` switches on. 0 ends the run (engine), 31 is the last there is room for. */
export const eventKinds = {
  arrival: 1, // a: traffic source
  slotDone: 2, // a: request, b: instance
  sharedDone: 3, // a: instance (processor sharing)
  timeout: 4, // a: lane
  requestDelivered: 5, // a: attempt
  responseDelivered: 6, // a: attempt
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
  controlTimer: 18, // a, b: as in `controlTimers`
  balancerTimer: 19, // a: client
  probeLine: 20, // a: delay line
  probeDelivered: 21, // a: probe
  probeAnswerLine: 22, // a: delay line
  probeAnswered: 23, // a: probe
  attemptTimeout: 24, // a: lane
  deadline: 25, // a: request
  next: 26, // a: request: a back-off is over, a hedge is due, a fallback's answer is there
  passage: 27, // a: attempt, b: where it goes on (`passages` of the transport)
  connected: 28, // a: client, b: token of its connections
  cacheAnswer: 29, // a: row of the call, b: 1 if its fetcher has gone and it looks again
  userWakes: 30, // a: traffic source, b: user
  visibility: 31, // a: lane of a message queue
} as const;

/** What a timer of the control plane is for: the event's b, with the meaning of its a. */
export const controlTimers = {
  detector: 0, // client
  checker: 1, // client
  outlier: 2, // client
  discovery: 3, // client
  checkTimeout: 4, // row of the check
  renewal: 5, // instance
  registry: 6, // service
  query: 7, // query
  answer: 8, // query
  letter: 9, // message of a gossip group
  member: 10, // member of a gossip group
  kill: 11, // instance
  drained: 12, // instance
  errand: 13, // errand of the orchestrator
  failover: 14, // client
} as const;

const names = new Map<number, string>(Object.entries(eventKinds).map(([name, kind]) => [kind, name]));

/** For error reports. */
export const eventName = (kind: number): string => names.get(kind) ?? (kind === 0 ? 'stop' : `kind ${kind}`);
