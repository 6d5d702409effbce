import { builder } from './builder.ts';
import './node.ts';
import './item-types.ts';
import './response.ts';
import './responses.ts';
import './input-items.ts';
import './models.ts';
import './create-response.ts';
import './delete-response.ts';
import './events.ts';
import './response-stream.ts';

/** The whole schema. Each import above adds its part to the builder. */
export const schema = builder.toSchema();
