/**
 * `npm run docs:api`: writes docs/api.md, the reference of the library, from the types and docstrings that dist/src/index.d.ts
 * exports. API Extractor reads them; it brings a TypeScript of its own, so it is fetched when it is needed and no dependency.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXTRACTOR = '@microsoft/api-extractor@7.60.1';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'satin-api-'));
const index = join(root, 'dist', 'src', 'index.d.ts');
const none = { default: { logLevel: 'none' } };
const settings = {
  projectFolder: root,
  mainEntryPointFilePath: index,
  compiler: {
    overrideTsconfig: {
      compilerOptions: {
        target: 'es2022',
        module: 'nodenext',
        moduleResolution: 'nodenext',
        lib: ['ES2022', 'ESNext.Disposable'],
        types: ['node'],
        skipLibCheck: true,
      },
      include: [index],
    },
  },
  apiReport: { enabled: false },
  docModel: { enabled: true, apiJsonFilePath: join(folder, 'satin.api.json') },
  dtsRollup: { enabled: false },
  tsdocMetadata: { enabled: false },
  messages: { extractorMessageReporting: none, tsdocMessageReporting: none, compilerMessageReporting: none },
};

/** The parts of the library in the order of the page, by the folder of src/ that an export comes from. */
const parts = [
  ['app', 'Use cases'],
  ['recipe', 'Recipes'],
  ['training', 'Training'],
  ['evaluation', 'Evaluation'],
  ['attacks', 'Attacks'],
  ['models', 'Models'],
  ['activations', 'Activations'],
  ['nn', 'Layers and losses'],
  ['data', 'Data'],
  ['tensor', 'Tensors'],
  ['engine', 'Engine'],
  ['runs', 'Run folders'],
];

try {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'satin' })); // which API Extractor looks for
  writeFileSync(join(folder, 'api-extractor.json'), JSON.stringify(settings));
  execFileSync('npx', ['--yes', EXTRACTOR, 'run', '--local', '-c', join(folder, 'api-extractor.json')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const model = JSON.parse(readFileSync(join(folder, 'satin.api.json'), 'utf8'));
  writeFileSync(join(root, 'docs', 'api.md'), page(model.members[0].members));
} finally {
  rmSync(folder, { recursive: true });
}

function page(exports) {
  const partOf = ({ fileUrlPath }) => /^dist\/src\/([\w-]+)\//.exec(fileUrlPath)?.[1];
  const known = new Set(parts.map(([name]) => name));
  const sections = [...parts, [undefined, 'Other']].flatMap(([name, title]) => {
    const own = exports.filter((each) => (known.has(partOf(each)) ? partOf(each) : undefined) === name);
    return own.length === 0 ? [] : [`## ${title}`, '', ...own.flatMap(entry)];
  });
  return [
    '# The library',
    '',
    '<!-- Made by `npm run docs:api` from the docstrings. -->',
    '',
    "What `import { … } from 'satin'` gives, with its types. Shapes are in brackets, [N, C, H, W]. Every function throws a",
    '`SatinError` that names what was expected; what else it throws is said. [memory.md](memory.md) has the rules of tensors.',
    '',
    ...sections,
  ].join('\n');
}

function entry({ name, kind, docComment, excerptTokens, members = [] }) {
  const [first, ...rest] = [signature(excerptTokens), ...members.map(member)];
  const isBlock = kind === 'Interface' || kind === 'Class';
  const code = isBlock ? [`${first} {`, ...rest, '}'] : [first];
  return [`### ${name}`, '', ...prose(docComment), '```ts', ...code, '```', ''];
}

/** A member with its docstring as a comment above it. */
function member({ docComment = '', excerptTokens }) {
  const said = sentences(docComment);
  const comment = said.length === 0 ? [] : [`  /** ${said.join(' ')} */`];
  return [...comment, `  ${signature(excerptTokens).replaceAll('\n', '\n  ')}`].join('\n');
}

function signature(tokens) {
  const text = tokens.map((token) => token.text).join('');
  return text.trim().replace(/^export (declare )?/, '');
}

/** A docstring as paragraphs; what a function throws and returns as sentences of their own. */
function prose(docComment = '') {
  const said = sentences(docComment);
  return said.flatMap((paragraph) => [paragraph, '']);
}

/** The paragraphs of a docstring, without its marks. */
function sentences(docComment) {
  const text = docComment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replaceAll('\\{', '{')
    .replaceAll('\\}', '}')
    .replaceAll('\\@', '@')
    .replace(/@remarks\s+The constructor for this class is marked as internal[^@]*/, '');
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, ' ').trim())
    .join('\n')
    .replaceAll(/@throws\s+\{?(\w+)\}?\s*/g, 'Throws `$1` ')
    .replaceAll(/@returns\s+/g, 'Returns ')
    .replaceAll(/@default\s+/g, 'Default: ')
    .replaceAll(/@param (\w+) -?\s*/g, '`$1`: ')
    .replaceAll(/@\w+\s*/g, '')
    .split('\n')
    .filter((paragraph) => paragraph !== '');
}
