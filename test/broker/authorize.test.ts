import { describe, expect, it } from 'vitest';
import { authorizePublish, authorizeSubscribe, type BrokerUser } from '../../broker/authorize.js';

const alpha: BrokerUser = { name: 'alpha', isOperator: false };
const operator: BrokerUser = { name: 'deck', isOperator: true };

describe('publishing', () => {
  it.each<[string, BrokerUser, string, boolean]>([
    ['a node says that it is online', alpha, 'node/alpha/availability', true],
    ['a node says its trit', alpha, 'node/alpha/trit', true],
    ['a node says its state', alpha, 'node/alpha/state', true],
    ['a node lists its heavy processes', alpha, 'node/alpha/scum', true],
    ['a node introduces itself', alpha, 'node/alpha/info', true],
    ['a node tells an event', alpha, 'node/alpha/event', true],
    ['a node does not say that another is offline', alpha, 'node/beta/availability', false],
    ['a node does not speak for another', alpha, 'node/beta/state', false],
    ['a node sets itself', alpha, 'node/alpha/set/drain', true],
    ['a node does not set another', alpha, 'node/beta/set/drain', false],
    ['an operator sets any node', operator, 'node/beta/set/drain', true],
    ['a node asks any node', alpha, 'node/beta/request/run', true],
    ['an operator asks any node', operator, 'node/beta/request/migrate', true],
    ['a node answers', alpha, 'node/alpha/response/run', true],
    ['a node does not answer for another', alpha, 'node/beta/response/run', false],
    ['an operator does not answer for a node', operator, 'node/beta/response/run', false],
    ['an owner offers its item', alpha, 'work/alpha/i1/offer', true],
    ['an owner acks', alpha, 'work/alpha/i1/ack', true],
    ['an owner extends a lease', alpha, 'work/alpha/i1/lease', true],
    ['an owner says the status of its item', alpha, 'work/alpha/i1/status', true],
    ['nobody acks for another owner', alpha, 'work/beta/i1/ack', false],
    ['an operator does not ack for an owner', operator, 'work/alpha/i1/ack', false],
    ["a node claims anybody's item", alpha, 'work/beta/i1/claim/alpha', true],
    ['a node does not claim for another', alpha, 'work/beta/i1/claim/gamma', false],
    ['an owner does not claim for another', alpha, 'work/alpha/i1/claim/gamma', false],
    ['a receiver tells its progress', alpha, 'work/beta/i1/progress/alpha', true],
    ['a receiver tells its result', alpha, 'work/beta/i1/result/alpha', true],
    ['a receiver tells what the item prints', alpha, 'work/beta/i1/log/alpha', true],
    ['nobody tells the result of another', alpha, 'work/beta/i1/result/gamma', false],
    ['any node may be the reporter', alpha, 'mesh/state', true],
    ['nobody writes topics that are not of the mesh', alpha, 'node/alpha/secret', false],
    ['nobody writes topics that are too deep', alpha, 'node/alpha/set/drain/now', false],
    ['anybody writes anything below the base where there are no passwords', 'anonymous', 'anything/at/all', true],
  ])('%s', (_title, user, tail, isAllowed) => {
    expect(authorizePublish('home/mesh', user, `home/mesh/${tail}`) === undefined).toBe(isAllowed);
  });

  it.each<[string, BrokerUser, string]>([
    ['a node does not write another mesh', alpha, 'home/other/node/alpha/trit'],
    ['a node does not write a base that only begins alike', alpha, 'home/mesh2/node/alpha/trit'],
    ["a node does not write the broker's own topics", alpha, '$SYS/broker/new/clients'],
    ["an operator does not write the broker's own topics", operator, '$SYS/broker/new/clients'],
    ["nobody writes the broker's own topics without passwords either", 'anonymous', '$SYS/broker/new/clients'],
    ['nobody writes elsewhere without passwords either', 'anonymous', 'zigbee2mqtt/lamp/set'],
    ['nobody writes the base itself', 'anonymous', 'home/mesh'],
  ])('%s', (_title, user, topic) => {
    expect(authorizePublish('home/mesh', user, topic)).toMatch(/only topics below home\/mesh\//);
  });

  it('says who was refused what', () => {
    expect(authorizePublish('tritmesh', alpha, 'tritmesh/work/beta/i1/ack')).toBe(
      'user alpha must not write ack topics of beta',
    );
  });
});

describe('subscribing', () => {
  it.each([
    ['everything is open to read', '#', true],
    ['the mesh is open to read', 'tritmesh/#', true],
    ['shared subscriptions are refused, since they would be silent', '$share/g/tritmesh/#', false],
  ])('%s', (_title, filter, isAllowed) => {
    expect(authorizeSubscribe(filter) === undefined).toBe(isAllowed);
  });
});
