import type { ResponseView } from '../engine/read-responses.ts';
import { builder } from './builder.ts';

/** Declared apart from its fields, which name types that name it. */
export const Response = builder.objectRef<ResponseView>('Response');
