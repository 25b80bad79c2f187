/** What commands say while the broker is away: that it is, why, and what they go on with. */
import { distinctUntilChanged, filter, type Subscription } from 'rxjs';
import type { Absence, Client } from '../compose-client.js';
import type { Context } from './context.js';

/** Says on stderr when the broker is not there, once each time that it goes, for a command that goes on without it. */
export function tellAbsence(context: Context, client: Pick<Client, 'absence$'>): Subscription {
  return client.absence$
    .pipe(
      distinctUntilChanged((one, other) => one?.hasNode === other?.hasNode),
      filter((absence) => absence !== undefined),
    )
    .subscribe((absence) => context.say(`${absence.reason}; still trying${describeRest(context, absence)}`));
}

function describeRest({ config }: Context, { hasNode, nodeBroker }: Absence): string {
  if (!hasNode) return '';
  return nodeBroker === undefined
    ? `, ${config.id} goes on alone meanwhile`
    : `; ${describeElsewhere(config.id, nodeBroker)}`;
}

/** Says on stderr that what is shown comes from the own node and from nobody else. */
export function tellNarrow(context: Context, absence: Absence | undefined): void {
  if (absence === undefined) return;
  const { id } = context.config;
  const elsewhere = absence.nodeBroker === undefined ? '' : `; ${describeElsewhere(id, absence.nodeBroker)}`;
  context.say(
    `the broker is away (${absence.reason}): shown is what ${id} says of itself, and no other node${elsewhere}`,
  );
}

function describeElsewhere(id: string, broker: string): string {
  return `${id} is at ${broker}: name that one with --broker or TRITMESH_BROKER, or once and for all with "tritmesh join"`;
}
