/** How large the fields of a request may be. Texts in characters, as JavaScript counts them; lists in entries. */

/** What somebody says: messages, instructions, arguments and outputs of calls, thoughts. */
export const MAX_TEXT = 10_485_760;
/** A data URL: an image or a file. */
export const MAX_DATA_URL = 20_971_520;
/** Any other URL. */
export const MAX_URL = 8192;
/** A JSON schema, or what an MCP server says of a tool, as JSON. */
export const MAX_JSON = 2_097_152;
/** Lists and objects within each other. */
export const MAX_JSON_LEVELS = 100;
/** What a tool is for, a reason, why a call failed. */
export const MAX_DESCRIPTION = 65_536;
/** What an upstream made up: its names of functions may be any, its ids hold more than an id at some. */
export const MAX_NAME = 1024;
export const MAX_CALL_ID = 4096;
/** Names that only mean something to the upstream, and of places. */
export const MAX_LABEL = 512;
/** A token, or the value of a header. */
export const MAX_HEADER = 16_384;

export const MAX_ITEMS = 10_000;
export const MAX_PARTS = 10_000;
export const MAX_SOURCES = 1000;
export const MAX_TOOLS = 1024;
/** As many as are read of an MCP server. */
export const MAX_LISTED_TOOLS = 2000;
export const MAX_DOMAINS = 300;
/** Each is a session of its own. */
export const MAX_MCP_SERVERS = 32;
/** Names of tools in a filter. */
export const MAX_FILTER_NAMES = 2000;

/** More than this is said of no request that is refused; what is wrong with it shows in them. */
export const MAX_ERRORS = 100;

/** The beginning of a text that a message quotes. */
export function quoted(text: string): string {
  return `"${text.slice(0, 100)}"`;
}
