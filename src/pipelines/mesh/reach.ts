/**
 * Whom this node can reach: everyone while the broker is there, only itself while it is away. What it knows of others
 * stays in the member table, but none of them is a candidate until the broker is back.
 */
import type { MeshRules } from '../../core/mesh/member.js';
import type { NodeInput } from '../inputs.js';

/** Knows whom this node can reach. */
export interface Reach {
  handle(input: NodeInput): void;
  /** The broker is away: only messages of this node to itself arrive. */
  readonly isAlone: boolean;
  /** The current rules of the mesh. */
  rules(): MeshRules;
}

/** Creates the reach of a node that has not connected yet. */
export function createReach(self: string, mesh: MeshRules): Reach {
  let alone: MeshRules | undefined = rulesAlone('it has not answered yet');

  function rulesAlone(reason: string): MeshRules {
    return { ...mesh, alone: { self, reason: `the broker is away (${reason})` } };
  }

  return {
    handle(input) {
      if (input.type !== 'LinkChanged') return;
      if (input.online) alone = undefined;
      else if (input.reason !== 'not connected yet') alone = rulesAlone(input.reason);
    },
    get isAlone() {
      return alone !== undefined;
    },
    rules: () => alone ?? mesh,
  };
}
