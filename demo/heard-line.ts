/**
 * Describes a bus message in a few words, next to its topic. Returns `undefined` for messages that the demo skips.
 * Pure.
 */
import type { BusEvent, BusMessageEvent } from '../src/observe/bus-event.js';
import type { Request } from '../src/protocol/requests.js';

const TRITS: Readonly<Record<string, string>> = {
  '-1': '-1  MINUS, idle',
  '0': '0  ERGODIC, in between',
  '1': '+1  PLUS, busy',
};

/** Describes a bus event, or returns `undefined` if it is not to be shown. */
export function describeHeard(heard: BusEvent): string | undefined {
  switch (heard.type) {
    case 'word':
      return heard.topic.kind === 'trit' ? (TRITS[heard.text] ?? heard.text) : heard.text;
    case 'request':
      return describeRequest(heard.request);
    case 'message':
      return describeMessage(heard);
    case 'cleared':
    case 'refused':
      return undefined;
  }
}

function describeRequest(request: Request): string | undefined {
  switch (request.verb) {
    case 'migrate':
      return JSON.stringify({ select: request.select, item: request.item, to: request.to });
    case 'cancel':
      return request.item;
    default:
      return undefined;
  }
}

function describeMessage(heard: BusMessageEvent): string | undefined {
  switch (heard.kind) {
    case 'offer':
      return `${heard.message.name} needs a receiver, epoch ${heard.message.epoch}, ${heard.message.size_bytes} bytes to fetch`;
    case 'claim':
      return `${heard.topic.node} would take it, rank ${heard.message.rank}, ratio ${heard.message.projected_ratio.toFixed(2)}`;
    case 'ack':
      return `${heard.message.to} gets it, epoch ${heard.message.epoch}, lease ${heard.message.lease_ms / 1000} s`;
    case 'progress':
      return heard.message.phase;
    case 'result':
      return `${heard.message.outcome}, exit code ${heard.message.exit_code ?? 'none'}, ${heard.message.cpu_s.toFixed(2)} cpu-s, ${heard.message.outputs_bytes} bytes of output`;
    case 'status': {
      const { phase, receiver, reason } = heard.message;
      return `${phase}${receiver === null ? '' : ` on ${receiver}`}${reason === '' ? '' : `: ${reason}`}`;
    }
    case 'mesh': {
      const { sum, residue, direction } = heard.message;
      return `sum ${sum}, residue ${residue}: ${direction}`;
    }
    case 'response':
      return heard.topic.verb === 'run'
        ? undefined
        : `${heard.message.status} ${heard.message.error ?? JSON.stringify(heard.message.data)}`;
    case 'event':
      return heard.message.event_type === 'item_moved' ? `item moved: ${heard.message.reason ?? ''}` : undefined;
    case 'state':
    case 'scum':
    case 'info':
    case 'lease':
    case 'log':
      return undefined;
  }
}
