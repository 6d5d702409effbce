import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** By which people and programs that look for leaked secrets know a key. */
const PREFIX = 'rgk_';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Digits that 256 bits take, and the 32 of the checksum. */
const RANDOM_DIGITS = 43;
const CHECK_DIGITS = 6;

const API_KEY = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_DIGITS + CHECK_DIGITS}}$`);

/** A new key: `rgk_`, 256 random bits, and a checksum of both, in digits and letters. */
export function newApiKey(): string {
  const random = PREFIX + digits(BigInt(`0x${randomBytes(32).toString('hex')}`), RANDOM_DIGITS);
  return random + checksum(random);
}

/** True for what looks like a key, checksum included: what does not was never one. */
export function looksLikeApiKey(text: string): boolean {
  return API_KEY.test(text) && checksum(text.slice(0, -CHECK_DIGITS)) === text.slice(-CHECK_DIGITS);
}

/** What is kept of a key: its SHA-256, in hex. It holds 256 random bits, so that no slow hash is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The id of a key, by which people name it: it lets nobody in. */
export function newApiKeyId(): string {
  return `key_${randomUUID().replaceAll('-', '')}`;
}

function checksum(text: string): string {
  return digits(BigInt(crc32(text)), CHECK_DIGITS);
}

function digits(number: bigint, length: number): string {
  let rest = number;
  let text = '';
  for (let place = 0; place < length; place++) {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
