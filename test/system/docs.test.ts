/** What README and docs/ say of names, commands, files and code is so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { activationTable } from '../../src/activations/describe.js';
import { activationNames, parseActivation } from '../../src/activations/parse.js';
import { activations, type Family } from '../../src/activations/table.js';
import { commands } from '../../src/cli/commands/commands.js';
import { dataNames } from '../../src/data/dataset-names.js';
import { loadRecipe, recipeNames } from '../../src/recipe/load-recipe.js';
import { parseRecipe } from '../../src/recipe/recipe.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Page {
  /** From the root: `docs/data.md`. */
  readonly path: string;
  readonly text: string;
}

/** Without HTML comments: nobody reads those. */
const page = (path: string): Page => ({ path, text: read(path).replaceAll(/<!--.*?-->/gs, '') });
const readme = page('README.md');
const pages = [
  readme,
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => page(`docs/${file}`)),
];

/** The fenced blocks of a page in one language; '' for those that name none. */
const blocks = ({ text }: Page, language: string) =>
  [...text.matchAll(/^```([a-z]*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body!);

/** What a page shows as code: each line of a block without a language, and each text in backticks. */
const code = (each: Page) => [
  ...blocks(each, '').flatMap((block) => block.split('\n')),
  ...[...each.text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!),
];

/** Every `./satin ...` or `satin COMMAND` of the pages, as words. */
const commandLines = pages.flatMap((each) =>
  code(each).flatMap((text) => {
    const line = /(?:^|\s)(?:\.\/)?satin ([a-z-].*)$/.exec(text.replace(/\s#.*$/, ''))?.[1];
    return line === undefined ? [] : [{ path: each.path, line, words: line.trim().split(/\s+/) }];
  }),
);

describe('README and docs', () => {
  it('are found, with commands in them', () => {
    assert.ok(pages.length >= 8, `${pages.length} pages`);
    assert.ok(commandLines.length >= 10, `${commandLines.length} commands`);
  });

  it('link to files that exist', () => {
    const links = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ path, target: target! })),
    );
    const local = links.filter(({ target }) => !/^(https?:|#)/.test(target));
    assert.ok(local.length >= 15, `${local.length} links`);
    for (const { path, target } of local)
      assert.ok(
        existsSync(join(root, dirname(path), target.replace(/#.*$/, ''))),
        `${path} links to ${target}`,
      );
  });

  it('name files of the project that exist', () => {
    const named = pages.flatMap((each) =>
      code(each)
        .filter((text) => /^(src|native|test|scripts|recipes|docs|bench)\/[\w./-]*$/.test(text))
        .map((text) => ({ path: each.path, text })),
    );
    assert.ok(named.length >= 15, `${named.length} files`);
    for (const { path, text } of named)
      if (!text.startsWith('native/build/')) assert.ok(existsSync(join(root, text)), `${path} names ${text}`);
  });

  it('show every folder of src/ in docs/design.md, and no other', () => {
    const { text } = page('docs/design.md');
    const tree = /^src\/\n(.*?)^test\//ms.exec(text)?.[1] ?? '';
    const path: string[] = [];
    const shown = tree.split('\n').flatMap((line) => {
      const [, indent, name] = /^( +)([\w-]+)\/ /.exec(line) ?? [];
      if (indent === undefined || name === undefined) return [];
      path.splice(indent.length / 2 - 1, path.length, name);
      return [path.join('/')];
    });
    const folders = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => relative(join(root, 'src'), join(entry.parentPath, entry.name)));
    assert.deepEqual(shown.sort(), folders.sort());
  });

  it('are all linked from the README or from a page that it links to', () => {
    const linked = new Set(
      pages.flatMap(({ path, text }) =>
        [...text.matchAll(/\]\(([^)\s#]+)/g)].map(([, target]) =>
          relative('.', join(dirname(path), target!)),
        ),
      ),
    );
    const lonely = pages.filter((each) => each !== readme && !linked.has(each.path));
    assert.deepEqual(
      lonely.map(({ path }) => path),
      [],
    );
  });

  it('tell no path of one machine', () => {
    for (const { path, text } of pages)
      assert.doesNotMatch(text, /(^|[\s`'"(=])\/(work|root|home|tmp)\//, path);
  });
});

