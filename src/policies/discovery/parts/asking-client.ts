/** What all clients that ask a source share: one kept view, one question at a time, the next one at `askAtMs`, and a question that is given
 *  up counting as one that failed. Each client says how it asks, and what follows from an answer and from a failure. */
import type { Ms } from '../../../core/time.ts';
import type { DiscoveryClient, DiscoveryDeps, SourceFailure, SourceView } from '../discovery-client.ts';
import { KeptView } from './kept-view.ts';
import { Requester } from './requester.ts';

export abstract class AskingClient implements DiscoveryClient {
  protected readonly view: KeptView;
  protected readonly requester: Requester;
  protected askAtMs: Ms = Infinity;

  constructor(deps: DiscoveryDeps, emptyUpdates: 'keep' | 'apply') {
    this.view = new KeptView(deps, emptyUpdates);
    this.requester = new Requester(deps.host);
  }

  protected abstract ask(nowMs: Ms): void;
  protected abstract fail(nowMs: Ms): void;
  abstract onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void;

  start(nowMs: Ms): void {
    this.view.start(nowMs);
    this.ask(nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.askAtMs, this.requester.deadlineMs);
  }

  onTimer(nowMs: Ms): void {
    if (this.requester.expire(nowMs)) this.fail(nowMs);
    else if (nowMs >= this.askAtMs) this.ask(nowMs);
  }

  ageMs(nowMs: Ms): Ms {
    return this.view.ageMs(nowMs);
  }

  isStale(): boolean {
    return this.view.isStale;
  }
}
