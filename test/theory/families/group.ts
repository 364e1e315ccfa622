/** Group membership by probing: false alarms of the prober when messages are lost, and the formulas of SWIM and Lifeguard. */
import { Streams } from '../../../src/core/streams.ts';
import {
  firstDetectionMs,
  remainingSuspicionMs,
  retransmitLimit,
  suspicionTerms,
  worstDetectionPeriods,
} from '../../../src/policies/detection/swim/index.ts';
import type { Member } from '../../../src/policies/detection/swim/member-list.ts';
import { Prober } from '../../../src/policies/detection/swim/prober.ts';
import { type Case, numberOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { type Adapter, type Adapters, type Effort } from '../trial.ts';

const PROBES = 1_000_000;
const timing = { probeInterval: 1000, probeTimeout: 500, nackAfter: 0.8 };
/** Messages there and back: of a ping, and of a ping through somebody else. */
const DIRECT = 2;
const INDIRECT = 4;

/** Every message is lost with the same probability, and the reliable connection that memberlist tries as well does not exist in SWIM. */
function falseSuspicions({ id, params }: Case, { seed }: Effort): Record<string, Observation> {
  const [helpers, loss] = ['k_indirect', 'loss_per_message'].map((key) => numberOf(params, key));
  const rng = new Streams(`${seed} ${id}`).stream('loss');
  const arrive = (messages: number): boolean => {
    for (let k = 0; k < messages; k++) if (rng.next() < loss) return false;
    return true;
  };
  let suspicions = 0;
  let nowMs = 0;
  let acked = 0;
  const prober = new Prober(timing, {
    sendPing: (_target, sequence) => void (acked = arrive(DIRECT) ? sequence : acked),
    sendReliablePing: () => {},
    askOthers: (_target, sequence) => {
      for (let k = 0; k < helpers; k++) if (arrive(INDIRECT)) acked = sequence;
      return helpers;
    },
    forwardPing: () => {},
    sendAck: () => {},
    sendNack: () => {},
    onVerdict: (_target, isAlive) => void (suspicions += isAlive ? 0 : 1),
  });
  for (let probe = 0; probe < PROBES; probe++) {
    acked = 0;
    prober.start(target, 0, nowMs);
    while (prober.isBusy) {
      if (acked !== 0) prober.onAck(acked, nowMs);
      else prober.onTimer((nowMs = prober.nextTimerMs()));
    }
  }
  // Where none was seen, nothing can be said.
  if (suspicions === 0) return {};
  const value = suspicions / PROBES;
  return { false_suspicion_prob_per_probe: { value, se: Math.sqrt((value * (1 - value)) / PROBES) } };
}

/** The prober only hands it on. */
const target = {} as Member;

const randomProbe: Adapter = ({ params }) => {
  const members = numberOf(params, 'N');
  return [
    {
      answers: {
        mean_periods_to_first_probe: { value: firstDetectionMs(members, 1) },
        // The others are what goes round in a member's list.
        round_robin_worst_case_periods: { value: worstDetectionPeriods(members - 1) },
      },
    },
  ];
};

const SECOND_MS = 1000;

const memberlist: Adapter = ({ params }) => {
  const [members, mult, interval, maxMult] = ['N', 'suspicion_mult', 'probe_interval', 'max_mult'].map((key) =>
    numberOf(params, key),
  );
  const { minMs, maxMs } = suspicionTerms(members, mult, maxMult, interval * SECOND_MS);
  return [
    {
      answers: {
        min_s: { value: minMs / SECOND_MS },
        max_s: { value: maxMs / SECOND_MS },
        retransmits: { value: retransmitLimit(mult, members) },
      },
    },
  ];
};

/** Fine units, so that memberlist's cut to whole ones, which the paper does not make, cannot be seen; where the case has it, its answers are
 *  whole seconds. */
const FINE = 1e9;

const lifeguard: Adapter = ({ params }) => {
  const [confirmed, min, max] = ['confirmations', 'min', 'max'].map((key) => numberOf(params, key));
  const wanted = numberOf(params, 'K' in params ? 'K' : 'k');
  const elapsed = 'elapsed' in params ? numberOf(params, 'elapsed') : 0;
  const value = remainingSuspicionMs(confirmed, wanted, elapsed * FINE, min * FINE, max * FINE) / FINE;
  return [{ answers: { timeout_s: { value }, remaining_s: { value } } }];
};

export const group: Adapters = {
  'SWIM random probe': randomProbe,
  'SWIM false suspicion per probe': (each, effort) => [{ answers: async () => falseSuspicions(each, effort) }],
  'memberlist suspicion timeout': memberlist,
  'Lifeguard suspicion timeout': lifeguard,
};
