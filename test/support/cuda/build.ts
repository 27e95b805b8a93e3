/** Compiles the emulated kernels of native/cuda, with the compiler and the flags of the binding that is loaded. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { packageFolder } from '../../../src/provenance/package-folder.js';

interface Engine {
  readonly binary: string;
  readonly libtorch: object;
}
interface CompilerModule {
  findCompiler(env: object): { readonly command: readonly string[] } | null;
  compileFlags(options: {
    readonly root: string;
    readonly libtorch: object;
    readonly source: string;
  }): string[];
  linkFlags(libtorch: object): string[];
}
interface EmbedModule {
  embeddedKernels(root: string): string;
}

const run = promisify(execFile);
const native = join(packageFolder, 'native');
const sources = join(packageFolder, 'test/support/cuda');
const script = (name: string): string => pathToFileURL(join(native, name)).href;
const { findCompiler, compileFlags, linkFlags }: CompilerModule = await import(script('compiler.mjs'));
const { embeddedKernels }: EmbedModule = await import(script('embed-kernels.mjs'));
const { binary, libtorch } = JSON.parse(readFileSync(join(native, 'build/engine.json'), 'utf8')) as Engine;
const engine = dirname(join(packageFolder, binary));
const folder = join(engine, 'emulated');

/** What the operators of the CUDA half share with those of the CPU. */
const shared = [
  'activation',
  'activation_composed',
  'activation_kernel',
  'batch_norm_activation',
  'noise_kernel',
  'projection',
  'projection_kernel',
];

async function gcc(...words: string[]): Promise<void> {
  const [program = 'g++', ...before] = findCompiler(process.env)?.command ?? [];
  await run(program, [...before, ...words], { maxBuffer: 1e8 });
}

async function compile(source: string, flags: readonly string[]): Promise<string> {
  const object = join(folder, `${source.slice(source.lastIndexOf('/') + 1)}.o`);
  await gcc(...flags, '-O1', '-c', source, '-o', object);
  return object;
}

/** Without torch: pragmas for unrolling loops mean nothing to this compiler. */
const plain = ['-std=c++17', '-fPIC', '-Wall', '-Wno-unknown-pragmas'];
/** Ends the process where a pack is read or written at an address at which a card refuses it. */
const strict = [...plain, '-fsanitize=alignment,bounds', '-fsanitize-undefined-trap-on-error'];
const emulated = ['norms', 'activations', 'others', 'device'];

async function compileKernels(): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const objects: string[] = [];
  for (const name of emulated) objects.push(await compile(join(sources, `emulated_${name}.cc`), strict));
  return objects;
}

/** The addon with the operators `satin_emulated::...`, compiled in half a minute. */
export async function buildEmulatedOperators(): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const source = join(sources, 'emulated_operators.cc');
  const [kernels, operators] = await Promise.all([
    compileKernels(),
    compile(source, compileFlags({ root: packageFolder, libtorch, source })),
  ]);
  const addon = join(folder, 'emulated.node');
  const objects = [...kernels, operators, ...shared.map((name) => join(engine, `${name}.cc.o`))];
  await gcc('-shared', ...objects, ...linkFlags(libtorch), '-o', addon);
  return addon;
}

/** The program that compiles every kernel by NVRTC. */
export async function buildNvrtcCheck(): Promise<string> {
  const embedded = join(folder, 'cuda_source.cc');
  const kernels = await compileKernels();
  writeFileSync(embedded, embeddedKernels(packageFolder));
  const program = join(folder, 'compile_kernels');
  const objects = await Promise.all(
    [join(sources, 'compile_kernels.cc'), join(native, 'nvrtc_cuda.cc'), embedded].map((source) =>
      compile(source, plain),
    ),
  );
  await gcc(...objects, ...kernels, '-ldl', '-o', program);
  return program;
}
