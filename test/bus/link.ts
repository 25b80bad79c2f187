/** Waiting for a bus: until its link is in a state, and until it has closed. */
import { filter, firstValueFrom } from 'rxjs';
import type { Bus, BusLink, BusPublish } from '../../src/bus/bus.js';

/** Waits until the link is as wanted; a `reason` is a pattern here. */
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

/** Publishes; resolves to the error, or to `undefined`. */
export function say(bus: Bus, message: BusPublish): Promise<Error | undefined> {
  return new Promise((resolve) => bus.publish(message, resolve));
}

/** Closes and waits. */
export function closeBus(bus: Bus): Promise<void> {
  return new Promise((resolve) => bus.close(resolve));
}
