import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SlotTimers } from '../../../../src/policies/detection/checks/parts/slot-timers.ts';

it('takes timers in order of time, equal times in the order they were set, as a sorted list does', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'set', 'clear', 'take'),
    slot: fc.nat({ max: 40 }),
    atMs: fc.nat({ max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const timers = new SlotTimers();
      let list: { slot: number; atMs: number }[] = [];
      for (const { kind, slot, atMs } of steps) {
        const first = list.toSorted((a, b) => a.atMs - b.atMs)[0];
        expect(timers.nextMs()).toBe(first?.atMs ?? Infinity);
        if (first !== undefined) expect(timers.first()).toBe(first.slot);
        const gone = kind === 'take' ? first?.slot : slot;
        list = list.filter((timer) => timer.slot !== gone);
        if (kind === 'set') {
          timers.set(slot, atMs);
          list.push({ slot, atMs });
        } else if (gone !== undefined) timers.clear(gone);
      }
    }),
    { numRuns: 300, seed: 11 },
  );
});
