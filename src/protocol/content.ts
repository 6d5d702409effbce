/** Content parts of messages, tool outputs and reasoning, by the names of the Responses API. */
export type ContentPart = InputPart | OutputPart | ReasoningTextPart;

export type InputPart = InputTextPart | InputImagePart | InputFilePart;

export type OutputPart = OutputTextPart | RefusalPart;

export interface InputTextPart {
  readonly type: 'input_text';
  readonly text: string;
}

export interface InputImagePart {
  readonly type: 'input_image';
  /** An http(s) or data URL. */
  readonly imageUrl: string;
  readonly detail: ImageDetail;
}

export type ImageDetail = 'auto' | 'low' | 'high' | 'original';

/** Exactly one of `fileData` (a data URL) and `fileUrl` is given. */
export interface InputFilePart {
  readonly type: 'input_file';
  readonly filename: string | null;
  readonly fileData: string | null;
  readonly fileUrl: string | null;
}

export interface OutputTextPart {
  readonly type: 'output_text';
  readonly text: string;
  readonly annotations: readonly Annotation[];
  /** Null unless `topLogprobs` was asked for and the model sent some. */
  readonly logprobs: readonly TokenLogprob[] | null;
}

export interface RefusalPart {
  readonly type: 'refusal';
  readonly refusal: string;
}

export interface ReasoningTextPart {
  readonly type: 'reasoning_text';
  readonly text: string;
}

/** A source that the text names. `startIndex` and `endIndex` count UTF-16 code units. */
export interface Annotation {
  readonly type: 'url_citation';
  readonly url: string;
  readonly title: string | null;
  readonly startIndex: number;
  readonly endIndex: number;
}

export interface TopLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
}

export interface TokenLogprob extends TopLogprob {
  readonly top: readonly TopLogprob[];
}

/** The text of every text part, joined. */
export function textOf(content: readonly ContentPart[]): string {
  let text = '';
  for (const part of content)
    if (part.type === 'input_text' || part.type === 'output_text') text += part.text;
  return text;
}
