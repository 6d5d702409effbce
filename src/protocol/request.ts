import type { JsonObject, Tool, ToolChoice } from './tools.ts';

/** What a request asks for beside its input: kept with the response and given back by it, never inherited. */
export interface ResponseSettings {
  readonly model: string;
  readonly instructions: string | null;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  /** Calls of server-run tools that the whole run may make. */
  readonly maxToolCalls: number | null;
  /** Tokens that the whole run may write, all rounds together. */
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topLogprobs: number | null;
  readonly presencePenalty: number | null;
  readonly frequencyPenalty: number | null;
  readonly text: TextConfig;
  readonly reasoning: ReasoningConfig | null;
  readonly metadata: { readonly [key: string]: string };
  /** `auto`: a conversation too long for the model is cut at its beginning. */
  readonly truncation: 'auto' | 'disabled';
  readonly store: boolean;
  readonly stream: boolean;
  readonly background: boolean;
  readonly serviceTier: string | null;
  readonly safetyIdentifier: string | null;
  readonly promptCacheKey: string | null;
}

export interface TextConfig {
  readonly format: TextFormat;
  readonly verbosity: 'low' | 'medium' | 'high' | null;
}

export type TextFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly name: string;
      readonly description: string | null;
      readonly schema: JsonObject;
      readonly strict: boolean | null;
    };

export interface ReasoningConfig {
  readonly effort: ReasoningEffort | null;
  readonly summary: 'auto' | 'concise' | 'detailed' | null;
}

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
