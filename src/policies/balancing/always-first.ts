/** Always the first endpoint: a control that is meant to be bad.
 *
 *  Put it in a comparison to see that the experiment can tell good from bad. With one endpoint it is as good as any. */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

export const alwaysFirst = defineBalancer({
  name: 'always-first',
  summary: 'Picks the first endpoint, always: a bad control.',
  useWhen: 'An experiment must prove that it can tell good from bad.',
  failsWhen: 'There is more load than one endpoint can carry.',
  cost: 'O(1)',
  sources: [],
  aliases: [],
  params: {},
  create: () => new AlwaysFirst(),
});

class AlwaysFirst implements Balancer {
  #first: Slot = NO_ENDPOINT;

  update(view: EndpointView): void {
    this.#first = view.count === 0 ? NO_ENDPOINT : view.members[0];
  }

  pick(): Slot {
    return this.#first;
  }
}
