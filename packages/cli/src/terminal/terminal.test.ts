import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@weft/testkit';
import { testTerminal } from '../../test/test-terminal.ts';
import { cutTo, LiveArea } from './live-area.ts';
import { printFailure } from './print-failure.ts';
import { Progress } from './progress.ts';
import { createStyle, displayWidth, printable } from './style.ts';
import { formatAge, formatTable } from './table.ts';

const esc = '\u001b';

test('columns line up whatever the cells hold, and no line ends in spaces', () => {
  const style = createStyle(true);
  const table = formatTable(
    [{ title: 'NAME' }, { title: 'RATE', align: 'right' }, { title: 'NOTE' }],
    [
      [style.good('a'), '1.0', ''],
      ['日本', '100.5', 'x'],
    ],
  );
  assert.deepEqual(table.replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '').split('\n'), [
    'NAME   RATE  NOTE',
    'a       1.0  -',
    '日本  100.5  x',
    '',
  ]);
});

test('colour is given only when asked for', () => {
  assert.equal(createStyle(false).bad('x'), 'x');
  assert.equal(createStyle(true).bad('x'), `${esc}[31mx${esc}[39m`);
  assert.equal(displayWidth(createStyle(true).strong('four')), 4);
});

test('control characters of others do not reach the screen', () => {
  assert.equal(printable(`a${esc}[2Jb\n`), 'a\\x1b[2Jb\\x0a');
  assert.equal(printable('a\nb', true), 'a\nb');
});

test('a line that is too long is cut, with its colours closed', () => {
  assert.equal(cutTo('abc', 3), 'abc');
  assert.equal(cutTo('abcdef', 4), `abc…${esc}[0m`);
  assert.ok(displayWidth(cutTo(createStyle(true).bad('abcdef'), 4)) <= 4);
});

test('the live area is rewritten in place, with other lines above it, and never taller than the screen', () => {
  const terminal = testTerminal({ isOutTty: true, rows: () => 3 });
  const area = new LiveArea(terminal);
  area.update('one\ntwo\nthree\n');
  assert.equal(terminal.printed.out, `${esc}[Jone\ntwo\n`);
  terminal.printed.out = '';
  area.print('news');
  assert.equal(terminal.printed.out, `${esc}[2A\r${esc}[Jnews\none\ntwo\n`);
});

test('ages are short', () => {
  assert.deepEqual([0, 119_000, 125_000, 600_000, 4 * 3_600_000, 72 * 3_600_000].map(formatAge), [
    '0s',
    '119s',
    '2m5s',
    '10m',
    '4h',
    '3d',
  ]);
});

test('progress: silent when it is quick, a line in place on a screen, one line elsewhere', () => {
  const clock = new ManualClock();
  const screen = testTerminal({ clock, isErrTty: true });
  const quick = new Progress(screen);
  quick.start('quick');
  quick.stop();
  assert.equal(screen.printed.err, '');
  const slow = new Progress(screen);
  slow.start('slow');
  slow.detail('3 of 9');
  clock.advance(2_000);
  assert.match(screen.printed.err, /\r.\[K. slow: 3 of 9 {2}\d s/);
  slow.done();
  assert.match(screen.printed.err, /✓ slow \(2\.0 s\)\n$/);
  const pipe = testTerminal({ clock });
  const plain = new Progress(pipe);
  plain.start('slow');
  clock.advance(10_000);
  plain.done();
  assert.equal(pipe.printed.err, '… slow\n✓ slow (10.0 s)\n');
});

test('a failure says what happened, where, why and how to mend it', () => {
  const terminal = testTerminal();
  printFailure(terminal, {
    what: 'It broke',
    where: '/tmp/x',
    why: 'first\nsecond',
    fix: 'Mend it.',
    code: 'DISK_FULL',
    violations: [
      { path: 'spec.a', file: 'x.yaml', line: 2, column: 3, code: 'UnknownField', message: 'no', fix: 'Write b.' },
    ],
    exitCode: 1,
  });
  assert.equal(
    terminal.printed.err,
    '✗ It broke  DISK_FULL\n  where  /tmp/x\n  why    first\n         second\n  fix    Mend it.\n\n  x.yaml:2:3  spec.a  UnknownField\n    no\n    fix: Write b.\n',
  );
});
