/**
 * One readable line for each thing that happens on the bus; what says nothing new to people gives none. Pure.
 */
import type { Heard, HeardMessage } from '../../observe/heard.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Status } from '../../protocol/status.js';
import type { Request } from '../../protocol/requests.js';
import { explainDirection, formatBytes, formatRun, formatSigned, showText } from './words.js';

/** The line without its time, or `undefined` when there is nothing to tell. */
export function describeEvent(heard: Heard): string | undefined {
  switch (heard.type) {
    case 'message':
      return describeMessage(heard);
    case 'word':
      return describeWord(heard);
    case 'request':
      // Programs that wait ask this every few seconds, and nothing comes of it.
      if (isLook(heard.topic.verb)) return undefined;
      // Said many times a second while somebody reads.
      if (heard.request.verb === 'read') return undefined;
      return `${heard.topic.node} is asked to ${heard.topic.verb}${describeRequest(heard.request)}`;
    case 'refused':
      return `unreadable: ${showText(heard.topic)}: ${showText(heard.field)} ${showText(heard.reason)}`;
    case 'cleared':
      return undefined;
  }
}

function describeWord({ topic, text }: Heard & { readonly type: 'word' }): string {
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
      return ` ${request.item.item} (${showText(request.item.command.argv.join(' ').slice(0, COMMAND_CHARS))})`;
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

function isLook(verb: string): boolean {
  return verb === 'item' || verb === 'items';
}

/** As much of a command as fits a line. */
const COMMAND_CHARS = 60;

function describeMessage(heard: HeardMessage): string | undefined {
  switch (heard.kind) {
    case 'offer': {
      const { epoch, name, need, size_bytes, reason } = heard.message;
      const size = size_bytes > 0 ? `, ${formatBytes(size_bytes)}` : '';
      return `${nameItem(heard.topic)} offered, epoch ${epoch}: ${showText(name)}, ${need.cpus} cpu${size} (${showText(reason)})`;
    }
    case 'claim': {
      const { epoch, rank, projected_ratio } = heard.message;
      return `${nameItem(heard.topic)} claimed by ${heard.topic.node}, epoch ${epoch}: rank ${rank}, ratio then ${projected_ratio.toFixed(2)}`;
    }
    case 'ack':
      return `${nameItem(heard.topic)} goes to ${heard.message.to}, epoch ${heard.message.epoch}, lease ${heard.message.lease_ms / 1000} s`;
    case 'lease':
      return heard.message.order === 'hold'
        ? undefined
        : `${nameItem(heard.topic)}: ${heard.message.to} is told "${heard.message.order}", epoch ${heard.message.epoch}`;
    case 'progress': {
      const { phase, bytes, bytes_total } = heard.message;
      const part = bytes === undefined ? '' : ` ${formatBytes(bytes)}`;
      const whole = bytes === undefined || bytes_total === undefined ? '' : ` of ${formatBytes(bytes_total)}`;
      return `${nameItem(heard.topic)} is ${phase} on ${heard.topic.node}${part}${whole}`;
    }
    case 'result':
      return `${nameItem(heard.topic)} ${heard.message.outcome} on ${heard.topic.node}${describeResult(heard.message)}`;
    case 'status':
      return `${nameItem(heard.topic)} is ${heard.message.phase}${describeStatus(heard.message)}`;
    case 'event':
      return describeNodeEvent(heard);
    case 'mesh':
      return `the mesh sum is ${formatSigned(heard.message.sum)}, direction ${heard.message.direction} (${explainDirection(heard.message.direction)})`;
    case 'response':
      if (isLook(heard.topic.verb)) return undefined;
      return `${heard.topic.node} answers ${heard.topic.verb}: ${heard.message.status}${heard.message.error === undefined ? '' : `, ${showText(heard.message.error)}`}`;
    case 'info':
      return `${heard.topic.node} is born: ${heard.message.cpus} cpus, ${heard.message.os} ${heard.message.arch}, tritmesh ${showText(heard.message.version)}`;
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
  const outputs = outputs_bytes > 0 ? `, ${formatBytes(outputs_bytes)} to come home` : '';
  return `${exit} after ${formatRun(run_ms)}, ${cpu_s.toFixed(1)} cpu-s${outputs}${reason === '' ? '' : ` (${showText(reason)})`}`;
}

function describeStatus({ receiver, reason, exit_code, blocked }: Status): string {
  const where = receiver === null ? '' : ` on ${receiver}`;
  const exit = exit_code === null ? '' : `, exit code ${exit_code}`;
  const why =
    blocked.length === 0 ? '' : `; ${blocked.map((one) => `${one.node}: ${showText(one.reason)}`).join('; ')}`;
  return `${where}${exit}${reason === '' ? '' : ` (${showText(reason)}${why})`}`;
}

function describeNodeEvent({ topic, message }: HeardMessage & { readonly kind: 'event' }): string {
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, event_type, reason, ...facts } = message;
  const list = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const more = list.length === 0 ? '' : `: ${list.join(', ')}`;
  return showText(
    `${topic.node}: ${event_type.replaceAll('_', ' ')}${more}${reason === undefined ? '' : ` (${reason})`}`,
  );
}
