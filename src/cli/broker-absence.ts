/** The sentences that commands print while the broker is away: why it is, and how they carry on. */
import { distinctUntilChanged, filter, type Subscription } from 'rxjs';
import type { Absence, Client } from '../compose/client.js';
import type { Context } from './context.js';

/** Reports on stderr that the broker is away, once each time it goes, for a command that carries on without it. */
export function reportAbsence(context: Context, client: Pick<Client, 'absence$'>): Subscription {
  return client.absence$
    .pipe(
      distinctUntilChanged((one, other) => one?.hasNode === other?.hasNode),
      filter((absence) => absence !== undefined),
    )
    .subscribe((absence) => context.report(`${absence.reason}; still trying${describeRest(context, absence)}`));
}

function describeRest({ config }: Context, { hasNode, nodeBroker }: Absence): string {
  if (!hasNode) return '';
  return nodeBroker === undefined
    ? `, ${config.id} carries on without it`
    : `; ${describeElsewhere(config.id, nodeBroker)}`;
}

/** Reports on stderr that the output covers only this machine's node. */
export function reportNarrow(context: Context, absence: Absence | undefined): void {
  if (absence === undefined) return;
  const { id } = context.config;
  const elsewhere = absence.nodeBroker === undefined ? '' : `; ${describeElsewhere(id, absence.nodeBroker)}`;
  context.report(
    `the broker is away (${absence.reason}): the output covers ${id} only, not the other nodes${elsewhere}`,
  );
}

function describeElsewhere(id: string, broker: string): string {
  return `${id} uses the broker ${broker}: name it with --broker or TRITMESH_BROKER, or permanently with "tritmesh join"`;
}
