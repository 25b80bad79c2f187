/** Waits for a bus: for a state of its link, for a publish, for the close. */
import { filter, firstValueFrom } from 'rxjs';
import type { Bus, BusLink, BusPublish } from '../../src/bus/bus.js';

/** Waits until the link is in the wanted state; `reason` is a pattern. */
export function untilLink(
  bus: Bus,
  wanted: { readonly state: 'online' } | { readonly state: 'offline'; readonly reason: RegExp },
): Promise<BusLink> {
  return firstValueFrom(
    bus.link$.pipe(
      filter((link) => {
        if (link.state === 'online' || wanted.state === 'online') return link.state === wanted.state;
        return wanted.reason.test(link.reason);
      }),
    ),
  );
}

/** Publishes a message; resolves with the error, or with `undefined`. */
export function publishAndWait(bus: Bus, message: BusPublish): Promise<Error | undefined> {
  return new Promise((resolve) => bus.publish(message, resolve));
}

/** Closes a bus; resolves when it has closed. */
export function closeBus(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.close(resolve));
}
