/**
 * The library: run a node inside another program, or view the mesh, through typed Observables.
 */
export { createLibraryNode as createNode, createLibraryView as meshView } from './compose/library.js';
export type { ItemOptions, LibraryNode, LibraryView, NodeOptions } from './compose/library.js';
export type { Ranking } from './core/mesh/ranking.js';
export type { Member } from './core/mesh/member.js';
export type { MeshSum } from './core/mesh/member-table.js';
export type { OwnedItem } from './core/owner/owned-item.js';
export type { ItemSeen, MemberSeen } from './observe/mesh-model.js';
export type { Direction, State, Trit } from './protocol/messages.js';
export type { Phase, Status } from './protocol/status.js';
