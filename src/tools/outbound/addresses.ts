import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** How far a caller may reach. */
export interface Reach {
  /** Opens loopback and private addresses; cloud metadata, link-local, multicast and reserved ones stay closed. */
  readonly allowPrivate: boolean;
}

/**
 * - `public`: out there for everybody
 * - `private`: this machine or a network of its owner; an operator may open these
 * - `special`: cloud metadata, link-local, multicast, broadcast, reserved, tunnels; never reached
 */
type AddressKind = 'public' | 'private' | 'special';

// `unspecified` is loopback by another name: Linux connects 0.0.0.0 and :: to itself.
const PRIVATE_RANGES: ReadonlySet<string> = new Set([
  'loopback',
  'private',
  'uniqueLocal',
  'carrierGradeNat',
  'unspecified',
]);

// What clouds tell their machines, credentials among it, from addresses that are private or public by their range. The
// others are link-local or reserved.
const METADATA: ReadonlySet<string> = new Set([
  '168.63.129.16', // Azure
  '100.100.100.200', // Alibaba Cloud
  'fd00:100::100:200', // the same
  'fd00:ec2::254', // AWS
  'fd00:ec2::23', // AWS, the credentials of a pod
  'fd20:ce::254', // Google Cloud
  'fd00:c1::a9fe:a9fe', // Oracle Cloud
  'fd00:42::42', // Scaleway
  'fd00:a9fe:a9fe::1', // Akamai
]);

// All that is routed on the internet. Outside of it are forms that no class names, such as ::127.0.0.1.
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
// The prefix behind which a NAT64 gateway offers the IPv4 internet, and with it any private IPv4 address.
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Why nothing may be sent to this URL, as far as can be said without asking anybody: its scheme, credentials in
 * it, an address instead of a name, or a name that always means this machine. What a name resolves to is checked
 * when connecting. One sentence that names the host and nothing else of the URL, or null: nothing speaks against it.
 */
export function blockedReason(url: string, { allowPrivate }: Reach = { allowPrivate: false }): string | null {
  const parsed = URL.parse(url);
  if (parsed === null) return 'The address is not an absolute URL.';
  const { protocol, username, password, hostname } = parsed;
  if (protocol !== 'http:' && protocol !== 'https:') {
    return `Only http and https addresses are reached, not "${protocol}".`;
  }
  if (username !== '' || password !== '') {
    return `The address of "${hostname}" must not hold a user name or a password.`;
  }
  const literal = literalOf(hostname);
  if (literal !== null) return blockedAddress(hostname, literal, { allowPrivate });
  return isThisMachine(hostname) ? blockedKind(hostname, 'private', { allowPrivate }) : null;
}

/** Why a host that has this IP address may not be reached: one sentence that names the host, or null. */
export function blockedAddress(host: string, address: string, reach: Reach): string | null {
  return blockedKind(host, kindOf(address), reach);
}

function blockedKind(host: string, kind: AddressKind, { allowPrivate }: Reach): string | null {
  switch (kind) {
    case 'public':
      return null;
    case 'private':
      if (allowPrivate) return null;
      return `"${host}" is a loopback or private address, and only MCP_ALLOW_PRIVATE=true opens private addresses.`;
    case 'special':
      return `"${host}" is a special address that is never reached: MCP_ALLOW_PRIVATE=true opens private addresses only.`;
    default:
      return kind satisfies never;
  }
}

/** The IP address that a URL has in place of a host name. Such a host is never looked up, so it is checked by itself. */
function literalOf(hostname: string): string | null {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return isIP(bare) === 0 ? null : bare;
}

function isThisMachine(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname);
}

function kindOf(address: string): AddressKind {
  // A resolver's answer that cannot be read is not one to connect to.
  const unzoned = address.replace(/%.*$/, ''); // the same address, whichever way to it
  return ipaddr.isValid(unzoned) ? kindOfParsed(ipaddr.parse(unzoned)) : 'special';
}

function kindOfParsed(address: ipaddr.IPv4 | ipaddr.IPv6): AddressKind {
  if (address instanceof ipaddr.IPv6) {
    if (address.isIPv4MappedAddress()) return kindOfParsed(address.toIPv4Address());
    if (address.match(NAT64)) return kindOfParsed(new ipaddr.IPv4(address.toByteArray().slice(12)));
  }
  if (METADATA.has(address.toString())) return 'special';
  const range = address.range();
  if (PRIVATE_RANGES.has(range)) return 'private';
  if (range !== 'unicast') return 'special';
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST) ? 'public' : 'special';
}
