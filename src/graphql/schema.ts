import { builder } from './builder.ts';
import './node.ts';
import './item-types.ts';
import './web-search-call.ts';
import './mcp-items.ts';
import './response.ts';
import './responses.ts';
import './input-items.ts';
import './models.ts';
import './cancel-response.ts';
import './create-response.ts';
import './delete-response.ts';
import './events.ts';
import './text-events.ts';
import './tool-events.ts';
import './response-stream.ts';

/** The whole schema. Each import above adds its part to the builder. */
export const schema = builder.toSchema();
