/** The contract against balancers that break it. */
import { describe, expect, it } from 'vitest';
import { type Balancer, type EndpointView, NO_ENDPOINT, type Slot } from '../../../src/policies/balancing/balancer.ts';
import { checkBalancer } from '../../../src/policies/balancing/contract.ts';

/** Round robin, to be spoilt in one way each. */
class Honest implements Balancer {
  view: EndpointView | undefined;
  turn = 0;
  update(view: EndpointView): void {
    this.view = view;
  }
  pick(): Slot {
    const { view } = this;
    return view === undefined || view.count === 0 ? NO_ENDPOINT : view.members[this.turn++ % view.count];
  }
}

describe('the contract', () => {
  it('finds nothing wrong with an honest balancer', () => {
    expect(checkBalancer(() => new Honest())).toEqual([]);
  });

  it('notices picks from outside the view', () => {
    class Stale extends Honest {
      override pick(): Slot {
        return this.view!.members[this.turn++ % (this.view!.count + 1)];
      }
    }
    expect(checkBalancer(() => new Stale())).toContainEqual(expect.stringContaining('which is not in the view'));
  });

  it('notices a balancer that gives up while endpoints are there', () => {
    class Tired extends Honest {
      override pick(): Slot {
        return this.turn > 20 ? NO_ENDPOINT : super.pick();
      }
    }
    expect(checkBalancer(() => new Tired())).toContainEqual(expect.stringContaining('picked nobody out of'));
  });

  it('notices state shared between instances', () => {
    let turn = 0;
    class Shared extends Honest {
      override pick(): Slot {
        this.turn = turn++;
        return super.pick();
      }
    }
    expect(checkBalancer(() => new Shared())).toContainEqual(expect.stringContaining('two instances with the same seed'));
  });

  it('notices a balancer that writes into the table', () => {
    class Meddler extends Honest {
      override pick(): Slot {
        const slot = super.pick();
        if (slot !== NO_ENDPOINT) this.view!.table.weight[slot] = 3;
        return slot;
      }
    }
    expect(checkBalancer(() => new Meddler())).toContainEqual(expect.stringContaining('changed the endpoint table'));
  });

  it('notices failures held against whoever lives in the slot next', () => {
    class Grudge extends Honest {
      readonly failures: number[] = [];
      override pick(): Slot {
        let slot = super.pick();
        for (let i = 1; i < this.view!.count && (this.failures[slot] ?? 0) > 0; i++) slot = super.pick();
        return slot;
      }
      onEnd(slot: Slot, _nowMs: number, _latencyMs: number, outcome: number): void {
        if (outcome !== 0) this.failures[slot] = 1;
      }
    }
    expect(checkBalancer(() => new Grudge())).toContainEqual(expect.stringContaining('reuse of a slot changed pick'));
  });

  it('notices a late end that is credited to the current members', () => {
    class Muddled extends Honest {
      onEnd(): void {
        this.turn++;
      }
    }
    expect(checkBalancer(() => new Muddled())).toContainEqual(
      expect.stringContaining('the late end of a removed endpoint changed'),
    );
  });
});
