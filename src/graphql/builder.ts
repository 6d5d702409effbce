import SchemaBuilder from '@pothos/core';
import { GraphQLDateTime, GraphQLJSON, GraphQLJSONObject } from 'graphql-scalars';
import type { Context } from './context.ts';

interface SchemaTypes {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: object | string | number | boolean; Output: unknown };
    JSONObject: { Input: { readonly [key: string]: unknown }; Output: { readonly [key: string]: unknown } };
  };
}

export type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>;

/** Builds the schema. It defines no types itself: each family has a file of its own. */
export const builder = new SchemaBuilder<SchemaTypes>({ defaultFieldNullability: false });

builder.addScalarType('DateTime', GraphQLDateTime);
builder.addScalarType('JSON', GraphQLJSON);
builder.addScalarType('JSONObject', GraphQLJSONObject);

builder.queryType({ description: 'What can be read. Nothing here starts, changes or stops a run.' });
builder.mutationType({ description: 'What starts runs and removes their results.' });
builder.subscriptionType({
  description: 'What can be followed live. Nothing here starts, changes or stops a run.',
});

/** Enum values with their descriptions: the name in the schema, the engine's spelling, what it means. */
export function enumValues<const Value extends string>(
  descriptions: { readonly [Key in Value]: string },
): { [Name in Uppercase<Value>]: { value: Lowercase<Name> & Value; description: string } } {
  const entries = Object.entries<string>(descriptions).map(([value, description]) => [
    value.toUpperCase(),
    { value, description },
  ]);
  return Object.fromEntries(entries) as never;
}
