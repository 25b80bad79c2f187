/** Formats effects as one line each, for readable tables and transcripts. */
import type { Effect, Publish } from '../../src/core/effects.js';

/** One effect as text, without the ids of items and guests. */
export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'Persist':
      return `persist ${describeRecord(effect.value)}`;
    case 'Publish':
      return describeSay(effect);
    case 'ClearRetained':
      return `unsay ${effect.topic.kind}`;
    case 'Share':
      return `share ${effect.epoch} with ${effect.to}`;
    case 'FetchHome':
      return `fetch home ${effect.epoch} from ${effect.from}`;
    case 'OpenHome':
      return `open home ${effect.epoch}: ${effect.sealed}`;
    case 'Unshare':
    case 'Place':
    case 'Carry':
      return `${effect.type.toLowerCase()} ${effect.epoch}`;
    case 'Collect':
      return effect.everything ? 'collect everything' : `collect [${effect.globs.join(' ')}]`;
    case 'StartRun':
    case 'ExtendRun':
      return `${effect.type} guard ${effect.guardAt}`;
    case 'StopRun':
      return `StopRun grace ${effect.graceMs}`;
    default:
      return effect.type;
  }
}

/** A list of effects as text. */
export function describeEffects(effects: readonly Effect[]): string[] {
  return effects.map(describeEffect);
}

function describeRecord(value: unknown): string {
  if (value === undefined) return 'nothing';
  const { phase, stopping } = value as { readonly phase: string; readonly stopping?: string | null };
  return stopping === undefined || stopping === null ? phase : `${phase}, stopping: ${stopping}`;
}

function describeSay(message: Publish): string {
  const text = describeMessage(message);
  if (message.way === undefined) return text;
  return message.way.only ? `${text}, direct` : `${text}, both ways`;
}

function describeMessage(message: Publish): string {
  switch (message.kind) {
    case 'offer':
      return `offer ${message.body.epoch}`;
    case 'claim':
      return `claim ${message.body.epoch} rank ${message.body.rank}`;
    case 'ack':
      return `ack ${message.body.epoch} to ${message.body.to}`;
    case 'lease':
      return `lease ${message.body.epoch} to ${message.body.to}: ${message.body.order} ${message.body.renewal}`;
    case 'progress':
      return `progress ${message.body.epoch} ${message.body.phase} ${message.body.renewal}`;
    case 'result':
      return `result ${message.body.epoch} ${message.body.outcome}`;
    case 'status':
      return `status ${message.body.phase}`;
    case 'event':
      return `event ${message.body.event_type}`;
    default:
      return message.kind;
  }
}
