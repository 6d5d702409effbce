import type { WireText } from '../graphql/live/shared-selection.ts';

/** What is written at once is about so long, unless a single result is longer: a client that reads nothing keeps it. In bytes. */
const PIECE = 64 * 1024;

/** The results of a batch as a transport writes each, in few pieces. */
export function* piecesOf(
  batch: readonly WireText[],
  write: (text: WireText) => WireText,
): Generator<WireText, void> {
  let piece = '';
  for (const text of batch) {
    piece += write(text);
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
