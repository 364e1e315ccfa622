/** The discrete-event kernel. */
export { Calendar, NO_EVENT, type EventHandle } from './calendar.ts';
export { DelayLine } from './delay-line.ts';
export { defaultLimits, Engine, type EngineLimits, type EventHandler, priorities, STOP } from './engine.ts';
export { EventTrace } from './event-trace.ts';
export { TimerLanes } from './timer-lanes.ts';
