/** How libtorch is found and when the binding is compiled again; with folders and a compiler made for the test. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageFolder } from '../../src/provenance/package-folder.js';

interface Libtorch {
  readonly kind: string;
  readonly version: string;
  readonly folder: string;
  readonly lib: string;
  readonly include: readonly string[];
  readonly cxxStandard: number;
  readonly cxx11Abi: number | null;
  readonly backends: readonly string[];
  readonly cuda: {
    readonly include: readonly string[];
    readonly lib: readonly string[];
    readonly nccl: boolean;
  } | null;
  readonly note: string | null;
}
type Environment = Readonly<Record<string, string | undefined>>;
interface LibtorchModule {
  findLibtorch(options: {
    readonly env: Environment;
    readonly systemPrefixes: readonly string[];
    readonly python: () => string | null;
    readonly hasDriver?: () => boolean;
    readonly toolkits?: readonly string[];
  }): Libtorch | null;
  bundledOpenMp(libtorch: Libtorch): string | null;
}
interface CompilerModule {
  compileFlags(options: {
    readonly root: string;
    readonly libtorch: Libtorch;
    readonly source: string;
  }): string[];
  linkFlags(libtorch: Libtorch): string[];
}
interface BuildModule {
  build(options: {
    readonly root: string;
    readonly env: Environment;
  }): Promise<{ binary: string; compiled: number }>;
  isBuilt(options: { readonly root: string; readonly env: Environment }): boolean;
}

// These run before TypeScript is compiled, so they are JavaScript and lie outside dist/.
const script = (name: string): string => pathToFileURL(join(packageFolder, 'native', name)).href;
const { findLibtorch, bundledOpenMp }: LibtorchModule = await import(script('find-libtorch.mjs'));
const { compileFlags, linkFlags }: CompilerModule = await import(script('compiler.mjs'));
const { build, isBuilt }: BuildModule = await import(script('build.mjs'));

const scratch = mkdtempSync(join(tmpdir(), 'satin-build-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const LIBRARY = process.platform === 'darwin' ? 'libtorch_cpu.dylib' : 'libtorch_cpu.so';

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A folder that looks like libtorch. */
function fakeLibtorch(name: string, version = '2.5.1', lib = 'lib'): string {
  const folder = join(scratch, name);
  const [major, minor, patch] = version.split('.');
  put(
    join(folder, 'include/torch/csrc/api/include/torch/version.h'),
    `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  );
  put(join(folder, lib, LIBRARY), '');
  return folder;
}

const none = { env: {}, systemPrefixes: [], python: () => null };

test('libtorch is taken from LIBTORCH, then from the system, then from Python', () => {
  const wanted = fakeLibtorch('wanted', '2.1.0');
  const system = fakeLibtorch('system', '1.13.1', 'lib/x86_64-linux-gnu');
  const wheel = fakeLibtorch('wheel', '2.6.0');
  const places = { systemPrefixes: [join(scratch, 'no-such'), system], python: () => wheel };
  assert.equal(findLibtorch({ ...places, env: { LIBTORCH: wanted } })?.version, '2.1.0');
  const found = findLibtorch({ ...places, env: { LIBTORCH: '' } });
  assert.equal(found?.kind, 'system');
  assert.equal(found?.lib, join(system, 'lib/x86_64-linux-gnu'));
  assert.equal(findLibtorch({ ...none, python: () => wheel })?.kind, 'wheel');
  assert.equal(findLibtorch(none), null);
});

test('a libtorch that is too old or lacks its headers is passed over where nobody asked for it', () => {
  const old = fakeLibtorch('old-system', '1.12.1');
  const bare = join(scratch, 'bare');
  put(join(bare, 'lib', LIBRARY), '');
  const wheel = fakeLibtorch('wheel-after-old', '2.6.0');
  assert.equal(findLibtorch({ ...none, systemPrefixes: [old, bare], python: () => wheel })?.version, '2.6.0');
});

test('LIBTORCH that names no usable libtorch is refused with exit code 2 and a way out', () => {
  const old = fakeLibtorch('old', '1.8.0');
  const headless = join(scratch, 'headless');
  put(join(headless, 'lib', LIBRARY), '');
  const empty = fakeLibtorch('empty');
  rmSync(join(empty, 'lib', LIBRARY));
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(scratch, 'nowhere'), /for LIBTORCH but '.*nowhere' does not exist\. Set LIBTORCH/],
    [headless, /received '.*headless', where .*version\.h is missing\. Set/],
    [empty, /received '.*empty', where .*libtorch_cpu\.\w+ is missing\. Set/],
    [old, /received '.*old', which is version 1\.8\.0\. Set/],
  ];
  for (const [folder, message] of cases)
    assert.throws(() => findLibtorch({ ...none, env: { LIBTORCH: folder } }), { message, exitCode: 2 });
});

test('the C++ standard, the ABI and the full version are read from what libtorch brings', () => {
  const folder = fakeLibtorch('described', '2.12.0');
  put(join(folder, 'build-version'), '2.12.0+cpu\n');
  put(
    join(folder, 'share/cmake/Torch/TorchConfig.cmake'),
    'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")\nset_target_properties(torch PROPERTIES CXX_STANDARD 20)\n',
  );
  const found = findLibtorch({ ...none, env: { LIBTORCH: folder } })!;
  assert.deepEqual([found.version, found.cxxStandard, found.cxx11Abi], ['2.12.0+cpu', 20, 0]);
  const source = join(packageFolder, 'native', 'tensor.cc');
  const flags = compileFlags({ root: packageFolder, libtorch: found, source });
  for (const flag of ['-std=c++20', '-D_GLIBCXX_USE_CXX11_ABI=0', '-fopenmp', '-DSATIN_LIBTORCH_MINOR=12'])
    assert.ok(flags.includes(flag), `${flag} is missing in ${flags.join(' ')}`);
});

test('a kernel sees no header of torch, and its flags fit every processor', () => {
  const found = findLibtorch({ ...none, env: { LIBTORCH: fakeLibtorch('for-kernel') } })!;
  const flags = compileFlags({
    root: packageFolder,
    libtorch: found,
    source: join(packageFolder, 'native/x_kernel.cc'),
  });
  assert.ok(
    flags.includes('-O3') && flags.includes('-fno-math-errno') && flags.includes('-fno-trapping-math'),
  );
  assert.ok(!flags.some((flag) => /-march|-mtune|-ffast-math|-isystem|-I/.test(flag)), flags.join(' '));
});

test('the OpenMP library that libtorch brings is the one to link', () => {
  const beside = fakeLibtorch('with-openmp');
  put(join(beside, 'lib/libgomp-a34b3233.so.1'), '');
  const wheel = fakeLibtorch('site-packages/torch');
  put(join(scratch, 'site-packages/torch.libs/libgomp-24e2ab19.so.1.0.0'), '');
  const find = (folder: string) => bundledOpenMp(findLibtorch({ ...none, env: { LIBTORCH: folder } })!);
  assert.equal(find(beside), join(beside, 'lib/libgomp-a34b3233.so.1'));
  assert.equal(find(wheel), join(scratch, 'site-packages/torch.libs/libgomp-24e2ab19.so.1.0.0'));
  assert.equal(find(fakeLibtorch('without-openmp')), null);
});

/** A site-packages with a torch that has CUDA, and beside it packages with these headers, by folder. */
function fakeWheels(name: string, headers: Readonly<Record<string, readonly string[]>>): string {
  const folder = fakeLibtorch(`${name}/torch`, '2.13.0');
  put(join(folder, 'version.py'), "__version__ = '2.13.0+cu130'\n");
  put(join(folder, 'lib/libtorch_cuda.so'), '');
  for (const [part, files] of Object.entries(headers)) {
    for (const file of files) put(join(scratch, name, 'nvidia', part, 'include', file), '');
    mkdirSync(join(scratch, name, 'nvidia', part, 'lib'));
  }
  return folder;
}

const cudaHeaders = [
  'cuda_runtime_api.h',
  'crt/host_defines.h',
  'nv/target',
  'cublas_v2.h',
  'cusparse.h',
  'cusolverDn.h',
] as const;

test('the CUDA half is built where SATIN_CUDA or a driver asks for it and the headers are found', () => {
  const complete = fakeWheels('wheels', { cu13: cudaHeaders, nccl: ['nccl.h'] });
  const find = (LIBTORCH: string, SATIN_CUDA: string | undefined, driver: boolean, toolkits: string[] = []) =>
    findLibtorch({ ...none, env: { LIBTORCH, SATIN_CUDA }, hasDriver: () => driver, toolkits })!;
  for (const [wanted, driver, expected] of [
    [undefined, false, false],
    [undefined, true, true],
    ['', true, true],
    ['1', false, true],
    ['0', true, false],
  ] as const) {
    const { cuda, backends, note } = find(complete, wanted, driver);
    assert.deepEqual([cuda !== null, backends.includes('nccl'), note], [expected, expected, null]);
  }

  const found = find(complete, '1', false);
  const nvidia = join(scratch, 'wheels/nvidia');
  assert.deepEqual(found.cuda, {
    include: [join(nvidia, 'cu13/include'), join(nvidia, 'nccl/include')],
    lib: [join(nvidia, 'cu13/lib'), join(nvidia, 'nccl/lib')],
    nccl: true,
  });
  const compile = (libtorch: Libtorch, name: string) =>
    compileFlags({ root: packageFolder, libtorch, source: join(packageFolder, 'native', name) });
  const flags = compile(found, 'process_group.cc');
  for (const flag of ['-DSATIN_CUDA', '-DUSE_C10D_NCCL', join(nvidia, 'cu13/include')])
    assert.ok(flags.includes(flag), `${flag} is missing in ${flags.join(' ')}`);
  assert.ok(linkFlags(found).includes(`-Wl,-rpath,${join(nvidia, 'nccl/lib')}`));
  assert.ok(linkFlags(found).includes('-ltorch_cuda'));
  const without = find(complete, '0', true);
  assert.ok(!compile(without, 'tensor.cc').includes('-DSATIN_CUDA'));
  assert.ok(!linkFlags(without).includes('-ltorch_cuda'));

  // a CUDA toolkit has what the packages lack
  const toolkit = join(scratch, 'toolkit');
  for (const header of cudaHeaders) put(join(toolkit, 'include', header), '');
  const bare = fakeWheels('bare-wheels', {});
  assert.deepEqual(find(bare, '1', false, [toolkit]).cuda?.include, [join(toolkit, 'include')]);
  assert.deepEqual(find(bare, '1', false, [toolkit]).backends, []);
});

test('without a header of CUDA, SATIN_CUDA=1 is refused and a driver alone leads to the CPU and a note', () => {
  const lacking = fakeWheels('lacking-wheels', {
    cu13: cudaHeaders.filter((header) => !header.startsWith('crt/')),
  });
  const options = { ...none, hasDriver: () => true, toolkits: [] };
  const { cuda, note } = findLibtorch({ ...options, env: { LIBTORCH: lacking } })!;
  assert.equal(cuda, null);
  assert.match(
    note!,
    /^Built for the CPU alone, .*crt\/host_defines\.h.*pip install 'nvidia-cuda-crt==13\.0\.\*'/,
  );
  assert.throws(() => findLibtorch({ ...options, env: { LIBTORCH: lacking, SATIN_CUDA: '1' } }), {
    message:
      /^Expected CUDA's headers for SATIN_CUDA=1 but found crt\/host_defines\.h in none of .*nvidia-cuda-crt/,
    exitCode: 2,
  });
  const cpuOnly = fakeLibtorch('cpu-only', '2.13.0');
  assert.throws(() => findLibtorch({ ...options, env: { LIBTORCH: cpuOnly, SATIN_CUDA: '1' } }), {
    message: /^Expected a libtorch with CUDA for SATIN_CUDA=1 but .* has no libtorch_cuda\.so\. Set LIBTORCH/,
    exitCode: 2,
  });
  assert.throws(() => findLibtorch({ ...options, env: { LIBTORCH: cpuOnly, SATIN_CUDA: 'yes' } }), {
    message: /^Expected 0 or 1 for SATIN_CUDA but received 'yes'\. Set/,
    exitCode: 2,
  });
});

/** A folder with two sources, a kernel and a compiler that only notes what it was asked for. */
function fakeProject(name: string): { readonly root: string; readonly env: Environment } {
  const root = join(scratch, name);
  put(join(root, 'native/one.cc'), '#include "shared.h"\n');
  put(join(root, 'native/two.cc'), '\n');
  put(join(root, 'native/three_kernel.cc'), '\n');
  put(join(root, 'native/shared.h'), '\n');
  const compiler = join(root, 'compiler');
  put(
    compiler,
    `#!/bin/sh
case "$*" in *--version*) echo "made for a test 1"; exit ;; esac
while [ $# -gt 0 ]; do
  case $1 in -o) out=$2 ;; -MF) rule=$2 ;; -c) source=$2 ;; esac
  shift
