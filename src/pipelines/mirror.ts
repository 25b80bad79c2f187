/**
 * The node's bus with the local door beside it: whatever the node publishes is shown to the programs of this machine as
 * well, whether the broker is there or not. Nothing else changes.
 */
import type { Bus } from '../bus/bus.js';
import type { LocalDoor } from '../bus/local-door.js';

/** Makes the bus that shows what it publishes; without a door it is the bus itself. */
export function mirrorBus(bus: Bus, door: LocalDoor | undefined): Bus {
  if (door === undefined) return bus;
  return {
    ...bus,
    publish: (message, done) => {
      bus.publish(message, done);
      door.show(message);
    },
    forget: (topic) => {
      bus.forget(topic);
      door.forget(topic);
    },
  };
}
