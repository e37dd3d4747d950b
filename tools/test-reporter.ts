/**
 * The reporter of `npm test`: failures in full, one line a file, skips with their reasons, and a count that nothing escapes.
 * Writes its totals as JSON to the file named by WEFT_TEST_TOTALS, for the runner that adds several runs up.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

interface TestData {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string;
    readonly error?: { readonly cause?: unknown; readonly message: string };
  };
}

type TestEvent = { readonly type: string; readonly data: TestData };

function describe(error: unknown): string {
  if (error instanceof Error) {
    return error.stack ?? error.message;
  }
  return String(error);
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0 };
  const skipped: { readonly test: string; readonly reason: string }[] = [];
  const failures: string[] = [];
  const files = new Map<string, { passed: number; failed: number; skipped: number; ms: number }>();
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') {
      continue;
    }
    const file = data.file === undefined ? '(runner)' : relative(process.cwd(), data.file);
    const row = files.get(file) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
    files.set(file, row);
    if (data.nesting === 0) {
      row.ms += data.details.duration_ms;
    }
    const isSkipped = data.skip !== undefined && data.skip !== false;
    // A suite that is skipped says nothing of the tests in it.
    if (data.details.type === 'suite' && type === 'test:pass' && !isSkipped) {
      continue;
    }
    if (isSkipped) {
      const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given';
      skipped.push({ test: `${file}: ${data.name}`, reason });
      row.skipped += 1;
      yield `SKIP ${file}: ${data.name}: ${reason}\n`;
    } else if (type === 'test:fail') {
      counts.failed += 1;
      row.failed += 1;
      const text = `FAIL ${file}: ${data.name}\n${describe(data.details.error?.cause ?? data.details.error)}\n`;
      failures.push(text);
      yield text;
    } else {
      counts.passed += 1;
      row.passed += 1;
    }
  }
  for (const [file, row] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const parts = [`${row.passed} passed`];
    if (row.failed > 0) {
      parts.push(`${row.failed} failed`);
    }
    if (row.skipped > 0) {
      parts.push(`${row.skipped} skipped`);
    }
    yield `  ${file}: ${parts.join(', ')} (${(row.ms / 1000).toFixed(1)} s)\n`;
  }
  if (failures.length > 0) {
    yield `\n${failures.length} failed:\n${failures.map((text) => text.split('\n')[0]).join('\n')}\n`;
  }
  const totalsFile = process.env['WEFT_TEST_TOTALS'];
  if (totalsFile !== undefined) {
    writeFileSync(totalsFile, JSON.stringify({ ...counts, skipped }));
  }
}
