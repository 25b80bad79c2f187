/**
 * The model of the mesh that a reader builds from the bus: members, items, and the state that the reporter published.
 * Events change it in place; a snapshot derives the sum and the ranking as every node does. It has no I/O and no clock.
 */
import { ANY_ITEM, rankReceivers, type Ranking } from '../core/mesh/ranking.js';
import { isOnline, type Member, type MeshRules } from '../core/mesh/member.js';
import { createMemberTable, deriveSum, stepMember, type MeshSum, type MemberTable } from '../core/mesh/member-table.js';
import type { Info, Message, MessageKind, MeshState, Scum, State } from '../protocol/messages.js';
import type { Status } from '../protocol/status.js';
import type { BusEvent, BusMessageEvent } from './bus-event.js';
import { findLastSeen, isGone, type SeenStamp } from './last-seen.js';

/** A member as a reader of the bus sees it. */
export interface MemberSeen {
  /** Its id, `[a-z0-9-]{1,32}`. */
  readonly id: string;
  /** It is online and its state is recent enough to count. */
  readonly online: boolean;
  /** Its last birth message; `undefined` until one was received. */
  readonly info: Info | undefined;
  /** Its last state; `undefined` until one was received. */
  readonly state: State | undefined;
  /** Its heaviest processes; `undefined` until it has published them. */
  readonly scum: Scum | undefined;
  /** When it was last seen, ISO 8601; `null` when its clock is not plausible. */
  readonly last_seen: string | null;
  /** It is offline and was not seen for more than a day. */
  readonly gone: boolean;
}

/** An item as its owner last published it. */
export interface ItemSeen extends Status {
  /** Id of the node that owns it, `[a-z0-9-]{1,32}`. */
  readonly owner: string;
  /** Its id, `[a-z0-9-]{1,32}`; another owner may have an item of the same id. */
  readonly item: string;
  /** Whether its owner is online; if not, its last status may be outdated. */
  readonly owner_online: boolean;
  /** Its owner is offline and was not seen for more than a day. */
  readonly owner_gone: boolean;
}

type ReportedItem = Omit<ItemSeen, 'owner_online' | 'owner_gone'>;

/** The state of the mesh at one point in time. */
export interface MeshSnapshot {
  /** By id. */
  readonly members: readonly MemberSeen[];
  /** The sum over the online members. */
  readonly sum: MeshSum;
  /** Which members would accept an item that needs one cpu and nothing else, and why the others would not. */
  readonly receivers: Ranking;
  /** By time of submission. */
  readonly items: readonly ItemSeen[];
  /** What the reporter published; `undefined` until it has arrived. */
  readonly reported: MeshState | undefined;
  /** Number of messages that could not be read. */
  readonly refused: number;
}

/** A model of the mesh that bus events update. */
export interface MeshModel {
  /** Applies an event; returns whether it changed anything that {@link MeshModel.snapshot} shows. */
  handle(event: BusEvent, now: number): boolean;
  /** `now` is monotonic, `wall` the wall clock, ms. */
  snapshot(now: number, wall: number): MeshSnapshot;
  /** Whether as many members are known with state and birth message as the reporter counts. */
  isComplete(): boolean;
}

/** Creates an empty model. */
export function createMeshModel(rules: MeshRules): MeshModel {
  const members: MemberTable = createMemberTable();
  const scum = new Map<string, Message<'scum'>>();
  const items = new Map<string, ReportedItem>();
  /** The latest stamp of each kind of message, by node. */
  const stamps = new Map<string, Map<MessageKind, SeenStamp & { readonly seq: number }>>();
  let reported: MeshState | undefined;
  let refused = 0;

  function rememberStamp(
    node: string,
    kind: MessageKind,
    { ts, boot, seq }: SeenStamp & { readonly seq: number },
  ): void {
    const known = stamps.get(node) ?? new Map<MessageKind, SeenStamp & { readonly seq: number }>();
    const last = known.get(kind);
    if (last === undefined || boot > last.boot || (boot === last.boot && seq > last.seq))
      known.set(kind, { ts, boot, seq });
    stamps.set(node, known);
  }

  function describeMember(member: Member, now: number, wall: number): MemberSeen {
    const online = isOnline(member, now, rules);
    const lastSeen = findLastSeen(stamps.get(member.id)?.values() ?? [], wall);
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

  function describeItem(reportedItem: ReportedItem, now: number, wall: number): ItemSeen {
    const owner = members.get(reportedItem.owner);
    const owner_online = owner !== undefined && isOnline(owner, now, rules);
    const lastSeen = findLastSeen(stamps.get(reportedItem.owner)?.values() ?? [], wall);
    return { ...reportedItem, owner_online, owner_gone: !owner_online && isGone(lastSeen, wall) };
  }

  function handleMessage(event: BusMessageEvent, now: number): boolean {
    const writer = 'node' in event.topic ? event.topic.node : 'owner' in event.topic ? event.topic.owner : undefined;
    if (writer !== undefined) rememberStamp(writer, event.kind, event.message);
    switch (event.kind) {
      case 'info':
        return stepMember(members, { type: 'InfoHeard', node: event.topic.node, info: event.message }, now);
      case 'state':
        return stepMember(
          members,
          { type: 'StateHeard', node: event.topic.node, state: event.message, fresh: !event.retained },
          now,
        );
      case 'scum':
        scum.set(event.topic.node, event.message);
        return true;
      case 'status': {
        const { owner, item } = event.topic;
        items.set(`${owner}/${item}`, { ...event.message, owner, item });
        return true;
      }
      case 'mesh':
        reported = event.message;
        return true;
      default:
        return false;
    }
  }

  return {
    handle(event, now) {
      switch (event.type) {
        case 'message':
          return handleMessage(event, now);
        case 'word': {
          const { kind } = event.topic;
          if (kind !== 'availability') return false;
          const online = event.text === 'online';
          return stepMember(members, { type: 'AvailabilityHeard', node: event.topic.node, online }, now);
        }
        case 'cleared':
          return event.topic.kind === 'status' && items.delete(`${event.topic.owner}/${event.topic.item}`);
        case 'refused':
          refused += 1;
          return true;
        case 'request':
          return false;
      }
    },
    snapshot: (now, wall) => ({
      members: [...members.values()]
        .map((member) => describeMember(member, now, wall))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      sum: deriveSum(members, now, rules),
      receivers: rankReceivers(members, ANY_ITEM, now, rules),
      items: [...items.values()].map((reportedItem) => describeItem(reportedItem, now, wall)).toSorted(compareItems),
      reported,
      refused,
    }),
    isComplete() {
      if (reported === undefined) return false;
      const known = [...members.values()].filter(
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

/** Ids of other online members with the same key: one of the state directories is a copy. */
export function findNamesakes(member: MemberSeen, members: readonly MemberSeen[]): readonly string[] {
  const key = member.info?.key;
  if (key === undefined || !member.online) return [];
  return members.filter((one) => one.id !== member.id && one.online && one.info?.key === key).map((one) => one.id);
}

function compareItems(a: ItemSeen, b: ItemSeen): number {
  if (a.submitted_at !== b.submitted_at) return a.submitted_at < b.submitted_at ? -1 : 1;
  return a.item < b.item ? -1 : 1;
}
