import type postgres from 'postgres';
import { AppError } from '../../util/errors.ts';
import { TENANT_ROLE } from './tenant-connection.ts';

/** Tables whose rows belong to tenants. */
const PROTECTED = ['responses', 'items', 'events', 'idempotency_keys', 'response_metadata'];

/** What statements that act for callers do, and nothing else. A lock on a row takes the right to update something. */
const RIGHTS: readonly (readonly [table: string, privilege: string, columns?: readonly string[]])[] = [
  ['responses', 'select'],
  ['responses', 'insert'],
  ['responses', 'update', ['deleted_at', 'trimmed_at', 'cancel_requested_at', 'followed_at']],
  ['items', 'select'],
  ['items', 'insert'],
  ['items', 'update', ['answered_by']],
  ['events', 'select'],
  ['events', 'insert'],
  ['events', 'delete'],
  ['idempotency_keys', 'select'],
  ['idempotency_keys', 'insert'],
  ['response_metadata', 'select'],
  ['response_metadata', 'insert'],
  ['response_metadata', 'delete'],
  ['processes', 'select'],
  ['processes', 'update', ['started_at']],
];

/** Of several servers that start together, on databases of one Postgres, one may find the work of another half done. */
const TRIES = 3;

/**
 * Sees to it that callers can be kept apart: makes the role that acts for them and gives it its rights, where they are
 * missing (a restored database may lack them), and looks whether row-level security holds for it.
 *
 * @throws AppError START_FAILED with one line that says what to run.
 */
export async function secureTenants(sql: postgres.Sql): Promise<void> {
  let cause: unknown;
  for (let attempt = 1; ; attempt++) {
    const found = await look(sql);
    if (found.hasRole && found.maySet && found.hasRights) return check(found);
    if (attempt > TRIES) throw refusal(roleComplaint(found), cause);
    try {
      if (!found.hasRole) await sql.unsafe(`create role ${TENANT_ROLE} nologin`);
      if (!found.maySet) await sql.unsafe(`grant ${TENANT_ROLE} to current_user`);
      if (!found.hasRights) await sql.unsafe(grants(found.schema));
    } catch (error) {
      cause = error;
    }
  }
}

interface Found {
  readonly login: string;
  readonly schema: string;
  readonly hasRole: boolean;
  /** The role sees more than it should. */
  readonly isMighty: boolean;
  /** This login may take on the role. */
  readonly maySet: boolean;
  readonly hasRights: boolean;
  /** Tables that are closed to nobody. */
  readonly open: readonly string[];
  /** Row-level security holds for this login too. */
  readonly isBound: boolean;
}

async function look(sql: postgres.Sql): Promise<Found> {
  const rights = RIGHTS.flatMap(([table, privilege, columns = ['']]) =>
    columns.map((column) => ({ table, privilege, column })),
  );
  const [found] = await sql<[Omit<Found, 'open'> & { open: string }]>`
    select current_user as login, current_schema() as schema, role.oid is not null as "hasRole",
      coalesce(role.rolsuper or role.rolbypassrls, false) as "isMighty",
      coalesce(pg_has_role(current_user, role.oid,
        case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end), false) as "maySet",
      coalesce(has_schema_privilege(role.oid, current_schema(), 'usage') and (
        select bool_and(case r."column" when '' then has_table_privilege(role.oid, r."table", r.privilege)
          else has_column_privilege(role.oid, r."table", r."column", r.privilege) end)
        from json_to_recordset(${JSON.stringify(rights)}::text::json)
          as r ("table" text, privilege text, "column" text)), false) as "hasRights",
      (select coalesce(json_agg(name order by name), '[]')::text from unnest(string_to_array(${PROTECTED.join()}, ',')) name
        where not (select relrowsecurity from pg_class where oid = name::regclass)
          or not exists (select 1 from pg_policy where polrelid = name::regclass)) as open,
      (select bool_or(row_security_active(name)) from unnest(string_to_array(${PROTECTED.join()}, ',')) name) as "isBound"
    from (select 1) one left join pg_roles role on role.rolname = ${TENANT_ROLE}`;
  return { ...found, open: JSON.parse(found.open) };
}

function grants(schema: string): string {
  const rights = RIGHTS.map(([table, privilege, columns]) => {
    const what = columns === undefined ? privilege : `${privilege} (${columns.join(', ')})`;
    return `grant ${what} on ${table} to ${TENANT_ROLE}`;
  });
  return [`grant usage on schema ${quoted(schema)} to ${TENANT_ROLE}`, ...rights].join(';');
}

function check({ isMighty, open, isBound, login }: Found): void {
  if (isMighty)
    throw refusal(
      `The role ${TENANT_ROLE} passes by row-level security: run "ALTER ROLE ${TENANT_ROLE} NOSUPERUSER NOBYPASSRLS".`,
    );
  if (open.length > 0) {
    const repair = open.map((table) => `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;`).join(' ');
    throw refusal(
      `Nothing keeps tenants apart in ${open.join(', ')}: run "${repair}", and create the policies of drizzle/0004_tenants.sql where they are missing.`,
    );
  }
  if (isBound)
    throw refusal(
      `The tables do not belong to ${quoted(login)}, who would not see their rows: set DATABASE_URL to their owner.`,
    );
}

function roleComplaint({ hasRole, maySet, login }: Found): string {
  const make = hasRole ? '' : `CREATE ROLE ${TENANT_ROLE} NOLOGIN; `;
  if (hasRole && maySet)
    return `The role ${TENANT_ROLE} lacks rights that ${quoted(login)} cannot give: set DATABASE_URL to the owner of the tables.`;
  return `Tenants are kept apart by a role that ${quoted(login)} may not ${hasRole ? 'use' : 'create'}: as a superuser run '${make}GRANT ${TENANT_ROLE} TO ${quoted(login)};'.`;
}

function refusal(message: string, cause?: unknown): AppError {
  return new AppError('START_FAILED', message, { cause });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
