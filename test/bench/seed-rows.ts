import type postgres from 'postgres';
import {
  answerOf,
  ERROR,
  ITEM,
  LAST_SEQUENCE,
  logOf,
  MODEL,
  QUESTION,
  STATUSES,
  settingsOf,
  TEXT,
  TIME,
  USAGE,
} from './seed-templates.ts';

/** What the rows are made from: row `n` of `count`, 0 first, was created `n / count` of the way from `from` to `to`. */
export interface Rows {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Of ten stretches of a thousand responses, so many have their items. */
  readonly stretchesWithItems: number;
  /** So many of the newest have their log. */
  readonly logs: number;
}

/**
 * What rows are like follows from their number alone, so that any part of them can be made by itself:
 * - statuses: 1 % each failed, incomplete and cancelled, the others completed
 * - models: 70 %, 20 %, nearly 9 %, 1 % and one in ten thousand
 * - background: 2 %
 * - metadata: `env` on every row, `tier` on 5 %, `user` on 30 % (one of 100,000), `campaign` on one in a thousand,
 *   `batch` on one in a hundred thousand, `ticket` on the middle one alone
 * - of every million, every 101st of the first 101,000 continues the one before it: a chain of 1,000; of all others a
 *   tenth continues another, up to three deep, and one in 30,000 continues row 5
 */
export async function createFunctions(sql: postgres.Sql, { count, from, to }: Rows): Promise<void> {
  await sql.unsafe(`
    create function pg_temp.at_ms(n bigint) returns bigint immutable language sql
      return ${from} + n * ${to - from} / ${count};
    create function pg_temp.at(ms bigint) returns timestamptz immutable language sql
      return timestamptz 'epoch' + ms * interval '1 millisecond';
    create function pg_temp.seed_id(prefix text, n bigint, salt text) returns text immutable language sql
      return prefix || lpad(to_hex(pg_temp.at_ms(n)), 12, '0') || left(md5(salt || n), 20);
    create function pg_temp.draw(n bigint, salt int, faces int) returns int immutable language sql
      return ((hashint8extended(n, salt) & 9223372036854775807) % faces)::int;
    create function pg_temp.status_of(n bigint) returns text immutable language sql
      return case pg_temp.draw(n, 1, 100) when 0 then 'failed' when 1 then 'incomplete' when 2 then 'cancelled'
        else 'completed' end;
    create function pg_temp.is_deep(n bigint) returns boolean immutable language sql
      return n % 1000000 < 101000 and n % 1000000 % 101 = 0;
    create function pg_temp.text_of(n bigint, salt int) returns text immutable language sql
      return left(md5(n::text) || ' ' || repeat('Barn owls hunt by ear, in the dark and in silence. ', 5),
        40 + pg_temp.draw(n, salt, 160));`);
}

