import { describe, expect, it } from 'vitest';
import { authorizePublish, authorizeSubscribe, type BrokerUser } from '../../broker/authorize.js';

const alpha: BrokerUser = { name: 'alpha', isOperator: false };
const operator: BrokerUser = { name: 'deck', isOperator: true };

describe('publishing', () => {
  it.each<[string, BrokerUser, string, boolean]>([
    ['a node publishes its availability', alpha, 'node/alpha/availability', true],
    ['a node publishes its trit', alpha, 'node/alpha/trit', true],
    ['a node publishes its state', alpha, 'node/alpha/state', true],
    ['a node lists its heavy processes', alpha, 'node/alpha/scum', true],
    ['a node introduces itself', alpha, 'node/alpha/info', true],
    ['a node publishes an event', alpha, 'node/alpha/event', true],
    ['a node may not publish the availability of another', alpha, 'node/beta/availability', false],
    ['a node may not publish the state of another', alpha, 'node/beta/state', false],
    ['a node sets itself', alpha, 'node/alpha/set/drain', true],
    ['a node may not set another', alpha, 'node/beta/set/drain', false],
    ['an operator sets any node', operator, 'node/beta/set/drain', true],
    ['a node sends a request to any node', alpha, 'node/beta/request/run', true],
    ['an operator sends a request to any node', operator, 'node/beta/request/migrate', true],
    ['a node answers', alpha, 'node/alpha/response/run', true],
    ['a node may not answer for another', alpha, 'node/beta/response/run', false],
    ['an operator may not answer for a node', operator, 'node/beta/response/run', false],
    ['an owner offers its item', alpha, 'work/alpha/i1/offer', true],
    ['an owner acks', alpha, 'work/alpha/i1/ack', true],
    ['an owner extends a lease', alpha, 'work/alpha/i1/lease', true],
    ['an owner publishes the status of its item', alpha, 'work/alpha/i1/status', true],
    ['a node may not ack for another owner', alpha, 'work/beta/i1/ack', false],
    ['an operator may not ack for an owner', operator, 'work/alpha/i1/ack', false],
    ['a node claims an item of any owner', alpha, 'work/beta/i1/claim/alpha', true],
    ['a node may not claim for another', alpha, 'work/beta/i1/claim/gamma', false],
    ['an owner may not claim for another', alpha, 'work/alpha/i1/claim/gamma', false],
    ['a receiver publishes its progress', alpha, 'work/beta/i1/progress/alpha', true],
    ['a receiver publishes its result', alpha, 'work/beta/i1/result/alpha', true],
    ['a receiver publishes the output of an item', alpha, 'work/beta/i1/log/alpha', true],
    ['a node may not publish the result of another', alpha, 'work/beta/i1/result/gamma', false],
    ['any node may be the reporter', alpha, 'mesh/state', true],
    ['nobody may write topics that are not part of the protocol', alpha, 'node/alpha/secret', false],
    ['nobody may write topics that are too deep', alpha, 'node/alpha/set/drain/now', false],
    ['without passwords everyone may write anything below the base', 'anonymous', 'anything/at/all', true],
  ])('%s', (_title, user, tail, isAllowed) => {
    expect(authorizePublish('home/mesh', user, `home/mesh/${tail}`) === undefined).toBe(isAllowed);
  });

  it.each<[string, BrokerUser, string]>([
    ['a node may not write to another mesh', alpha, 'home/other/node/alpha/trit'],
    ['a node may not write to a base that only begins the same', alpha, 'home/mesh2/node/alpha/trit'],
    ["a node may not write the broker's own topics", alpha, '$SYS/broker/new/clients'],
    ["an operator may not write the broker's own topics", operator, '$SYS/broker/new/clients'],
    ["without passwords nobody may write the broker's own topics either", 'anonymous', '$SYS/broker/new/clients'],
    ['without passwords nobody may write elsewhere either', 'anonymous', 'zigbee2mqtt/lamp/set'],
    ['nobody may write the base topic itself', 'anonymous', 'home/mesh'],
  ])('%s', (_title, user, topic) => {
    expect(authorizePublish('home/mesh', user, topic)).toMatch(/only topics below home\/mesh\//);
  });

  it('the reason names who must not write what', () => {
    expect(authorizePublish('tritmesh', alpha, 'tritmesh/work/beta/i1/ack')).toBe(
      'user alpha must not write ack topics of beta',
    );
  });
});

describe('subscribing', () => {
  it.each([
    ['everything may be read', '#', true],
    ['the mesh may be read', 'tritmesh/#', true],
    ['shared subscriptions are refused, because they would deliver nothing', '$share/g/tritmesh/#', false],
  ])('%s', (_title, filter, isAllowed) => {
    expect(authorizeSubscribe(filter) === undefined).toBe(isAllowed);
  });
});
