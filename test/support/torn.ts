const END_OF_HEAD = '\r\n\r\n';

/** True if these first bytes of a WebSocket's way to its client end within a frame. */
export function endsInFrame(bytes: Buffer): boolean {
  const head = bytes.indexOf(END_OF_HEAD);
  if (head === -1) return false; // still in the handshake
  let at = head + END_OF_HEAD.length;
  while (at < bytes.length) at += frameLength(bytes.subarray(at));
  return at > bytes.length;
}

/** The length of the frame that begins here; more than there is if its own head is torn. */
function frameLength(bytes: Buffer): number {
  if (bytes.length < 2) return 2;
  const length = bytes.readUInt8(1) & 0x7f; // a server masks nothing
  if (length < 126) return 2 + length;
  if (length === 126) return bytes.length < 4 ? 4 : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? 10 : 10 + Number(bytes.readBigUInt64BE(2));
}

/** True if these first bytes of an answer, a stream of server-sent events, end within a record. */
export function endsInRecord(bytes: Buffer): boolean {
  const head = bytes.indexOf(END_OF_HEAD);
  if (head === -1) return false;
  const body = unchunk(bytes.subarray(head + END_OF_HEAD.length));
  return body.length > 0 && !body.subarray(-2).equals(Buffer.from('\n\n'));
}

/** What the chunks of a body hold, as far as they have come. */
function unchunk(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n');
  if (end === -1) return Buffer.alloc(0);
  const begin = end + '\r\n'.length;
  const next = begin + Number.parseInt(bytes.toString('latin1', 0, end), 16);
  return Buffer.concat([bytes.subarray(begin, next), unchunk(bytes.subarray(next + '\r\n'.length))]);
}
