/** The events of the floors: the fields of ours that clients select, and no more. */
export interface DeltaEvent {
  readonly __typename: 'OutputTextDeltaEvent';
  readonly sequenceNumber: number;
  readonly cursor: string;
  readonly itemId: string;
  readonly outputIndex: number;
  readonly contentIndex: number;
  readonly delta: string;
}

export interface LifecycleEvent {
  readonly __typename: 'ResponseCompletedEvent';
  readonly sequenceNumber: number;
  readonly cursor: string;
  readonly response: { readonly id: string; readonly status: string };
}

const RESPONSE_ID = 'resp_0198c0de0000700080000000000000aa';
const ITEM_ID = 'msg_0198c0de0000700080000000000000bb';

export function deltaEvent(sequenceNumber: number, delta: string): DeltaEvent {
  return {
    __typename: 'OutputTextDeltaEvent',
    sequenceNumber,
    cursor: `${RESPONSE_ID}:${sequenceNumber}`,
    itemId: ITEM_ID,
    outputIndex: 0,
    contentIndex: 0,
    delta,
  };
}

export function completedEvent(sequenceNumber: number): LifecycleEvent {
  return {
    __typename: 'ResponseCompletedEvent',
    sequenceNumber,
    cursor: `${RESPONSE_ID}:${sequenceNumber}`,
    response: { id: RESPONSE_ID, status: 'COMPLETED' },
  };
}
