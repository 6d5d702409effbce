/**
 * A body of these chunks. Cancelling it calls `onCancel`, which must end whatever `chunks` waits for: a generator
 * that waits does not hear of it by itself.
 */
export function toBody(
  chunks: AsyncGenerator<Uint8Array, void>,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: onCancel,
  });
}
