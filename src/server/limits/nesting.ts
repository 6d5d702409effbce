/** Far more than any document needs. GraphQL's parser and rules go as deep as a document does, and break at some thousands. */
export const MAX_NESTING = 200;

/** What opens and closes, and what may hide some of that: strings, strings of lines, comments. */
const MARK = /[{}()[\]"#]/g;

/** True for a document with more brackets within brackets than that. Takes no longer than reading it once. */
export function isTooNested(source: string): boolean {
  let depth = 0;
  MARK.lastIndex = 0;
  for (let mark = MARK.exec(source); mark !== null; mark = MARK.exec(source)) {
    switch (mark[0]) {
      case '"':
        MARK.lastIndex = endOfString(source, mark.index);
        break;
      case '#':
        MARK.lastIndex = endOfLine(source, mark.index);
        break;
      case '{':
      case '(':
      case '[':
        depth++;
        break;
      default:
        depth--;
    }
    if (depth > MAX_NESTING) return true;
  }
  return false;
}

function endOfLine(source: string, from: number): number {
  LINE_END.lastIndex = from;
  return LINE_END.exec(source)?.index ?? source.length;
}

const LINE_END = /[\n\r]/g;

/** The place behind a string that begins at `from`; the end of the document if nothing closes it. */
function endOfString(source: string, from: number): number {
  const quotes = source.startsWith('"""', from) ? '"""' : '"';
  for (let at = from + quotes.length; at < source.length; at++) {
    const character = source.charCodeAt(at);
    if (character === BACKSLASH)
      at += quotes === '"""' && source.startsWith('"""', at + 1) ? 3 : quotes === '"' ? 1 : 0;
    else if (character === QUOTE && source.startsWith(quotes, at)) return at + quotes.length;
    else if (quotes === '"' && (character === NEWLINE || character === RETURN)) return at;
  }
  return source.length;
}

const [BACKSLASH, QUOTE, NEWLINE, RETURN] = [92, 34, 10, 13];
