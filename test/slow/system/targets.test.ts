/**
 * Every command that writes, on targets that are full after 2, 40 or 200 KiB, read-only, or something else than a file:
 * one sentence and the exit code of the docs, what was there is unchanged, no half file is left, and the result of an
 * evaluation was printed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import sharp from 'sharp';
import { satin, tinyRecipe, writeTinyMnist } from '../../support/tiny-run.js';

const folder = mkdtempSync(join(tmpdir(), 'satin-targets-'));
after(() => rmSync(folder, { recursive: true }));
const place = (...names: readonly string[]) => join(folder, ...names);
writeTinyMnist(place('mnist'));
writeFileSync(place('tiny.yaml'), JSON.stringify(tinyRecipe(place('mnist'))));
writeFileSync(
  place('photo.png'),
  await sharp({ create: grey(8) })
    .png()
    .toBuffer(),
);
assert.equal(satin('train', place('tiny.yaml'), '--out', place('run')).status, 0);

function grey(size: number) {
  return { width: size, height: size, channels: 3 as const, background: { r: 90, g: 90, b: 90 } };
}

const quick = ['--examples', '16', '--attack', 'pgd-3', '--threads', '1', '--device', 'cpu'];
/** The words of each command that writes into a folder. */
const commands: Readonly<Record<string, (target: string) => readonly string[]>> = {
  train: (target) => ['train', place('tiny.yaml'), '--out', join(target, 'out')],
  'evaluate --json': (target) => ['evaluate', place('run'), ...quick, '--json', join(target, 'out')],
  'evaluate --report': (target) => [
    ...['evaluate', place('run'), ...quick, '--curve-examples', '0', '--report', join(target, 'out')],
  ],
  'evaluate --save-adversarial': (target) => [
    ...['evaluate', place('run'), ...quick, '--save-adversarial', join(target, 'out')],
  ],
  report: (target) => ['report', place('run'), ...quick, '--out', join(target, 'out')],
  'export safetensors': (target) => [
    ...['export', place('run'), '--format', 'safetensors', '--out', join(target, 'out')],
  ],
  'export torchscript': (target) => [
    ...['export', place('run'), '--format', 'torchscript', '--out', join(target, 'out')],
  ],
  attack: (target) => ['attack', place('run'), place('photo.png'), '--out', join(target, 'out')],
};

/** Files below a folder that are neither whole results nor what a resumed command needs. */
function partial(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(tmp|unchecked)$|(^|\/)lock$/.test(name),
  );
}

function assertSentence(stderr: string, name: string): void {
  const sentences = stderr.split('\n').filter((line) => line.startsWith('satin: '));
  assert.equal(sentences.length, 1, `${name}: ${stderr}`);
  assert.doesNotMatch(stderr, /bug in Satin|\n +at /, name);
}

describe('a target', () => {
  for (const kilobytes of [2, 40, 200])
    it(`that is full after ${kilobytes} KiB costs no result`, (context) => {
      for (const [name, words] of Object.entries(commands)) {
        const disk = mkdtempSync(place('disk-'));
        try {
          // The file system counts in pages of 4 KiB, and takes one itself.
          execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${Math.max(4, kilobytes)}k`, 'tmpfs', disk], {
            stdio: 'ignore',
          });
        } catch {
          context.skip('mounting needs root');
          return;
        }
        try {
          if (kilobytes === 2) writeFileSync(join(disk, 'filler'), Buffer.alloc(2048));
          const { status, stdout, stderr } = satin(...words(disk));
          assert.deepEqual(partial(disk), [], name);
          if (status === 0) continue;
          assert.equal(status, 2, `${name}: ${stderr}`);
          assertSentence(stderr, name);
          assert.match(stderr, /the disk is full/, name);
          // Either refused before the work, or the result was printed before.
          const began = /epoch|checks/.test(stderr);
          if (name.startsWith('evaluate -') && began) assert.match(stdout, /robust/, name);
        } finally {
          execFileSync('umount', [disk]);
        }
      }
    });

  it('that is read-only is refused before the work', (context) => {
    for (const [name, words] of Object.entries(commands)) {
      const disk = mkdtempSync(place('disk-'));
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', disk], { stdio: 'ignore' });
      } catch {
        context.skip('mounting needs root');
        return;
      }
      try {
        const { status, stdout, stderr } = satin(...words(disk));
        assert.deepEqual([status, stdout], [2, ''], `${name}: ${stderr}`);
        assertSentence(stderr, name);
        assert.match(stderr, /read-only/, name);
      } finally {
        execFileSync('umount', [disk]);
      }
    }
  });

  it('that is a folder, a file, or has too long a name is refused and left as it is', () => {
    for (const [name, words] of Object.entries(commands)) {
      const asFolder = mkdtempSync(place('kind-'));
      mkdirSync(join(asFolder, 'out'));
      writeFileSync(join(asFolder, 'out', 'mine'), 'kept');
      const first = satin(...words(asFolder));
      assert.equal(first.status, 2, `${name}: ${first.stderr}`);
      assertSentence(first.stderr, name);
      assert.equal(readFileSync(join(asFolder, 'out', 'mine'), 'utf8'), 'kept');

      const long = satin(...words(place('n'.repeat(300))));
      assert.equal(long.status, 2, `${name}: ${long.stderr}`);
      assertSentence(long.stderr, name);

      const inFile = place('mine.txt');
      writeFileSync(inFile, 'kept');
      const below = satin(...words(inFile));
      assert.equal(below.status, 2, `${name}: ${below.stderr}`);
      assertSentence(below.stderr, name);
      assert.equal(readFileSync(inFile, 'utf8'), 'kept');
    }
  });

  it('whose lock or last checkpoint is a folder is refused, and nothing is touched', () => {
    for (const odd of ['lock', 'checkpoints/last.json', 'events.jsonl', 'manifest.json', 'recipe.json']) {
      const run = mkdtempSync(place('odd-'));
      rmSync(run, { recursive: true });
      const words = ['train', place('tiny.yaml'), '--out', run];
      assert.equal(satin(...words).status, 0);
      if (odd !== 'events.jsonl')
        writeFileSync(join(run, 'events.jsonl'), withoutEnd(join(run, 'events.jsonl')));
      rmSync(join(run, odd), { force: true });
      mkdirSync(join(run, odd));
      const { status, stderr } = satin(...words, '--resume');
      assert.equal(status, 2, `${odd}: ${stderr}`);
      assertSentence(stderr, odd);
      assert.ok(statSync(join(run, odd)).isDirectory());
    }
  });
});

function withoutEnd(file: string): string {
  return `${readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1).join('\n')}\n`;
}
