/**
 * Objects, lists and entries of them in what is sent at once, and levels of them. Far more than any limit of an input
 * allows; beyond that, reading JSON takes seconds for some megabytes, in which nobody else is served.
 */
const MAX_VALUES = 1_000_000;
const MAX_LEVELS = 250_000;

/** True for JSON of too many values, or too deep. Takes no longer than looking at each character once. */
export function isTooMuchJson(text: string): boolean {
  let [values, levels] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case BRACE:
      case BRACKET:
        values++;
        levels++;
        break;
      case COMMA:
        values++;
        break;
      case BRACE_END:
      case BRACKET_END:
        levels--;
        break;
      default:
    }
    if (values > MAX_VALUES || levels > MAX_LEVELS) return true;
  }
  return false;
}

/** The place of the quote that closes a string; the end of the text if none does. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

const [QUOTE, COMMA, BRACKET, BACKSLASH, BRACKET_END, BRACE, BRACE_END] = [34, 44, 91, 92, 93, 123, 125];
