/** The object files of the binding: what each is made from, which are out of date, and making those. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { basename, join, relative } from 'node:path';
import { digest, readJson, writeJson } from './build-stamp.mjs';
import { compileFlags, isKernel, nodeApiHeaders } from './compiler.mjs';
import { embeddedKernels } from './embed-kernels.mjs';
import { libtorchIdentity } from './find-libtorch.mjs';

/** A file that includes torch's headers takes about this much memory to compile. */
const BYTES_PER_JOB = 1.5e9;

/** The compiler or the linker refused, or there is none. */
export class BuildError extends Error {
  code = 'build';
  exitCode = 1;
  name = 'BuildError';
  /**
   * @param {string} message
   * @param {string} output everything the compiler said
   */
  constructor(message, output = '') {
    super(message);
    this.output = output;
  }
}

/**
 * @typedef {object} ObjectFile
 * @property {string} source the C++ file
 * @property {string} file where the object file lies
 * @property {string[]} command what makes it
 * @property {string} settings digest of all that decides about it besides the sources: command, compiler, headers
 */

/**
 * The object files that the binding consists of. Files named `*_cuda.cc` are part of the CUDA half only, and so is the
 * source that carries its kernels, which is written here.
 * @param {{ root: string, folder: string, libtorch: import('./find-libtorch.mjs').Libtorch,
 *   compiler: { command: string[], identity: string } }} options
 * @returns {ObjectFile[]}
 */
export function objectFiles({ root, folder, libtorch, compiler }) {
  const headers = readJson(join(nodeApiHeaders(root), 'package.json'))?.version ?? '';
  const isWanted = (name) => name.endsWith('.cc') && (libtorch.cuda !== null || !name.endsWith('_cuda.cc'));
  const names = readdirSync(join(root, 'native')).filter(isWanted);
  const sources = names.sort().map((name) => join(root, 'native', name));
  if (libtorch.cuda !== null) {
    const generated = join(folder, 'cuda_source.cc');
    writeFileSync(generated, embeddedKernels(root));
    sources.push(generated);
  }
  return sources.map((source) => {
    const file = join(folder, `${basename(source)}.o`);
    const flags = compileFlags({ root, libtorch, source });
    const command = [...compiler.command, ...flags, '-c', source, '-o', file, '-MMD', '-MF', `${file}.d`];
    const around = isKernel(source) ? [] : [libtorchIdentity(libtorch), headers];
    return { source, file, command, settings: digest([...command, compiler.identity, ...around]) };
  });
}

/** Whether an object file was made by this command from these contents of its source and of our headers. */
export function isUpToDate(root, object) {
  const made = readJson(`${object.file}.json`);
  if (made === null || made.settings !== object.settings || !existsSync(object.file)) return false;
  return Object.entries(made.contents).every(([file, contents]) => {
    const path = join(root, file);
    return existsSync(path) && digest([readFileSync(path)]) === contents;
  });
}

/**
 * Compiles several files at once, the slow ones first: files with torch's headers, then by size.
 * @param {{ root: string, objects: ObjectFile[], onProgress: (done: number, total: number, name: string) => void }} options
 * @throws {BuildError} with the first error, once the files that were under way have ended
 */
export async function compileObjects({ root, objects, onProgress }) {
  const weight = ({ source }) => (isKernel(source) ? 0 : 1e9) + statSync(source).size;
  const queue = [...objects].sort((a, b) => weight(b) - weight(a));
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_JOB)));
  let done = 0;
  let failed = null;
  const work = async () => {
    for (let object = queue.shift(); object !== undefined && failed === null; object = queue.shift()) {
      const name = relative(root, object.source);
      const { status, output } = await run(object.command, root);
      if (status !== 0) {
        failed ??= new BuildError(`The compiler refused ${name}: ${firstError(output)}`, output);
        continue;
      }
      writeJson(`${object.file}.json`, { settings: object.settings, contents: ownSources(root, object) });
      done += 1;
      onProgress(done, objects.length, name);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (failed !== null) throw failed;
}

/** The digest of each of the project's own files that the object was made from, by its path in the project. */
function ownSources(root, object) {
  const rule = readFileSync(`${object.file}.d`, 'utf8').replace(/\\\n/g, ' ');
  const names = rule.slice(rule.indexOf(': ') + 1).match(/(?:\\.|\S)+/g) ?? [];
  const files = names.map((name) => relative(root, name.replace(/\\(.)/g, '$1')));
  const own = files.filter((file) => file.startsWith('native'));
  return Object.fromEntries(own.map((file) => [file, digest([readFileSync(join(root, file))])]));
}

/**
 * Runs a command with its two outputs taken together.
 * @returns {Promise<{ status: number, output: string }>}
 */
export function run(command, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = [Buffer.from(`$ ${command.join(' ')}\n`)];
    const end = (status, note) => resolve({ status, output: Buffer.concat(parts).toString('utf8') + note });
    child.stdout.on('data', (data) => parts.push(data));
    child.stderr.on('data', (data) => parts.push(data));
    child.on('error', (error) => end(1, `error: ${error.message}\n`));
    child.on('close', (status, signal) =>
      end(status ?? 1, signal === null ? '' : `error: ended by ${signal}\n`),
    );
  });
}

/** The line of a compiler's output that says what is wrong. */
export function firstError(output) {
  const lines = output.split('\n').slice(1);
  const said = lines.filter((line) => line.trim() !== '');
  const error = said.find((line) => /\b(fatal )?error\b|undefined reference|cannot find/.test(line));
  return (error ?? said.at(-1) ?? 'it said nothing').trim();
}