done
if [ -n "$source" ] && grep -q BROKEN "$source"; then echo "$source:1:1: error: BROKEN is no C++" >&2; exit 1; fi
echo made > "$out"
[ -z "$rule" ] && exit
if grep -q shared.h "$source"; then echo "$out: $source \\\\
 ${root}/native/shared.h /usr/include/stdio.h" > "$rule"; else echo "$out: $source" > "$rule"; fi
`,
  );
  chmodSync(compiler, 0o755);
  return { root, env: { CXX: compiler, LIBTORCH: fakeLibtorch(`${name}-libtorch`, '2.4.0') } };
}

test('only what changed is compiled again: a source, a header, libtorch, the other libtorch', async () => {
  const { root, env } = fakeProject('changes');
  const compiled = async (environment = env) => (await build({ root, env: environment })).compiled;
  assert.equal(isBuilt({ root, env }), false);
  assert.equal(await compiled(), 3);
  assert.equal(isBuilt({ root, env }), true);
  assert.equal(await compiled(), 0);

  appendFileSync(join(root, 'native/two.cc'), '// changed\n');
  assert.equal(isBuilt({ root, env }), false);
  assert.equal(await compiled(), 1);
  appendFileSync(join(root, 'native/shared.h'), '// changed\n');
  assert.equal(await compiled(), 1, 'the only file that includes the header');

  utimesSync(join(root, 'native/one.cc'), new Date(), new Date(0));
  assert.equal(isBuilt({ root, env }), false, 'a new time raises a doubt');
  assert.equal(await compiled(), 0, 'which the same contents remove');
  assert.equal(isBuilt({ root, env }), true);

  appendFileSync(join(env.LIBTORCH!, 'lib', LIBRARY), 'another build');
  assert.equal(isBuilt({ root, env }), false);
  assert.equal(await compiled(), 2, 'all but the kernel');

  const other = { ...env, LIBTORCH: fakeLibtorch('changes-other', '2.4.0') };
  assert.equal(isBuilt({ root, env: other }), false);
  assert.equal(await compiled(other), 3);
  assert.equal(isBuilt({ root, env }), false);
  assert.equal(await compiled(), 0, 'going back compiles nothing');
  const engine = JSON.parse(readFileSync(join(root, 'native/build/engine.json'), 'utf8')) as {
    binary: string;
    libtorch: Libtorch;
  };
  assert.equal(engine.libtorch.folder, env.LIBTORCH);
  assert.ok(existsSync(join(root, engine.binary)));
});

test('sources of the CUDA half are compiled where that is built, in a folder of its own', async () => {
  const { root, env } = fakeProject('half');
  put(join(root, 'native/five_cuda.cc'), '\n');
  put(join(root, 'native/cuda/six.cu'), '#include "seven.h"\n');
  put(join(root, 'native/cuda/seven.h'), '#pragma once\n');
  const LIBTORCH = fakeWheels('half-wheels', { cu13: cudaHeaders });
  const cpu = { ...env, LIBTORCH, SATIN_CUDA: '0' };
  const cuda = { ...env, LIBTORCH, SATIN_CUDA: '1' };
  assert.equal((await build({ root, env: cpu })).compiled, 3);
  assert.equal(isBuilt({ root, env: cuda }), false);
  assert.equal((await build({ root, env: cuda })).compiled, 5, 'also that of the kernels');
  assert.equal(isBuilt({ root, env: cuda }), true);
  appendFileSync(join(root, 'native/cuda/seven.h'), '// changed\n');
  assert.equal(isBuilt({ root, env: cuda }), false);
  assert.equal((await build({ root, env: cuda })).compiled, 1, 'the kernels alone');
  assert.equal((await build({ root, env: cpu })).compiled, 0, 'going back compiles nothing');
  rmSync(join(scratch, 'half-wheels/nvidia/cu13/include/cusparse.h'));
  assert.equal(isBuilt({ root, env: cuda }), false);
});

test('a source that does not compile is named with the error, and the old binary stays', async () => {
  const { root, env } = fakeProject('broken');
  const { binary } = await build({ root, env });
  writeFileSync(join(root, 'native/two.cc'), 'BROKEN\n');
  await assert.rejects(build({ root, env }), {
    message: /^The compiler refused native\/two\.cc: .*two\.cc:1:1: error: BROKEN is no C\+\+$/,
    exitCode: 1,
  });
  assert.ok(existsSync(binary));
  assert.equal(isBuilt({ root, env }), false);
});

test('CXX that does not run is refused with exit code 2', async () => {
  const { root, env } = fakeProject('no-compiler');
  await assert.rejects(build({ root, env: { ...env, CXX: '/no/such/compiler' } }), {
    message: /^Expected a C\+\+ compiler for CXX but received '\/no\/such\/compiler'/,
    exitCode: 2,
  });
});

test('libjpeg-turbo is used where the header that a compiler finds first is of it, and its library is there', async () => {
  const { hasLibjpeg }: { hasLibjpeg(prefixes: string[]): boolean } = await import(
    script('find-libjpeg.mjs')
  );
  const place = (name: string, header: string | null, library: string | null) => {
    const prefix = join(scratch, name);
    if (header !== null) put(join(prefix, 'include', 'jpeglib.h'), header);
    if (library !== null) put(join(prefix, 'lib', library), '');
    return prefix;
  };
  const turbo = place('jpeg-turbo', 'EXTERN(void) jpeg_crop_scanline', 'x86_64-linux-gnu/libjpeg.so');
  const old = place('jpeg-old', 'EXTERN(void) jpeg_read_header', 'libjpeg.so');
  const headerOnly = place('jpeg-header', 'EXTERN(void) jpeg_crop_scanline', null);
  const bare = place('jpeg-none', null, null);
  const answers = [[turbo], [bare, turbo], [old, turbo], [headerOnly], [bare], []].map((prefixes) =>
    hasLibjpeg(prefixes),
  );
  assert.deepEqual(answers, [true, true, false, false, false, false]);
});

test('loops that are compiled for each instruction set are compiled as kernels, which become vectors', () => {
  const folder = join(packageFolder, 'native');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.cc'));
  const cloned = sources.filter((name) =>
    /SATIN_(CLONES|AVX512)/.test(readFileSync(join(folder, name), 'utf8')),
  );
  assert.ok(cloned.length > 10);
  assert.deepEqual(
    cloned.filter((name) => !name.endsWith('_kernel.cc')),
    [],
  );
});
