/**
 * Reports the steps that a node takes, by name, as seen at its ports: a test or a simulation hooks into them to end the
 * node exactly there. The wrapped ports behave as before; the callback may end the node immediately.
 */
import type { BusPublish } from '../bus/bus.js';
import type { JournalChange } from '../journal/journal.js';
import { parseTopic } from '../protocol/topics.js';
import type { Direct } from '../transfer/direct.js';
import type { NodePorts } from './ports.js';

/** Called with the name of each step. */
export type OnCrashPoint = (step: string) => void;

/**
 * Wraps the ports of a node. Steps are named after who takes them:
 * - `owner:persist-<phase>`, `receiver:persist-<phase>`: before the journal writes that phase (`forgotten` when it
 *   removes the entry, `committed` when it is the commitment to a copy); `…:persisted-<phase>`: the write is safe, and
 *   nothing behind it has been done.
 * - `owner:offer`, `owner:ack`, `owner:lease-<order>`, `receiver:claim`, `receiver:progress`, `receiver:result`: before
 *   it is published; `owner:said-offer` and so on: the broker has it.
 * - `receiver:start`, `receiver:started`, `receiver:freeze`, `receiver:freezing`, `receiver:thaw`, `receiver:thawed`,
 *   `receiver:adopt`, `receiver:adopted`, `receiver:stop`, `receiver:fetch`, `receiver:fetched`, `receiver:collect`,
 *   `receiver:collected`, `receiver:share`, `receiver:remove`, `owner:stage`, `owner:staged`, `owner:share`,
 *   `owner:fetch`, `owner:fetched`, `owner:place`, `owner:placed`, `owner:remove`: before it is done, and when it is
 *   done.
 */
export function watchCrashPoints(ports: NodePorts, base: string, reach: OnCrashPoint): NodePorts {
  return {
    ...ports,
    bus: watchBus(ports.bus, base, reach),
    direct: ports.direct === undefined ? undefined : watchDirect(ports.direct, base, reach),
    journal: watchJournal(ports.journal, reach),
    runner: watchRunner(ports.runner, reach),
    transfer: watchTransfer(ports.transfer, reach),
    workspace: watchWorkspace(ports.workspace, reach),
  };
}

function watchBus(bus: NodePorts['bus'], base: string, reach: OnCrashPoint): NodePorts['bus'] {
  return {
    ...bus,
    publish: (message, done) => {
      const named = nameMessage(message, base);
      if (named === undefined) return bus.publish(message, done);
      reach(`${named.by}:${named.what}`);
      bus.publish(message, (error) => {
        if (error === undefined) reach(`${named.by}:said-${named.what}`);
        done?.(error);
      });
    },
  };
}

function watchDirect(direct: Direct, base: string, reach: OnCrashPoint): Direct {
  return {
    ...direct,
    send: (peer, message) => {
      const named = nameMessage(message, base);
      if (named !== undefined) reach(`${named.by}:${named.what}`);
      direct.send(peer, message);
      if (named !== undefined) reach(`${named.by}:said-${named.what}`);
    },
  };
}

function nameMessage(
  message: Pick<BusPublish, 'topic' | 'payload'>,
  base: string,
): { readonly by: string; readonly what: string } | undefined {
  const kind = parseTopic(base, message.topic)?.kind;
  switch (kind) {
    case 'offer':
    case 'ack':
      return { by: 'owner', what: kind };
    case 'lease':
      return { by: 'owner', what: `lease-${(JSON.parse(message.payload) as { readonly order: string }).order}` };
    case 'claim':
    case 'progress':
    case 'result':
      return { by: 'receiver', what: kind };
    default:
      return undefined;
  }
}

function watchJournal(journal: NodePorts['journal'], reach: OnCrashPoint): NodePorts['journal'] {
  return {
    ...journal,
    write: (changes, done) => {
      for (const change of changes) reach(nameWrite(change, 'persist'));
      journal.write(changes, (error) => {
        if (error === undefined) for (const change of changes) reach(nameWrite(change, 'persisted'));
        done(error);
      });
    },
  };
}

function nameWrite({ key, value }: JournalChange, verb: string): string {
  const by = key.startsWith('item/') ? 'owner' : key.startsWith('guest/') ? 'receiver' : 'node';
  const { phase = 'forgotten', order } = (value ?? {}) as { readonly phase?: string; readonly order?: string };
  return `${by}:${verb}-${order === 'continue' ? 'committed' : phase}`;
}

function watchRunner(runner: NodePorts['runner'], reach: OnCrashPoint): NodePorts['runner'] {
  return {
    ...runner,
    start: (order) => {
      reach('receiver:start');
      runner.start(order);
      reach('receiver:started');
    },
    adopt: (run, directory, handle) => {
      reach('receiver:adopt');
      runner.adopt(run, directory, handle);
      reach('receiver:adopted');
    },
    freeze: (run) => {
      reach('receiver:freeze');
      runner.freeze(run);
      reach('receiver:freezing');
    },
    thaw: (run) => {
      reach('receiver:thaw');
      runner.thaw(run);
      reach('receiver:thawed');
    },
    stop: (run, graceMs, ask) => {
      reach('receiver:stop');
      runner.stop(run, graceMs, ask);
    },
  };
}

function watchTransfer(transfer: NodePorts['transfer'], reach: OnCrashPoint): NodePorts['transfer'] {
  return {
    ...transfer,
    share: (share) => {
      reach(share.share.endsWith('/in') ? 'owner:share' : 'receiver:share');
      transfer.share(share);
    },
    fetch: (order, done) => {
      const by = order.share.endsWith('/in') ? 'receiver' : 'owner';
      reach(`${by}:fetch`);
      return transfer.fetch(order, reached(reach, `${by}:fetched`, done));
    },
  };
}

function watchWorkspace(workspace: NodePorts['workspace'], reach: OnCrashPoint): NodePorts['workspace'] {
  return {
    ...workspace,
    stage: (item, inputs, command, done) => {
      reach('owner:stage');
      workspace.stage(item, inputs, command, reached(reach, 'owner:staged', done));
    },
    collect: (directory, globs, everything, done) => {
      reach('receiver:collect');
      workspace.collect(directory, globs, everything, reached(reach, 'receiver:collected', done));
    },
    place: (item, epoch, destination, done) => {
      reach('owner:place');
      workspace.place(item, epoch, destination, reached(reach, 'owner:placed', done));
    },
    removeGuest: (owner, item, epoch) => {
      reach('receiver:remove');
      workspace.removeGuest(owner, item, epoch);
    },
    removeItem: (item, all) => {
      reach('owner:remove');
      workspace.removeItem(item, all);
    },
  };
}

function reached<T>(reach: OnCrashPoint, step: string, done: (ended: T) => void): (ended: T) => void {
  return (ended) => {
    reach(step);
    done(ended);
  };
}
