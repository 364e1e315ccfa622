/** How the instances of one service work through their requests: one implementation per kind of discipline. */

export interface Station {
  /** Takes the request in, or returns false: no place left. */
  arrive(request: number, instance: number): boolean;
  /** A completion event of this station fired; `subject` is what the event carries as `a`. */
  complete(subject: number, instance: number): void;
  /** A request that has been here comes back for more work, whatever the limit. */
  again(request: number, instance: number): void;
  /** A request that kept its slot while it waited for others leaves. */
  leave(request: number, instance: number): void;
  /** Takes a request out whose client has given up. */
  abandon(request: number, instance: number): void;
  /** Work done per ms from now on; 0 freezes the instance. */
  setSpeed(instance: number, speed: number): void;
  /** Cores that those at work share from now on; no request uses more than one. */
  setCores(instance: number, cores: number): void;
  /** How long a request of this much work would take if it came now and nothing else did; Infinity if it would be refused or
   *  the instance stands still. Linear in the requests: for explanations, not for requests. */
  timeToFinish(instance: number, workMs: number): number;
  /** Takes every request out, in a fixed order: the instance crashed. */
  clear(instance: number, lose: (request: number) => void): void;
}

/** What a station tells the world. */
export interface StationHost {
  /** Work on the request begins on arrival, or now after having waited since `sinceMs`. */
  startedAtOnce(request: number): void;
  startedAfterWait(request: number): void;
  /** The request is done; the instance has already gone on to the next. */
  served(request: number, instance: number): void;
  /** The request's work is done and it keeps its slot: only where requests wait for others that way. */
  worked(request: number, instance: number): void;
  /** The queue gave the request up, and it is out. */
  dropped(request: number, instance: number): void;
}
