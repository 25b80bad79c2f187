/** How a command that only submits reaches the node of this machine. It must load nothing that a bus needs. */
import { SUBMIT_PROTOCOL, type Hello } from '../bus/local/local-frames.js';
import { openSubmitLine, type SubmitLine, type SubmitLineEvents } from '../bus/local/submit-line.js';

/** Opens a line to the node in a state directory. */
export function connectToSubmit(stateDir: string, events: SubmitLineEvents): SubmitLine {
  return openSubmitLine(stateDir, events);
}

/** Whether a node takes submissions as this version sends them, and has its broker. */
export function canSubmit({ submit, online }: Hello): boolean {
  return submit === SUBMIT_PROTOCOL && online === true;
}
