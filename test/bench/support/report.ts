import { format } from './format.ts';
import type { Played } from './play-scenario.ts';
import { columnsOf, figuresOf, spreadOf, verdictsOf } from './summary.ts';

/** What a scenario found, as Markdown: medians of every column, then the claims. */
export function reportOf(played: Played): string {
  const { scenario, rounds } = played;
  const columns = columnsOf(played);
  const figures = scenario.servers.map((name) => [
    name,
    ...columns.map((column) => format(spreadOf(figuresOf(played, name, column)).median)),
  ]);
  const verdicts = verdictsOf(played).map(({ claim, target, min, median, max, holds }) => [
    claim,
    target,
    format(min),
    format(median),
    format(max),
    holds ? 'yes' : '**no**',
  ]);
  return [
    `## ${scenario.name}`,
    `${scenario.title}. Medians of ${rounds.length} rounds.`,
    table([['', ...columns], ...figures]),
    table([['claim', 'target', 'min', 'median', 'max', 'holds'], ...verdicts]),
  ].join('\n\n');
}

/** A table whose columns are aligned in plain text, too. The first row is its head, the first column its names. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}
