import { format } from './format.ts';
import type { Played } from './play-scenario.ts';
import { columnsOf, figuresOf, spreadOf, verdictsOf } from './summary.ts';

/** What a scenario found, as Markdown: medians of every column, then the claims. */
export function reportOf(played: Played): string {
  const { scenario, rounds } = played;
  const verdicts = verdictsOf(played).map(({ claim, target, min, median, max, holds }) => [
    claim,
    target,
    format(min),
    format(median),
    format(max),
    HOLDS[holds],
  ]);
  return [
    `## ${scenario.name}`,
    `${scenario.title}. Medians of ${rounds.length} rounds.`,
    ...figureTables(played),
    table([['claim', 'target', 'min', 'median', 'max', 'holds'], ...verdicts]),
    ...disturbance(played),
  ].join('\n\n');
}

const HOLDS = { yes: 'yes', equal: 'equal', no: '**no**' } as const;

/** More than this, and the machine had other things to do. In percent of the time. */
const MUCH_WAITING = 15;

/** Says so when other programs had much of the core. */
function disturbance(played: Played): readonly string[] {
  const waited = played.scenario.servers.flatMap((name) => figuresOf(played, name, 'waited %'));
  const { median } = spreadOf(waited);
  if (!(median > MUCH_WAITING)) return [];
  return [
    `The machine was busy with other programs: the servers waited ${format(median)} % of the time for their core. Times, rates and the streams held are worse than on a quiet one.`,
  ];
}

/** Columns whose names begin alike, up to a colon, make a table of their own. */
function figureTables(played: Played): readonly string[] {
  const groups = Map.groupBy(columnsOf(played), (column) => /^(.*): /.exec(column)?.[1] ?? '');
  return [...groups].map(([group, columns]) => {
    const head = [group, ...columns.map((column) => column.replace(`${group}: `, ''))];
    const rows = played.scenario.servers.map((name) => [
      name,
      ...columns.map((column) => format(spreadOf(figuresOf(played, name, column)).median)),
    ]);
    return table([head, ...rows]);
  });
}

/** A table whose columns are aligned in plain text, too. The first row is its head, the first column its names. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rules = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`,
  );
  return [line(head), `|${rules.join('|')}|`, ...body.map(line)].join('\n');
}
