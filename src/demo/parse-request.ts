import { messageOf } from '../util/errors.ts';
import { ChatRequest } from './chat-request.ts';
import { toCallRule } from './tool-choice.ts';

export const MODEL = 'demo';

/** An answer with an error, its body in OpenAI's shape. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  readonly code?: string;
}

export type Parsed =
  | { readonly ok: true; readonly request: ChatRequest }
  | { readonly ok: false; readonly refusal: Refusal };

/** The body of a request, or why it is refused. */
export function parseRequest(body: string): Parsed {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    return refuse({ status: 400, message: `The request body is not JSON: ${messageOf(error)}` });
  }
  const result = ChatRequest.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    const param = toParam(issue?.path ?? []);
    const what = param === '' ? 'request body' : `value for '${param}'`;
    const message = `Invalid ${what}: ${issue?.message ?? 'it has another shape'}.`;
    return refuse(param === '' ? { status: 400, message } : { status: 400, message, param });
  }
  const request = result.data;
  if (request.model !== MODEL) {
    const message = `The model \`${request.model}\` does not exist. The demo model server has one model: \`${MODEL}\`.`;
    return refuse({ status: 404, message, code: 'model_not_found' });
  }
  const rule = toCallRule(request);
  if (rule.kind === 'impossible') {
    return refuse({ status: 400, message: rule.reason, param: 'tool_choice' });
  }
  return { ok: true, request };
}

const refuse = (refusal: Refusal): Parsed => ({ ok: false, refusal });

/** A path as OpenAI writes it, e.g. `messages[0].content`. */
function toParam(path: readonly PropertyKey[]): string {
  return path.reduce<string>((param, step) => {
    if (typeof step === 'number') return `${param}[${step}]`;
    return param === '' ? String(step) : `${param}.${String(step)}`;
  }, '');
}
