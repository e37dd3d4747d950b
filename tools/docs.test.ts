/** The documentation against the code: links that lead somewhere, every command of `weft`, every kind of the API. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { kinds } from '../packages/resources/src/index.ts';

const root = resolve(import.meta.dirname, '..');

const pages = ['*.md', 'docs/**/*.md', 'bench/README.md'].flatMap((pattern) => globSync(pattern, { cwd: root })).sort();

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Without what is code: there, brackets are no links and `#` begins no heading. */
function prose(markdown: string): string {
  return markdown.replace(/^ *(```+|~~~+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, '').replace(/(`+)[^\n]*?\1/g, 'code');
}

/** Targets of `[text](target)` and `[label]: target`, external ones left out. */
function internalLinks(markdown: string): readonly string[] {
  const text = prose(markdown);
  return [...text.matchAll(/\]\(<?([^()\s<>]+)>?(?: "[^"]*")?\)/g), ...text.matchAll(/^\[[^\]]+\]: +(\S+)/gm)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** Anchors of a page's headings, as GitHub makes them; a heading that comes again gets a number. */
function anchors(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const withoutBlocks = markdown.replace(/^ *(```+|~~~+)[^\n]*\n[\s\S]*?^ *\1 *$/gm, '');
  return new Set(
    [...withoutBlocks.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map((match) => {
      const slug = (match[1] ?? '')
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** What is wrong with the links of one page. */
function brokenLinks(page: string, markdown: string): readonly string[] {
  return internalLinks(markdown).flatMap((target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), decodeURIComponent(path));
    if (relative(root, file).startsWith('..') || !existsSync(file)) {
      return [`${page}: ${target} leads nowhere`];
    }
    if (anchor === undefined || !file.endsWith('.md') || statSync(file).isDirectory()) {
      return [];
    }
    return anchors(readFileSync(file, 'utf8')).has(anchor) ? [] : [`${page}: ${target}: there is no such heading`];
  });
}

/** Names of the commands in a help text. */
function commandsIn(help: string): readonly string[] {
  const list = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? '';
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help');
}

const helpTexts = new Map<string, string>();

/** Help of a command; each is asked for once. */
function helpOf(...command: readonly string[]): string {
  const key = command.join(' ');
  let text = helpTexts.get(key);
  if (text === undefined) {
    const main = join(root, 'packages/cli/src/main.ts');
    const result = spawnSync(process.execPath, [main, ...command, '--help'], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    text = result.stdout;
    helpTexts.set(key, text);
  }
  return text;
}

test('every internal link of the documentation leads to a file and a heading that exist', () => {
  assert.ok(pages.includes('README.md') && pages.includes('docs/cli.md'), pages.join(', '));
  assert.deepEqual(
    pages.flatMap((page) => brokenLinks(page, read(page))),
    [],
  );
});

/** Pages that no links lead to from `start`; a link to a folder leads to all pages in it. */
function unreached(start: string, readPage: (page: string) => string): readonly string[] {
  const reached = new Set<string>();
  const pending = [start];
  for (let page = pending.pop(); page !== undefined; page = pending.pop()) {
    if (!reached.has(page)) {
      reached.add(page);
      const from = dirname(page);
      const targets = internalLinks(readPage(page)).map((target) => join(from, target.split('#')[0] ?? ''));
      pending.push(...pages.filter((other) => targets.some((to) => other === to || other.startsWith(join(to, '/')))));
    }
  }
  return pages.filter((page) => !reached.has(page));
}

test('every page is reached from the README; one that no link leads to is found', () => {
  assert.deepEqual(unreached('README.md', read), []);
  assert.ok(unreached('README.md', () => '[errors](docs/errors.md)').includes('docs/cli.md'));
});

test('a link that leads nowhere is found, one inside code is none', () => {
  const markdown = [
    '# A page',
    '[here](#a-page) [gone](no/such/page.md) [no heading](#nothing) [out](https://example.org/x)',
    '`[code](not-a-link)`',
    '```\n[block](not-a-link)\n```',
    '[label]: no-such-file.md',
  ].join('\n\n');
  assert.deepEqual(internalLinks(markdown), ['#a-page', 'no/such/page.md', '#nothing', 'no-such-file.md']);
  assert.ok(anchors(markdown).has('a-page'));
  assert.deepEqual(brokenLinks('docs/cli.md', '[a](no/such/page.md) [b](#nothing) [c](#exit-codes)'), [
    'docs/cli.md: no/such/page.md leads nowhere',
    'docs/cli.md: #nothing: there is no such heading',
  ]);
});

test('every command of weft has its section in docs/cli.md, and no other has one', () => {
  const commands = commandsIn(helpOf()).flatMap((name) => {
    const help = helpOf(name);
    const below = commandsIn(help);
    // A command that takes an argument of its own besides commands below it is one, too.
    const own = below.length === 0 || /^Usage: .*\[command\] [<[]/m.test(help) ? [name] : [];
    return [...own, ...below.map((sub) => `${name} ${sub}`)];
  });
  assert.ok(commands.length > 10, commands.join(', '));
  const sections = [...read('docs/cli.md').matchAll(/^## weft (.+)$/gm)].map((match) => match[1] ?? '');
  assert.deepEqual(sections.toSorted(), commands.toSorted());
});

test('every long flag in the help of a command is in its section of docs/cli.md, or explained for all', () => {
  const text = read('docs/cli.md');
  const common = new Set(['--help', '--kubeconfig', '--context', '--namespace', '--output', '--filename']);
  const missing = text
    .split(/^## weft /m)
    .slice(1)
    .flatMap((section) => {
      const name = section.slice(0, section.indexOf('\n'));
      const flags = [...helpOf(...name.split(' ')).matchAll(/^ {2}(?:(-[a-zA-Z]), )?(--[a-z-]+)/gm)];
      return flags
        .filter(([, short, long = '']) => {
          const known = common.has(long) || section.includes(long);
          const byShort = short !== undefined && new RegExp(`\`${short}[ \`]`).test(section);
          const asUp = name === 'demo' && text.includes(`| \`${long}`);
          return !known && !byShort && !asUp;
        })
        .map(([, , long = '']) => `weft ${name} ${long}`);
    });
  assert.deepEqual(missing, []);
});

test('every kind of the API is in the table of docs/api.md, with its group, versions and short names', () => {
  const rows = [...read('docs/api.md').matchAll(/^\| `([A-Za-z]+)` \| ([^|]+) \| ([^|]+) \| ([^|]*)\|/gm)].map(
    ([, kind = '', group = '', versions = '', shortNames = '']) =>
      [kind, group.trim(), versions.trim(), shortNames.trim().replaceAll('`', '')].join(' | '),
  );
  const wanted = kinds.map(({ kind, group, versions, shortNames }) =>
    [kind, group === '' ? 'core' : group, versions.join(', '), shortNames.join(', ')].join(' | '),
  );
  assert.deepEqual(rows.toSorted(), wanted.toSorted());
});
