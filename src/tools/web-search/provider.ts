import type { WebSearchSource } from '../../protocol/items.ts';
import type { UserLocation, WebSearchTool } from '../../protocol/tools.ts';

export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

export interface SearchRequest {
  readonly query: string;
  readonly tool: WebSearchTool;
}

/** One line of plain text each; the URL is http or https. */
export interface SearchResult extends WebSearchSource {
  readonly snippet: string;
}

/** A search service: how it is asked, and how its answers are read. */
export interface SearchProvider {
  /** As messages call it. */
  readonly name: string;
  /** What no message may repeat. */
  readonly secrets: readonly string[];
  toCall(question: SearchQuestion): SearchCall;
  /** The results in an answer's JSON; null if it is no answer of this service. */
  readResults(answer: unknown): readonly FoundPage[] | null;
  /** What a status means that the service itself does not explain; null: nothing more than it says. */
  hint(status: number): string | null;
}

export interface SearchQuestion {
  readonly query: string;
  /** How many results are needed. */
  readonly limit: number;
  /** Hosts, in ASCII and lower case; empty: all. Results of others are left out afterwards. */
  readonly domains: readonly string[];
  readonly location: UserLocation | null;
}

export interface SearchCall {
  readonly url: URL;
  readonly init: RequestInit;
}

/** A result as the service describes it, not yet checked. */
export interface FoundPage {
  readonly url: string;
  readonly title: string | null;
  readonly snippet: string | null;
}
