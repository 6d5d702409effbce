import type { ModelPart } from '../../model/model-client.ts';

/** The same parts with texts of one kind that follow each other joined: for a run that would join their deltas anyway. */
export function joinParts(parts: readonly ModelPart[]): readonly ModelPart[] {
  const joined: ModelPart[] = [];
  let texts: string[] = [];
  let open: ModelPart | null = null;
  const close = () => {
    if (open !== null) joined.push(texts.length === 1 ? open : withText(open, texts.join('')));
    open = null;
    texts = [];
  };
  for (const part of parts) {
    const text = plainTextOf(part);
    if (text === null) {
      close();
      joined.push(part);
      continue;
    }
    if (open === null || !isContinued(open, part)) {
      close();
      open = part;
    }
    texts.push(text);
  }
  close();
  return joined;
}

/** The text of a part that says nothing else. */
function plainTextOf(part: ModelPart): string | null {
  switch (part.type) {
    case 'text':
      return part.logprobs === null ? part.text : null;
    case 'reasoning':
      return part.encrypted === null ? part.text : null;
    case 'refusal':
      return part.text;
    case 'arguments':
      return part.delta;
    default:
      return null;
  }
}

function isContinued(open: ModelPart, next: ModelPart): boolean {
  if (open.type !== next.type) return false;
  return open.type !== 'arguments' || next.type !== 'arguments' || open.call === next.call;
}

function withText(part: ModelPart, text: string): ModelPart {
  if (part.type === 'arguments') return { ...part, delta: text };
  return 'text' in part ? { ...part, text } : part;
}
