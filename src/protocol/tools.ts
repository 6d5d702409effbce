/** Tools that a request offers to the model. */
export type Tool = FunctionTool;

/** A function that the client runs. */
export interface FunctionTool {
  readonly type: 'function';
  readonly name: string;
  readonly description: string | null;
  /** A JSON schema object, as the client wrote it; null for a function without parameters. */
  readonly parameters: JsonObject | null;
  readonly strict: boolean | null;
}

export type JsonObject = { readonly [key: string]: unknown };

export type ToolChoice =
  | { readonly mode: 'none' | 'auto' | 'required' }
  | { readonly mode: 'function'; readonly name: string }
  | {
      readonly mode: 'allowed_tools';
      readonly allowedToolsMode: 'auto' | 'required';
      readonly allowedTools: readonly AllowedTool[];
    };

export interface AllowedTool {
  readonly type: 'function';
  readonly name: string;
}
