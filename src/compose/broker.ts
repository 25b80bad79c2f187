/**
 * Sets up the embedded broker: the one place outside broker/ that starts it. Loaded only by commands that run a broker.
 */
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import type { BrokerEvent } from '../../broker/event.js';
import { checkStateFormat } from '../journal/state-format.js';
import { readVersion } from './machine-info.js';

export type { BrokerEvent, RunningBroker };

/** What users can set for the broker. */
export interface BrokerChoice {
  readonly base: string;
  /** State directory of the node or broker; retained messages are stored below it. */
  readonly stateDir: string;
  /** Address to listen on; 127.0.0.1 by default. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly wsPort?: number | undefined;
  /** File of users, see `tritmesh broker passwd`. */
  readonly passwordFile?: string | undefined;
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined;
}

/** Starts the broker. Rejects as {@link createBroker} does, and with StateFormatError. */
export async function composeBroker({ stateDir, ...options }: BrokerChoice): Promise<RunningBroker> {
  // Before the store is opened: with `tritmesh up` it is in the state directory of the node.
  checkStateFormat(stateDir, await readVersion());
  return createBroker({ ...options, stateDir: `${stateDir}/broker` });
}

/** File in which `tritmesh broker passwd` keeps users unless another one is named. */
export function findUsersFile(stateDir: string): string {
  return `${stateDir}/broker-users`;
}

/** Adds a user to a password file, or changes its password and role. */
export async function setUser(path: string, user: string, password: string, isOperator: boolean): Promise<void> {
  const { addUser } = await import('../../broker/password-file.js');
  await addUser(path, user, password, isOperator);
}

/** Removes a user; false when there was no such user. */
export async function dropUser(path: string, user: string): Promise<boolean> {
  const { removeUser } = await import('../../broker/password-file.js');
  return removeUser(path, user);
}