describe('documented commands', () => {
  it('cover every command of the command line, in the README', () => {
    for (const name of Object.keys(commands))
      assert.ok(
        commandLines.some(({ path, words }) => path === 'README.md' && words[0] === name),
        `the README shows no ./satin ${name}`,
      );
  });

  it('exist, with their options', async () => {
    for (const { path, line, words } of commandLines) {
      const [name = ''] = words;
      if (name.startsWith('--')) continue;
      assert.ok(Object.hasOwn(commands, name), `${path}: satin ${line}`);
      const known = (await commands[name]!.load()).options.map(({ long }) => long);
      for (const option of words.filter((word) => word.startsWith('--')))
        assert.ok(option === '--help' || known.includes(option), `${path}: satin ${line} has no ${option}`);
    }
  });

  it('train recipes that come with Satin, or files', () => {
    const trained = commandLines.filter(({ words }) => words[0] === 'train' && words[1] !== undefined);
    for (const { path, words } of trained.filter(({ words }) => /^[a-z]/.test(words[1]!)))
      assert.ok(
        recipeNames().includes(words[1]!) || words[1]!.endsWith('.yaml') || words[1] === 'RECIPE',
        `${path}: train ${words[1]}`,
      );
  });

  it('of npm are scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = pages.flatMap((each) =>
      code(each).flatMap(
        (text) => /(?:^|\s)npm (?:run )?(test(?::slow)?|(?<=run )\S+)/.exec(text)?.[1] ?? [],
      ),
    );
    assert.ok(named.includes('test'), named.join());
    for (const name of named) assert.ok(Object.hasOwn(scripts, name), `npm run ${name}`);
  });

  it('of the gate and the README are one', () => {
    assert.ok(blocks(readme, '').some((block) => block.split('\n').includes('npm test')));
    assert.match(read('.ci/run'), /^npm test$/m);
  });
});

describe('documented names', () => {
  it('of activations and data sets are all in the README', () => {
    for (const name of [...activationNames, ...dataNames]) {
      const shown =
        readme.text.includes(`\`${name}\``) ||
        blocks(readme, 'yaml').some((yaml) => yaml.includes(`name: ${name}\n`));
      assert.ok(shown, name);
    }
  });

  it('of activations are in docs/activations.md, in the table that is made from their list', () => {
    const made = /<!-- The table is made [^\n]*-->\n\n(.*?)\n\n<!--/s.exec(read('docs/activations.md'))?.[1];
    assert.equal(made, activationTable());
    for (const name of activationNames) {
      const row = activationTable()
        .split('\n')
        .find((line) => line.startsWith(`| \`${name}\` |`));
      const { formula, slope, smoothness } = parseActivation(name);
      const { source }: Family = activations[name];
      for (const said of [formula, slope, smoothness, source]) assert.ok(row?.includes(`| ${said}`), said);
    }
  });
});

describe('examples', () => {
  const folder = mkdtempSync(join(tmpdir(), 'satin-docs-'));
  after(() => rmSync(folder, { recursive: true }));

  it('of recipes are recipes', () => {
    const recipes = pages.flatMap((each) => blocks(each, 'yaml'));
    assert.ok(recipes.length > 0);
    for (const recipe of recipes) parseRecipe(parse(recipe), 'the example');
  });

  it('of --set fit a recipe', () => {
    const assignments = pages.flatMap((each) =>
      code(each).flatMap((text) => /--set "?([\w.]+=[\w().]+)/.exec(text)?.[1] ?? []),
    );
    const real = assignments.filter(
      (assignment) => !/=NAME$/.test(assignment) && assignment !== 'path=value',
    );
    assert.ok(real.length > 0);
    for (const assignment of real) loadRecipe('fashion-mnist-silu', { set: [assignment] });
  });

  it('are for a library whose reference has every export', () => {
    const reference = read('docs/api.md');
    const lists = [...read('src/index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)];
    const names = lists.flatMap(([, list]) =>
      list!.split(',').flatMap((each) => /(?:as )?(\w+)\s*$/.exec(each.trim())?.[1] ?? []),
    );
    assert.ok(names.length > 100);
    const lacking = names.filter((name) => !reference.includes(`\n### ${name}\n`));
    assert.deepEqual(lacking, [], '`npm run docs:api` writes them');
  });

  it('of the library in the README is the file that is compiled here', () => {
    assert.deepEqual(blocks(readme, 'ts'), [read('test/support/library-example.ts')]);
  });

  it('of the library runs, and prints what it says', () => {
    const script = fileURLToPath(new URL('../support/library-example.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^1 \{[^}]*'validation\/clean': [\d.]+/);
    assert.match(stdout, /\{ clean: [\d.]+, robust: [\d.]+ \}\n$/);
    assert.ok(existsSync(join(folder, 'runs', 'softplus', 'recipe.json')));
  });
});
