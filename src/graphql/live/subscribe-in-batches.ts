import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  executeSubscriptionEvent,
  type GraphQLError,
  type ValidatedSubscriptionArgs,
  validateSubscriptionArgs,
} from 'graphql';
import type { Following } from '../../engine/following/following.ts';
import type { ResponseEvent } from '../../protocol/events.ts';
import { abortable } from '../../util/async-iteration.ts';
import type { EventNode } from '../event-types.ts';
import { EventNodes } from './event-nodes.ts';
import { type SharedSelection, selectionOf, toWireText, type WireText } from './shared-selection.ts';

/** The results of a subscription, those of one batch of events together. Leaving releases the follower at once. */
export interface ResultBatches {
  readonly kind: 'batches';
  readonly texts: AsyncGenerator<readonly WireText[], void>;
  /** As `EventBatches.tap`: offers what a batch gives at once, while whoever reads `texts` waits for the next one. */
  readonly tap: (take: (texts: readonly WireText[]) => boolean) => void;
}

/** A mask for errors that were not foreseen, as the transports use it. */
export type MaskError = (error: unknown) => GraphQLError;

/**
 * Subscribes as GraphQL's own `subscribe` does, with equal results, but gives whole batches of them, as texts: on the
 * path of a delta nothing is executed, awaited or serialised for each event and follower. What a selection cannot
 * say by itself is executed, event by event, in its place among the others.
 *
 * @returns null for what is better left to `subscribe`: nothing has been done then. The stream ends with an error, masked,
 *   when its source does.
 */
export async function subscribeInBatches(
  args: ExecutionArgs,
  mask: MaskError,
): Promise<ResultBatches | ExecutionResult | null> {
  const operation = validateSubscriptionArgs(args);
  if (!('schema' in operation)) return { errors: operation };
  const selection = selectionOf(operation);
  if (selection === null) return null;
  const source = await createSourceEventStream(operation);
  if (!(source instanceof EventNodes)) {
    if ('errors' in source) return source;
    throw new Error('This subscription has another kind of source.');
  }
  return toResults(source.following, { args, selection, mask });
}

/** Without the validated arguments: they are several times as much, and few streams need them again. */
interface Plan {
  readonly args: ExecutionArgs;
  readonly selection: SharedSelection;
  readonly mask: MaskError;
}

function toResults(following: Following, plan: Plan): ResultBatches {
  const { base, batches } = following;
  const { selection, args } = plan;
  return {
    kind: 'batches',
    texts: textsOf(following, plan),
    tap: (take) =>
      batches.tap?.((batch) => {
        const texts = selection.textsOf(batch, base, args.contextValue);
        return isWhole(texts) && take(texts);
      }),
  };
}

function textsOf({ base, batches }: Following, plan: Plan): AsyncGenerator<readonly WireText[], void> {
  const { args, selection, mask } = plan;
  let validated: ValidatedSubscriptionArgs | null = null;
  const execute = (event: ResponseEvent) => {
    validated ??= validate(args);
    return resultOf({ event, base }, validated, mask);
  };
  return abortable<readonly WireText[]>(async function* (signal) {
    signal.addEventListener('abort', () => void batches.return().catch(() => {})); // the loop meets the error
    try {
      for await (const batch of batches) {
        const texts = selection.textsOf(batch, base, args.contextValue);
        yield isWhole(texts)
          ? texts
          : await Promise.all(batch.map((event, index) => texts[index] ?? execute(event)));
      }
    } catch (error) {
      throw mask(error);
    } finally {
      await batches.return();
    }
  });
}

function isWhole(texts: readonly (WireText | null)[]): texts is readonly WireText[] {
  return !texts.includes(null);
}

/** @throws if they were not valid: those of a stream are. */
function validate(args: ExecutionArgs): ValidatedSubscriptionArgs {
  const validated = validateSubscriptionArgs(args);
  if ('schema' in validated) return validated;
  throw new Error('The arguments of a subscription are valid no more.');
}

async function resultOf(
  event: EventNode,
  operation: ValidatedSubscriptionArgs,
  mask: MaskError,
): Promise<WireText> {
  const { errors, ...result } = await executeSubscriptionEvent({ ...operation, rootValue: event });
  return toWireText(JSON.stringify(errors === undefined ? result : { ...result, errors: errors.map(mask) }));
}
