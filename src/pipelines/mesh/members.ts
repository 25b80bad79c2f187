/** The members stage: applies what was heard of members to the member table, and passes on what was news. */
import { filter, map, type Observable } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { isNews, stepMember, type MemberTable, type MeshInput } from '../../core/mesh/member-table.js';
import type { NodeInput } from '../inputs.js';

/** Applies each input to the table; emits those that were news of their member. */
export function trackMembers(heard$: Observable<MeshInput>, members: MemberTable, clock: Clock): Observable<MeshInput> {
  return heard$.pipe(
    map((input) => ({ input, wasNews: applyInput(members, input, clock.now()) })),
    filter(({ wasNews }) => wasNews),
    map(({ input }) => input),
  );
}

function applyInput(members: MemberTable, input: MeshInput, now: number): boolean {
  const before = members.get(input.node);
  return stepMember(members, input, now) && isNews(before, members.get(input.node));
}

/** Whether an input is only news of a member. */
export function isMeshInput(input: NodeInput): input is MeshInput {
  return input.type === 'StateHeard' || input.type === 'InfoHeard' || input.type === 'AvailabilityHeard';
}
