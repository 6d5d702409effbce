import { writeFileSync } from 'node:fs';
import { printSchema } from 'graphql';
import { schema } from './schema.ts';

/** `npm run schema`: writes what the code says to schema.graphql. */
writeFileSync(new URL('../../schema.graphql', import.meta.url), `${printSchema(schema)}\n`);
process.stdout.write('schema.graphql is up to date\n');
