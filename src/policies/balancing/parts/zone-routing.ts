/** Envoy's zone-aware routing: keep requests in their own zone as far as its share of endpoints allows, and spread the rest over zones with
 *  room to spare. All shares are whole numbers of ten-thousandths. */

export interface ZoneRouting {
  /** Everything stays, or a part does. */
  readonly mode: 'direct' | 'residual';
  /** Shares of clients and of endpoints by zone; the own zone first. */
  readonly percentages: readonly { readonly local: number; readonly upstream: number }[];
  readonly localPercentToRoute: number;
  /** Room to spare, added up along the zones. */
  readonly residualCapacity: readonly number[];
}

/** Numbers of clients and endpoints by zone, the own zone first. */
export function zoneRouting(clients: readonly number[], endpoints: readonly number[], allClients = sum(clients)): ZoneRouting {
  const allEndpoints = sum(endpoints);
  const percentages = endpoints.map((count, zone) => ({
    local: allClients === 0 ? 0 : Math.floor((WHOLE * (clients[zone] ?? 0)) / allClients),
    upstream: allEndpoints === 0 ? 0 : Math.floor((WHOLE * count) / allEndpoints),
  }));
  const [own] = percentages;
  if (own.upstream >= own.local && own.upstream > 0)
    return { mode: 'direct', percentages, localPercentToRoute: WHOLE, residualCapacity: [] };
  let room = 0;
  const residualCapacity = percentages.map(
    ({ local, upstream }, zone) => (room += zone === 0 ? 0 : Math.max(0, upstream - local)),
  );
  const localPercentToRoute = own.local === 0 ? 0 : Math.floor((own.upstream * WHOLE) / own.local);
  return { mode: 'residual', percentages, localPercentToRoute, residualCapacity };
}

/** The zone for a request; the draws are asked for as they are needed. */
export function chooseZone({ mode, localPercentToRoute, residualCapacity }: ZoneRouting, below: (n: number) => number): number {
  if (mode === 'direct' || below(WHOLE) < localPercentToRoute) return 0;
  const room = residualCapacity[residualCapacity.length - 1];
  // Rounding may leave no room anywhere.
  if (room === 0) return below(residualCapacity.length);
  const draw = below(room);
  let zone = 0;
  while (draw >= residualCapacity[zone]) zone++;
  return zone;
}

const WHOLE = 10_000;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
