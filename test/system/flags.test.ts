/** Flags and commands of the command line are named in src/cli alone: the library has callers without a command line. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands/commands.js';

const root = fileURLToPath(new URL('../../../src/', import.meta.url));
const loaded = await Promise.all(Object.values(commands).map(({ load }) => load()));
const flags = new Set(loaded.flatMap(({ options }) => options.map(({ long }) => long)));
const names = Object.keys(commands).join('|');

/** The strings of a source, template strings with what is between their braces; comments are left out. */
function stringsIn(text: string): string[] {
  const token = /\/\*.*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/gs;
  return [...text.matchAll(token)].map(([found]) => found).filter((found) => !found.startsWith('/'));
}

/** The flags and commands of Satin that a source's strings name. */
function named(text: string): string[] {
  return stringsIn(text).flatMap((string) => [
    ...[...string.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)]
      .map(([flag]) => flag)
      .filter((flag) => flags.has(flag)),
    ...[...string.matchAll(new RegExp(`\\bsatin (?:${names})\\b`, 'g'))].map(([found]) => found),
  ]);
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith(`cli${sep}`))
  .sort();

describe('a flag or a command', () => {
  it('is found where a string names one, and not in comments or in names of another program', () => {
    assert.deepEqual(named("throw new Error('Use --resume.');"), ['--resume']);
    assert.deepEqual(named('const a = `Continue with ./satin evaluate PATH\n--resume FOLDER`;'), [
      '--resume',
      'satin evaluate',
    ]);
    assert.deepEqual(named('/** As `--resume` says. */ // satin train\n'), []);
    assert.deepEqual(named("execFileSync('git', ['status', '--porcelain']);"), []);
  });

  it('is named in no string of src/ outside src/cli/', () => {
    assert.ok(files.length > 150, `${files.length} files`);
    assert.ok(flags.size > 30, `${flags.size} flags`);
    const found = files.flatMap((file) =>
      named(readFileSync(join(root, file), 'utf8')).map((each) => `${file}: ${each}`),
    );
    assert.deepEqual(found, []);
  });
});
