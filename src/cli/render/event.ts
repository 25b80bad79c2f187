/** Renders events on the bus as one readable line each; events of no interest to people have none. Pure. */
import type { BusEvent, BusMessageEvent } from '../../observe/bus-event.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Status } from '../../protocol/status.js';
import type { Request } from '../../protocol/requests.js';
import { explainDirection, formatByteCount, formatRun, formatSigned, showText } from './format.js';

/** The line without its time, or `undefined` for an event that is not shown. */
export function describeEvent(event: BusEvent): string | undefined {
  switch (event.type) {
    case 'message':
      return describeMessage(event);
    case 'word':
      return describeWord(event);
    case 'request':
      // Waiting commands poll every few seconds, and change nothing.
      if (isPolled(event.topic.verb)) return undefined;
      // Sent many times a second while someone reads the output.
      if (event.request.verb === 'read') return undefined;
      return `${event.topic.node} is asked to ${event.topic.verb}${describeRequest(event.request)}`;
    case 'refused':
      return `unreadable: ${showText(event.topic)}: ${showText(event.field)} ${showText(event.reason)}`;
    case 'cleared':
      return undefined;
  }
}

function describeWord({ topic, text }: BusEvent & { readonly type: 'word' }): string {
  const word = showText(text);
  switch (topic.kind) {
    case 'availability':
      return `${topic.node} is ${word}`;
    case 'trit':
      return `${topic.node} is ${word === '1' ? '+1 PLUS' : word === '-1' ? '-1 MINUS' : `${word} ERGODIC`}`;
    case 'set':
      return `${topic.node} is set to ${topic.key} ${word}`;
  }
}

function describeRequest(request: Request): string {
  switch (request.verb) {
    case 'cancel':
    case 'retry':
    case 'fetch':
      return ` ${request.item}`;
    case 'drain':
      return ` ${request.value}`;
    case 'rename':
      return ` to ${request.to} ${request.value}`;
    case 'migrate':
      return ` ${request.item ?? request.pid ?? request.select ?? ''}${request.to === undefined ? '' : ` to ${request.to}`}`;
    case 'run':
      return ` ${request.item.id} (${showText(request.item.command.argv.join(' ').slice(0, COMMAND_CHARS))})`;
    case 'fit':
      return ` ${showText(request.facts.name)}`;
    case 'ping':
    case 'refresh':
    case 'item':
    case 'items':
    case 'read':
    case 'clean':
    case 'call':
      return '';
  }
}

function isPolled(verb: string): boolean {
  return verb === 'item' || verb === 'items';
}

/** Characters of a command that are shown. */
const COMMAND_CHARS = 60;

function describeMessage(event: BusMessageEvent): string | undefined {
  switch (event.kind) {
    case 'offer': {
      const { epoch, name, need, size_bytes, reason } = event.message;
      const size = size_bytes > 0 ? `, ${formatByteCount(size_bytes)}` : '';
      return `${nameItem(event.topic)} offered, epoch ${epoch}: ${showText(name)}, ${need.cpus} cpu${size} (${showText(reason)})`;
    }
    case 'claim': {
      const { epoch, rank, projected_ratio } = event.message;
      return `${nameItem(event.topic)} claimed by ${event.topic.node}, epoch ${epoch}: rank ${rank}, projected ratio ${projected_ratio.toFixed(2)}`;
    }
    case 'ack':
      return `${nameItem(event.topic)} assigned to ${event.message.to}, epoch ${event.message.epoch}, lease ${event.message.lease_ms / 1000} s`;
    case 'lease':
      return event.message.order === 'hold'
        ? undefined
        : `${nameItem(event.topic)}: lease order "${event.message.order}" to ${event.message.to}, epoch ${event.message.epoch}`;
    case 'progress': {
      const { phase, bytes, bytes_total } = event.message;
      const part = bytes === undefined ? '' : ` ${formatByteCount(bytes)}`;
      const whole = bytes === undefined || bytes_total === undefined ? '' : ` of ${formatByteCount(bytes_total)}`;
      return `${nameItem(event.topic)} is ${phase} on ${event.topic.node}${part}${whole}`;
    }
    case 'result':
      return `${nameItem(event.topic)} ${event.message.outcome} on ${event.topic.node}${describeResult(event.message)}`;
    case 'status':
      return `${nameItem(event.topic)} is ${event.message.phase}${describeStatus(event.message)}`;
    case 'event':
      return describeNodeEvent(event);
    case 'mesh':
      return `the mesh sum is ${formatSigned(event.message.sum)}, direction ${event.message.direction} (${explainDirection(event.message.direction)})`;
    case 'response':
      if (isPolled(event.topic.verb)) return undefined;
      return `${event.topic.node} answers ${event.topic.verb}: ${event.message.status}${event.message.error === undefined ? '' : `, ${showText(event.message.error)}`}`;
    case 'info':
      return `${event.topic.node} has started: ${event.message.cpus} cpus, ${event.message.os} ${event.message.arch}, tritmesh ${showText(event.message.version)}`;
    case 'state':
    case 'scum':
    case 'log':
      return undefined;
  }
}

function nameItem({ owner, item }: { readonly owner: string; readonly item: string }): string {
  return `${owner}/${item}`;
}

function describeResult({ exit_code, run_ms, cpu_s, reason, outputs_bytes }: Result): string {
  const exit = exit_code === null ? '' : ` with exit code ${exit_code}`;
  const outputs = outputs_bytes > 0 ? `, ${formatByteCount(outputs_bytes)} of outputs` : '';
  return `${exit} after ${formatRun(run_ms)}, ${cpu_s.toFixed(1)} cpu-s${outputs}${reason === '' ? '' : ` (${showText(reason)})`}`;
}

function describeStatus({ receiver, reason, exit_code, blocked }: Status): string {
  const where = receiver === null ? '' : ` on ${receiver}`;
  const exit = exit_code === null ? '' : `, exit code ${exit_code}`;
  const why =
    blocked.length === 0 ? '' : `; ${blocked.map((one) => `${one.node}: ${showText(one.reason)}`).join('; ')}`;
  return `${where}${exit}${reason === '' ? '' : ` (${showText(reason)}${why})`}`;
}

function describeNodeEvent({ topic, message }: BusMessageEvent & { readonly kind: 'event' }): string {
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, event_type, reason, ...facts } = message;
  const list = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const more = list.length === 0 ? '' : `: ${list.join(', ')}`;
  return showText(
    `${topic.node}: ${event_type.replaceAll('_', ' ')}${more}${reason === undefined ? '' : ` (${reason})`}`,
  );
}