/** Rows `first` to `last` of `responses`. */
export async function insertResponses(sql: postgres.Sql, rows: Rows, [first, last]: Span): Promise<void> {
  await sql`
    insert into responses (id, tenant, created_at, status, completed_at, model, previous_response_id, depth, settings,
      metadata, usage, error, incomplete_reason, last_sequence, background, trimmed_at)
    select pg_temp.seed_id('resp_', n, 'r'), 'default', pg_temp.at(ms), status, pg_temp.at(ms + took), model,
      case when back > 0 then pg_temp.seed_id('resp_', n - back, 'r') end, depth,
      replace(case when background then ${settingsOf(true)}::text else ${settingsOf(false)}::text end, ${MODEL}, model),
      jsonb_strip_nulls(jsonb_build_object(
        'env', 'prod',
        'tier', case when pg_temp.draw(n, 2, 20) = 0 then 'gold' end,
        'user', case when pg_temp.draw(n, 3, 10) < 3 then 'u' || pg_temp.draw(n, 4, 100000) end,
        'campaign', case when pg_temp.draw(n, 5, 1000) = 0 then 'spring' end,
        'batch', case when pg_temp.draw(n, 6, 100000) = 0 then 'nightly' end,
        'ticket', case when n = ${rows.count / 2}::bigint then 'T-1' end)),
      case when status = 'completed' then ${JSON.stringify(USAGE)}::text end,
      case when status = 'failed' then ${JSON.stringify(ERROR)}::text end,
      case when status = 'incomplete' then 'max_output_tokens' end,
      ${LAST_SEQUENCE}::int, background,
      case when n < ${rows.count - rows.logs}::bigint then pg_temp.at(ms + took + 3600000) end
    from generate_series(${first}::bigint, ${last}::bigint) n,
      lateral (select pg_temp.at_ms(n) as ms, pg_temp.status_of(n) as status, 500 + pg_temp.draw(n, 7, 9000) as took,
        case when pg_temp.draw(n, 8, 10000) = 0 then 'o-rare' when pg_temp.draw(n, 9, 100) < 70 then 'gpt-4o-mini'
          when pg_temp.draw(n, 9, 100) < 90 then 'gpt-4o' when pg_temp.draw(n, 9, 100) < 99 then 'llama3.2'
          else 'qwen3' end as model,
        pg_temp.draw(n, 10, 50) = 0 as background, n % 1000000 as m, n % 30 as r) drawn,
      lateral (select case
        when pg_temp.is_deep(n) then 'deep'
        -- No deep one among the four of a short chain.
        when r between 11 and 13 and (m - r + 13) / 101 = (m - r + 9) / 101 then 'short'
        when n % 30000 = 19 then 'popular'
        else 'root' end as kind) sorted,
      lateral (select
        case kind when 'deep' then case when m > 0 then 101 else 0 end when 'short' then 1 when 'popular' then n - 5
          else 0 end as back,
        case kind when 'deep' then m / 101 when 'short' then r - 10 when 'popular' then 1 else 0 end as depth) placed`;
}

/** An input and an output message each, for the stretches that have them and for every turn of the deep chains. */
export async function insertItems(sql: postgres.Sql, rows: Rows, [first, last]: Span): Promise<void> {
  const body = (template: object) => JSON.stringify(template);
  await sql`
    insert into items (id, tenant, response_id, direction, position, type, body)
    select made.id, 'default', pg_temp.seed_id('resp_', n, 'r'), made.direction, made.position, 'message',
      replace(replace(made.body, ${ITEM}, made.id), ${TEXT}, made.text)
    from generate_series(${first}::bigint, ${last}::bigint) n,
      lateral (values
        (pg_temp.seed_id('msg_', n, 'i'), 'input', 0, ${body(QUESTION)}::text, pg_temp.text_of(n, 11)),
        (pg_temp.seed_id('msg_', n, 'o'), 'output', 1, case when pg_temp.status_of(n) = 'completed'
          then ${body(answerOf('completed'))}::text else ${body(answerOf('failed'))}::text end, pg_temp.text_of(n, 12)))
        made (id, direction, position, body, text)
    where n / 1000 % 10 < ${rows.stretchesWithItems}::int or pg_temp.is_deep(n)`;
}

/** The logs of the newest. */
export async function insertEvents(sql: postgres.Sql, rows: Rows): Promise<void> {
  const bodies = STATUSES.map((status) => JSON.stringify(logOf(status)));
  await sql`
    insert into events (tenant, response_id, first, last, body)
    select 'default', pg_temp.seed_id('resp_', n, 'r'), 0, ${LAST_SEQUENCE}::int,
      replace(replace(replace(log.body, ${ITEM}, pg_temp.seed_id('msg_', n, 'o')), ${TEXT}, pg_temp.text_of(n, 12)),
        ${String(TIME)}, pg_temp.at_ms(n)::text)
    from generate_series(${Math.max(0, rows.count - rows.logs)}::bigint, ${rows.count - 1}::bigint) n
    join unnest(${[...STATUSES]}::text[], ${bodies}::text[]) log (status, body) on log.status = pg_temp.status_of(n)`;
}

/** The pairs of all metadata, which triggers would keep if they were not off. */
export async function insertPairs(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into response_metadata (pair, created_at, response_id)
    select pair, created_at, id from responses, metadata_pairs(tenant, metadata) pair order by 1, 2, 3`;
}

/** The numbers of the first and the last row. */
export type Span = readonly [first: number, last: number];
