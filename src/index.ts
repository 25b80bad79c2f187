/**
 * The library: a node in a program of one's own, or a view of the mesh, as typed Observables.
 */
export { createNode, meshView } from './compose-library.js';
export type { ItemOptions, LibraryNode, LibraryView, NodeOptions } from './compose-library.js';
export type { Ranking } from './core/election.js';
export type { Member } from './core/member.js';
export type { MeshSum } from './core/mesh.js';
export type { OwnedItem } from './core/owner/owned-item.js';
export type { ItemSeen, MemberSeen } from './observe/mesh-picture.js';
export type { Direction, State, Trit } from './protocol/messages.js';
export type { Phase, Status } from './protocol/status.js';
