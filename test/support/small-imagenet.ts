/** ImageNet in small, in both layouts, made for the tests of one process and removed at its end. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { packTar } from 'modern-tar';
import sharp from 'sharp';
import { InputError } from '../../src/errors.js';

export const root = mkdtempSync(join(tmpdir(), 'satin-imagenet-'));
after(() => rmSync(root, { recursive: true }));

export const classes = ['n01', 'n02', 'n03'];
export const perClass = 6;

/** A picture with structure, different for each number. */
export function picture(number: number, height = 24, width = 30): Buffer {
  return Buffer.from(
    Array.from({ length: height * width * 3 }, (_, at) => {
      const [y, x, channel] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width, at % 3];
      return Math.round(127 + 120 * Math.sin((x * (number + 2) + y * 3 + channel * 20) / 15));
    }),
  );
}

export const raw = (number: number) =>
  sharp(picture(number), { raw: { height: 24, width: 30, channels: 3 } });
export const jpeg = (number: number) => raw(number).jpeg({ quality: 95 }).toBuffer();

export async function makeFolder(): Promise<string> {
  const dir = mkdtempSync(join(root, 'folder-'));
  for (const part of ['train', 'val'])
    for (const [label, name] of classes.entries()) {
      mkdirSync(join(dir, part, name), { recursive: true });
      for (let at = 0; at < (part === 'train' ? perClass : 1); at++) {
        const number = String(10 * label + at).padStart(8, '0');
        const file = part === 'train' ? `${name}_${at}.JPEG` : `ILSVRC2012_val_${number}.JPEG`;
        writeFileSync(join(dir, part, name, file), await jpeg(10 * label + at));
      }
    }
  return dir;
}

export async function makeShards(): Promise<string> {
  const dir = mkdtempSync(join(root, 'shards-'));
  const long = `${'deep/'.repeat(30)}a`; // more than the header of tar holds
  for (let shard = 0; shard < 3; shard++) {
    const entries = [];
    for (let at = 0; at < 6; at++) {
      const number = 6 * shard + at;
      const [label, key] = [Math.floor(number / perClass), `${number === 4 ? long : 'img'}${number}`];
      entries.push({
        name: `${key}.jpg`,
        body: new Uint8Array(await jpeg(10 * label + (number % perClass))),
      });
      if (number % 2 === 0) entries.push({ name: `${key}.cls`, body: `${label}` });
      else entries.push({ name: `${key}.json`, body: JSON.stringify({ label, filename: 'x' }) });
    }
    const archive = await packTar(
      entries.map(({ name, body }) => ({ header: { name, size: body.length }, body })),
    );
    writeFileSync(join(dir, `imagenet-train-00000${shard}.tar`), archive);
  }
  writeFileSync(join(dir, 'classes.txt'), `${classes.join('\n')}\n`);
  return dir;
}

export const folder = await makeFolder();
export const shards = await makeShards();
export const split = { layout: null, split: 'train', validation: 0, validationSeed: 0 } as const;

export const refused = (expected: RegExp) => (error: unknown) => {
  assert.ok(error instanceof InputError, String(error));
  assert.match(error.message, expected);
  return true;
};
