/**
 * The picture of the mesh that a reader of the bus has: members, items, and what the reporter said. Hearing changes it in
 * place; looking at it derives the sum and the receivers as every node does. No I/O, no clock of its own.
 */
import { rankReceivers, type Ask, type Ranking } from '../core/election.js';
import { isOnline, type Member, type MeshRules } from '../core/member.js';
import { createView, deriveSum, stepMesh, type MeshSum, type MeshView } from '../core/mesh.js';
import type { Info, Message, MessageKind, MeshState, Scum, State } from '../protocol/messages.js';
import type { Status } from '../protocol/status.js';
import type { Heard, HeardMessage } from './heard.js';
import { dateLastWord, isGone, type Stamp } from './last-seen.js';

/** A member as a reader sees it. */
export interface MemberSeen {
  readonly id: string;
  /** Online and with a state that is young enough to be believed. */
  readonly online: boolean;
  readonly info: Info | undefined;
  readonly state: State | undefined;
  readonly scum: Scum | undefined;
  /** When it was heard last, ISO 8601, as far as clocks can be believed; `null` when they cannot. */
  readonly last_seen: string | null;
  /** Offline, and not heard for more than a day. */
  readonly gone: boolean;
}

/** An item as its owner last said it. */
export interface ItemSeen extends Status {
  readonly owner: string;
  readonly item: string;
  /** Whether its owner is there: without it, what it said last may not be so any more. */
  readonly owner_online: boolean;
  readonly owner_gone: boolean;
}

type ItemSaid = Omit<ItemSeen, 'owner_online' | 'owner_gone'>;

/** The mesh at one moment. */
export interface MeshSnapshot {
  /** By id. */
  readonly members: readonly MemberSeen[];
  readonly sum: MeshSum;
  /** Who would take an item of one cpu that asks for nothing else, and why the others would not. */
  readonly receivers: Ranking;
  /** By time of submission. */
  readonly items: readonly ItemSeen[];
  /** What the reporter published; `undefined` until it was heard. */
  readonly reported: MeshState | undefined;
  /** Messages that could not be read. */
  readonly refused: number;
}

/** A picture that grows with what is heard. */
export interface MeshPicture {
  /** Takes in what was heard; says whether it changed anything that {@link MeshPicture.look} shows. */
  hear(heard: Heard, now: number): boolean;
  /** `now` is monotonic, `wall` the wall clock, ms. */
  look(now: number, wall: number): MeshSnapshot;
  /** Whether as many members are known with state and birth as the reporter counts. */
  isComplete(): boolean;
}

/** The default ask: one cpu, nothing else, nobody's. */
const ANY_ASK: Ask = {
  owner: '',
  item: '',
  epoch: 1,
  need: { cpus: 1, labels: [], abilities: [] },
  avoid: [],
  deferred: false,
};

/** Makes an empty picture. */
export function createMeshPicture(rules: MeshRules): MeshPicture {
  const view: MeshView = createView();
  const scum = new Map<string, Message<'scum'>>();
  const items = new Map<string, ItemSaid>();
  /** The last stamp of each kind of message, by node. */
  const stamps = new Map<string, Map<MessageKind, Stamp & { readonly seq: number }>>();
  let reported: MeshState | undefined;
  let refused = 0;

  function noteStamp(node: string, kind: MessageKind, { ts, boot, seq }: Stamp & { readonly seq: number }): void {
    const known = stamps.get(node) ?? new Map<MessageKind, Stamp & { readonly seq: number }>();
    const last = known.get(kind);
    if (last === undefined || boot > last.boot || (boot === last.boot && seq > last.seq))
      known.set(kind, { ts, boot, seq });
    stamps.set(node, known);
  }

  function seeMember(member: Member, now: number, wall: number): MemberSeen {
    const online = isOnline(member, now, rules);
    const lastSeen = dateLastWord(stamps.get(member.id)?.values() ?? [], wall);
    return {
      id: member.id,
      online,
      info: member.info,
      state: member.state,
      scum: scum.get(member.id),
      last_seen: lastSeen === undefined ? null : new Date(lastSeen).toISOString(),
      gone: !online && isGone(lastSeen, wall),
    };
  }

  function seeItem(said: ItemSaid, now: number, wall: number): ItemSeen {
    const owner = view.get(said.owner);
    const owner_online = owner !== undefined && isOnline(owner, now, rules);
    const lastSeen = dateLastWord(stamps.get(said.owner)?.values() ?? [], wall);
    return { ...said, owner_online, owner_gone: !owner_online && isGone(lastSeen, wall) };
  }

  function hearMessage(heard: HeardMessage, now: number): boolean {
    const writer = 'node' in heard.topic ? heard.topic.node : 'owner' in heard.topic ? heard.topic.owner : undefined;
    if (writer !== undefined) noteStamp(writer, heard.kind, heard.message);
    switch (heard.kind) {
      case 'info':
        return stepMesh(view, { type: 'InfoHeard', node: heard.topic.node, info: heard.message }, now);
      case 'state':
        return stepMesh(
          view,
          { type: 'StateHeard', node: heard.topic.node, state: heard.message, fresh: !heard.retained },
          now,
        );
      case 'scum':
        scum.set(heard.topic.node, heard.message);
        return true;
      case 'status': {
        const { owner, item } = heard.topic;
        items.set(`${owner}/${item}`, { ...heard.message, owner, item });
        return true;
      }
      case 'mesh':
        reported = heard.message;
        return true;
      default:
        return false;
    }
  }

  return {
    hear(heard, now) {
      switch (heard.type) {
        case 'message':
          return hearMessage(heard, now);
        case 'word': {
          const { kind } = heard.topic;
          if (kind !== 'availability') return false;
          const online = heard.text === 'online';
          return stepMesh(view, { type: 'AvailabilityHeard', node: heard.topic.node, online }, now);
        }
        case 'cleared':
          return heard.topic.kind === 'status' && items.delete(`${heard.topic.owner}/${heard.topic.item}`);
        case 'refused':
          refused += 1;
          return true;
        case 'request':
          return false;
      }
    },
    look: (now, wall) => ({
      members: [...view.values()]
        .map((member) => seeMember(member, now, wall))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      sum: deriveSum(view, now, rules),
      receivers: rankReceivers(view, ANY_ASK, now, rules),
      items: [...items.values()].map((said) => seeItem(said, now, wall)).toSorted(compareItems),
      reported,
      refused,
    }),
    isComplete() {
      if (reported === undefined) return false;
      const known = [...view.values()].filter(
        (one) => one.available && one.state !== undefined && one.info !== undefined,
      );
      return known.length >= reported.online;
    },
  };
}

/** Whether an item has ended for good. */
export function isEnded(item: Pick<Status, 'phase'>): boolean {
  return item.phase === 'done' || item.phase === 'failed' || item.phase === 'cancelled';
}

/** Other members that are online with the same key: one of the two state directories is a copy. */
export function findNamesakes(member: MemberSeen, members: readonly MemberSeen[]): readonly string[] {
  const key = member.info?.key;
  if (key === undefined || !member.online) return [];
  return members.filter((one) => one.id !== member.id && one.online && one.info?.key === key).map((one) => one.id);
}

function compareItems(a: ItemSeen, b: ItemSeen): number {
  if (a.submitted_at !== b.submitted_at) return a.submitted_at < b.submitted_at ? -1 : 1;
  return a.item < b.item ? -1 : 1;
}
