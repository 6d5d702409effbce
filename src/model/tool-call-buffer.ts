import { asArray, asObject, asText, type Json } from '../util/json.ts';
import type { ModelPart } from './model-client.ts';

interface BufferedCall {
  readonly call: number;
  id: string;
  name: string;
  /** Arguments that came before the name: nothing can be told of a call until it has one. */
  held: string;
  opened: boolean;
}

/**
 * Finds out which call a fragment of `delta.tool_calls` belongs to. With an `index` it belongs to that index,
 * unless it brings both a name and an id of its own.
 * Without one, an id not seen before, or else a name, opens a new call; anything else continues the newest.
 * Id and name are the first that are not empty: providers repeat them, or send "" later.
 */
export class ToolCallBuffer {
  private readonly calls: BufferedCall[] = [];
  private readonly byIndex = new Map<number, BufferedCall>();
  private readonly byId = new Map<string, BufferedCall>();

  read(fragments: unknown, parts: ModelPart[]): void {
    for (const raw of asArray(fragments)) {
      const fragment = asObject(raw);
      if (fragment !== null) this.take(fragment, parts);
    }
  }

  /** Opens what never got a name, so that it is answered and not lost. */
  end(parts: ModelPart[]): void {
    for (const call of this.calls) if (!call.opened) this.open(call, parts);
  }

  private take(fragment: Json, parts: ModelPart[]): void {
    const details = asObject(fragment['function']) ?? {};
    const id = asText(fragment['id']);
    const name = asText(details['name']);
    const call = this.find(fragment['index'], id, name);
    if (call.id === '' && id !== '') {
      call.id = id;
      this.byId.set(id, call);
    }
    if (call.name === '') call.name = name;
    const delta = argumentsOf(details['arguments']);
    if (!call.opened && call.name === '') {
      call.held += delta;
      return;
    }
    if (!call.opened) this.open(call, parts);
    if (delta !== '') parts.push({ type: 'arguments', call: call.call, delta });
  }

  private find(index: unknown, id: string, name: string): BufferedCall {
    if (typeof index === 'number') {
      const known = this.byIndex.get(index);
      // Another id and a name under a known index is another call: some servers give every call the index 0.
      const isOther = known !== undefined && id !== '' && name !== '' && known.id !== '' && known.id !== id;
      if (known !== undefined && !isOther) return known;
      const call = this.add();
      this.byIndex.set(index, call);
      return call;
    }
    const named = id === '' ? undefined : this.byId.get(id);
    if (named !== undefined) return named;
    const newest = this.calls.at(-1);
    return newest === undefined || id !== '' || name !== '' ? this.add() : newest;
  }

  private add(): BufferedCall {
    const call = { call: this.calls.length, id: '', name: '', held: '', opened: false };
    this.calls.push(call);
    return call;
  }

  private open(call: BufferedCall, parts: ModelPart[]): void {
    call.opened = true;
    parts.push({ type: 'call', call: call.call, callId: call.id === '' ? null : call.id, name: call.name });
    if (call.held !== '') parts.push({ type: 'arguments', call: call.call, delta: call.held });
  }
}

/** Arguments are JSON text; a provider that sends the object itself is understood too. */
function argumentsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return asObject(value) === null ? '' : JSON.stringify(value);
}
