/**
 * The node's bus with the local socket next to it: everything that the node publishes also goes to the programs of this
 * machine, whether or not the broker is there. Nothing else changes.
 */
import type { Bus } from '../../bus/bus.js';
import type { LocalDoor } from '../../bus/local-door.js';

/** Creates the mirrored bus; without a local socket it is the bus itself. */
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
