import type { EffectiveExplanation, ExplainedStep, ExplainedValue, RequestExplanation } from '@weft/admin-api';
import { printable, type Style } from '../terminal/style.ts';

/** Columns that the middle one may take before the origin goes to a line of its own. */
const widestValue = 60;
/** Columns of names that are put together, as what they say is the same. */
const widestNames = 44;
/** Lines of what was passed over, or of endpoints; `-o json` has all. */
const longestList = 12;
const titleWidth = 13;

/** What is in force for a service or a workload, for people. */
export function effectiveText({ subject, from, sections }: EffectiveExplanation, style: Style): string {
  const lines = [subject === `Proxy ${from}` ? style.strong(subject) : `${style.strong(subject)} as ${from} has it`];
  for (const { title, values } of sections) {
    lines.push('', style.strong(title), ...valueLines(values, '  ', style));
  }
  return `${lines.join('\n')}\n`;
}

/** The way of a request, for people. @param request as it was asked for. */
export function requestText({ proxy, steps, outcome }: RequestExplanation, request: string, style: Style): string {
  const lines = [`${style.strong(printable(request))} from ${proxy}`];
  let previous: ExplainedStep | undefined;
  for (const step of steps) {
    lines.push('', ...headLines(step, style));
    if (step.passedOver.length > 0) {
      lines.push(`  ${style.faint('passed over')}`, ...valueLines(shortened(step.passedOver), '    ', style));
    }
    if (step.title === 'destination') {
      // Shares of one route differ in little.
      const changed = step.values.filter((value) => !previous?.values.some((other) => isSame(value, other)));
      lines.push(...valueLines(together(changed), '  ', style));
      lines.push(...(changed.length < step.values.length ? [`  ${style.faint('all else as above')}`] : []));
      previous = step;
    } else {
      lines.push(...valueLines(shortened(step.values), '  ', style));
    }
  }
  lines.push('', `${style.strong('result'.padEnd(titleWidth))}${printable(outcome)}`, '');
  return lines.join('\n');
}

function headLines({ title, result, origin }: ExplainedStep, style: Style): readonly string[] {
  const head = `${style.strong(title.padEnd(titleWidth))}${printable(result)}`;
  if (origin === '') {
    return [head];
  }
  const indent = ' '.repeat(titleWidth);
  return result.length <= widestValue
    ? [`${head}  ${style.faint(printable(origin))}`]
    : [head, `${indent}${style.faint(printable(origin))}`];
}

function shortened(values: readonly ExplainedValue[]): readonly ExplainedValue[] {
  const more = values.length - longestList;
  return more > 1
    ? [...values.slice(0, longestList), { name: `… and ${more} more (-o json)`, value: '', origin: '' }]
    : values;
}

function isSame(a: ExplainedValue, b: ExplainedValue): boolean {
  return a.name === b.name && a.value === b.value && a.origin === b.origin;
}

/** Neighbours that say the same, from the same place, in one line. */
function together(values: readonly ExplainedValue[]): readonly ExplainedValue[] {
  const joined: ExplainedValue[] = [];
  for (const value of values) {
    const before = joined.at(-1);
    const name = `${before?.name}, ${value.name}`;
    if (before?.value === value.value && before.origin === value.origin && name.length <= widestNames) {
      joined[joined.length - 1] = { ...value, name };
    } else {
      joined.push(value);
    }
  }
  return joined;
}

function valueLines(values: readonly ExplainedValue[], indent: string, style: Style): readonly string[] {
  const nameWidth = Math.max(...values.map(({ name }) => name.length), 0);
  const valueWidth = Math.min(widestValue, Math.max(...values.map(({ value }) => value.length), 0));
  const width = indent.length + nameWidth + valueWidth + 2;
  return values.flatMap(({ name, value, origin }) => {
    const head = `${indent}${printable(name).padEnd(nameWidth)}  ${printable(value)}`;
    if (origin === '') {
      return [head.trimEnd()];
    }
    return head.length > width
      ? [head, `${indent}${' '.repeat(nameWidth + 2)}${style.faint(origin)}`]
      : [`${head.padEnd(width)}  ${style.faint(origin)}`];
  });
}
