import type { ModelPart } from '../../model/model-client.ts';
import { closeItem } from '../../protocol/close-items.ts';
import { newCallId, newItemId } from '../../protocol/ids.ts';
import type { FunctionCallItem, Item } from '../../protocol/items.ts';
import type { Route } from '../../tools/toolbox.ts';
import { addItem, type EventTarget, itemAt, type Place } from './event-target.ts';

export interface CallWriterOptions {
  readonly round: number;
  readonly route: (name: string) => Route;
  /** False: calls after the first are dropped before anything is told of them. */
  readonly parallelToolCalls: boolean;
  /** Call ids that the conversation knows already. The writer adds its own. Asked with the first call. */
  readonly usedCallIds: () => Set<string>;
}

/** A call of a round, whole, and who answers it. */
export interface WrittenCall {
  readonly place: Place;
  readonly route: Route;
  readonly callId: string;
  /** The name that the model used. */
  readonly name: string;
  /** JSON text as the model wrote it, valid or not. */
  readonly arguments: string;
}

type OpenCall = { -readonly [Key in keyof WrittenCall]: WrittenCall[Key] };

/**
 * Turns the calls of one round into items. They stay open until the round ends, since some providers send the
 * arguments of parallel calls in turns. Of whose kind a call is, its name says once, when it begins.
 */
export class CallWriter {
  private readonly target: EventTarget;
  private readonly options: CallWriterOptions;
  /** Made with the first call: most rounds have none. */
  private calls: Map<number, OpenCall> | null = null;

  constructor(target: EventTarget, options: CallWriterOptions) {
    this.target = target;
    this.options = options;
  }

  /** True if the next call is to be dropped. */
  get isFull(): boolean {
    return !this.options.parallelToolCalls && this.calls !== null;
  }

  open({ call, callId: given, name }: Extract<ModelPart, { type: 'call' }>): void {
    const known = this.options.usedCallIds();
    const callId = given !== null && !known.has(given) ? given : newCallId();
    known.add(callId);
    const route = this.options.route(name);
    const place = addItem(this.target, this.itemFor(route, { callId, name }));
    const step = FIRST_STEPS[route.kind];
    if (step !== null && !needsApproval(route)) this.target.emit({ type: step, ...place });
    this.calls ??= new Map();
    this.calls.set(call, { place, route, callId, name, arguments: '' });
  }

  write({ call, delta }: Extract<ModelPart, { type: 'arguments' }>): void {
    const open = this.calls?.get(call);
    if (open === undefined || delta === '') return;
    open.arguments += delta;
    const { place, route } = open;
    switch (route.kind) {
      case 'client':
      case 'unknown':
        return this.target.emit({ type: 'response.function_call_arguments.delta', ...place, delta });
      case 'mcp':
        if (route.needsApproval) return; // told whole
        return this.target.emit({ type: 'response.mcp_call_arguments.delta', ...place, delta });
      case 'web_search':
        return;
      default:
        route satisfies never;
    }
  }

  /**
   * The calls of a round that ended well, in order. Those of functions are closed here, of unknown names as
   * failed; those that this server runs stay open for whoever runs them.
   */
  finish(): readonly WrittenCall[] {
    const calls = [...(this.calls?.values() ?? [])];
    for (const { place, route } of calls) {
      if (route.kind !== 'client' && route.kind !== 'unknown') continue;
      const open = itemAt(this.target, place, 'function_call');
      const isUnknown = route.kind === 'unknown';
      const item = isUnknown ? { ...open, error: unknownTool(open.name) } : open;
      for (const draft of closeItem(item, place.outputIndex, isUnknown ? 'failed' : 'completed'))
        this.target.emit(draft);
    }
    return calls;
  }

  private itemFor(route: Route, { callId, name }: { readonly callId: string; readonly name: string }): Item {
    const shared = { status: 'in_progress', round: this.options.round, callId, arguments: '' } as const;
    switch (route.kind) {
      case 'client':
      case 'unknown':
        return { ...shared, type: 'function_call', id: newItemId('fc'), name, error: null };
      case 'web_search': {
        const { calledAs } = route;
        const found = { query: null, sources: [], firstNumber: 1, output: '', error: null };
        return { ...shared, type: 'web_search_call', id: newItemId('ws'), calledAs, ...found };
      }
      case 'mcp': {
        const { server, tool, calledAs } = route;
        const { serverLabel, serverUrl } = server;
        const named = { ...shared, serverLabel, name: tool.name, calledAs, error: null };
        return route.needsApproval
          ? { ...named, type: 'mcp_approval_request', id: newItemId('mcpr'), serverUrl }
          : {
              ...named,
              type: 'mcp_call',
              id: newItemId('mcp'),
              started: false,
              content: [],
              approvalRequestId: null,
            };
      }
      default:
        return route satisfies never;
    }
  }
}

const FIRST_STEPS = {
  client: null,
  unknown: null,
  web_search: 'response.web_search_call.in_progress',
  mcp: 'response.mcp_call.in_progress',
} as const satisfies { readonly [Kind in Route['kind']]: string | null };

function needsApproval(route: Route): boolean {
  return route.kind === 'mcp' && route.needsApproval;
}

function unknownTool(name: string): FunctionCallItem['error'] {
  const message = `The model called "${name}", which it was not offered.`;
  return { type: 'unknown_tool', code: null, message };
}
