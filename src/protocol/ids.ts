import { randomBytes, randomFillSync } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ResponseId = Branded<'ResponseId'>;
export type ItemId = Branded<'ItemId'>;

const ITEM_PREFIXES = ['msg', 'fc', 'fco', 'rs', 'ws', 'mcpl', 'mcp', 'mcpr', 'mcpa'] as const;
export type ItemPrefix = (typeof ITEM_PREFIXES)[number];

const RESPONSE_ID = /^resp_[0-9a-f]{32,64}$/;
const ITEM_ID = new RegExp(`^(?:${ITEM_PREFIXES.join('|')})_[0-9a-f]{32,64}$`);

/**
 * 32 hex digits: 12 of the time in milliseconds, 20 random ones. Ids made one after the other stand beside
 * each other in an index, and 80 random bits keep them from being guessed.
 */
function freshHex(): string {
  return Date.now().toString(16).padStart(12, '0') + freshRandom();
}

const RANDOM_BYTES = 10;

/** Asked for one by one, random bytes cost more than everything else about an id. */
const random = Buffer.alloc(400 * RANDOM_BYTES);
let used = random.length;

function freshRandom(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += RANDOM_BYTES;
  return random.toString('hex', used - RANDOM_BYTES, used);
}

export function newResponseId(): ResponseId {
  return `resp_${freshHex()}` as ResponseId;
}

export function newItemId(prefix: ItemPrefix): ItemId {
  return `${prefix}_${freshHex()}` as ItemId;
}

/** A call id of the engine's own, for upstreams that give none. */
export function newCallId(): string {
  return `call_${randomBytes(12).toString('hex')}`;
}

/** The id, or null for anything that is none. A malformed id reads like an unknown one. */
export function asResponseId(value: string): ResponseId | null {
  return RESPONSE_ID.test(value) ? (value as ResponseId) : null;
}

/** The id, or null for anything that is none. */
export function asItemId(value: string): ItemId | null {
  return ITEM_ID.test(value) ? (value as ItemId) : null;
}
