/**
 * Whom this node can reach: everybody while the broker is there, itself alone while it is away. What it believed of
 * others stays in the view, and none of them is a candidate until the broker is back.
 */
import type { MeshRules } from '../core/member.js';
import type { NodeInput } from './inputs.js';

/** The reach of a node. */
export interface Reach {
  take(input: NodeInput): void;
  /** The broker is away: only what this node says to itself is heard by anybody. */
  readonly isAlone: boolean;
  /** The rules of the mesh as they are now. */
  rules(): MeshRules;
}

/** Makes the reach of a node that has not connected yet. */
export function createReach(self: string, mesh: MeshRules): Reach {
  let alone: MeshRules | undefined = cutOff('it has not answered yet');

  function cutOff(reason: string): MeshRules {
    return { ...mesh, alone: { self, reason: `the broker is away (${reason})` } };
  }

  return {
    take(input) {
      if (input.type !== 'LinkChanged') return;
      if (input.online) alone = undefined;
      else if (input.reason !== 'not connected yet') alone = cutOff(input.reason);
    },
    get isAlone() {
      return alone !== undefined;
    },
    rules: () => alone ?? mesh,
  };
}
