import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Addon } from '../../src/engine/addon.js';
import { native } from '../../src/engine/native.js';
import { EngineError } from '../../src/errors.js';

/** What a fuzz found. */
export interface Fuzzed {
  readonly calls: number;
  /** Calls that threw, by the name of the error. */
  readonly thrown: Readonly<Record<string, number>>;
  /** Exports that were called, and operators that answered at least once. */
  readonly exports: readonly string[];
  readonly operators: number;
}

/** Every operator that src/tensor, src/activations, src/distributed and src/nn/losses.ts name. */
export function namedOperators(): (readonly [name: string, overload: string])[] {
  const src = fileURLToPath(new URL('../../../src/', import.meta.url));
  const files = [
    'nn/losses.ts',
    ...['tensor', 'activations', 'distributed'].flatMap((folder) =>
      readdirSync(src + folder).map((file) => `${folder}/${file}`),
    ),
  ];
  const call = /(?:operator|inPlace)\(\s*'((?:aten|satin)::\w+)'(?:,\s*'(\w*)')?\s*\)/g;
  return files.flatMap((file) =>
    [...readFileSync(src + file, 'utf8').matchAll(call)].map(
      ([, name, overload]) => [name!, overload ?? ''] as const,
    ),
  );
}

/** A small generator of its own, so that a failure repeats: Knuth's MMIX constants. */
function random(seed: number): (below: number) => number {
  let state = BigInt(seed);
  return (below) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(below));
  };
}

/** Calls every export of the engine with wrong, hostile and sometimes right values; only exceptions may come of it. */
export function fuzz(options: { readonly seed: number; readonly calls: number }): Fuzzed {
  const addon = native();
  const below = random(options.seed);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const operators = namedOperators().map(([name, overload]) => addon.findOperator(name, overload));

  const live: number[] = [];
  const stale: number[] = [];
  const make = () => {
    const shape = Array.from({ length: below(5) }, () => 1 + below(4));
    const size = shape.reduce((product, each) => product * each, 1);
    const data = pick([
      () => Float32Array.from({ length: size }, (_, i) => i - 2),
      () => new Float64Array(size),
      () => BigInt64Array.from({ length: size }, (_, i) => BigInt(i % 3)),
      () => new Uint8Array(size),
    ])();
    live.push(addon.fromData(data, shape, 'cpu'));
  };
  const handle = () =>
    live.length === 0 || below(8) === 0 ? pick([...stale, 0, 1, 2 ** 24, 2 ** 24 + 7]) : pick(live);

  /** An array that does harm while it is read. */
  const hostile = () => {
    const list: unknown[] = [1, 2, 3];
    Object.defineProperty(list, 1, {
      get() {
        const gone = live.pop();
        if (gone !== undefined) addon.release(gone);
        if (below(3) === 0) throw new RangeError('thrown while an array was read');
        if (below(2) === 0) list.length = 0;
        return live.at(-1) ?? 1;
      },
    });
    return list;
  };
  const detached = () => {
    const array = new Float32Array(8);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  };
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable([1, 2], {});
    revoke();
    return proxy;
  };
  const integer = () =>
    pick([0, 1, 2, 3, -1, -2, 4, 7, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 53), 2 ** 63]);
  const anything: readonly (() => unknown)[] = [
    () => undefined,
    () => null,
    () => Number.NaN,
    () => pick([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300, 0.5, -0, 5e-324]),
    integer,
    handle,
    handle,
    handle,
    () => below(2) === 0,
    () =>
      pick([
        '',
        'float32',
        'int64',
        'cpu',
        'cuda:7',
        'meta',
        'mkldnn',
        'uniform',
        'normal',
        'channels-last',
        'aten::add',
        'Tensor',
        '\0',
        'ä'.repeat(10_000),
      ]),
    () => Symbol('s'),
    () => 10n ** 30n,
    () => ({}),
    () => ({
      valueOf: () => {
        throw new RangeError('valueOf');
      },
    }),
    () => () => 1,
    () => class {},
    () => [],
    () => Array.from({ length: below(5) }, handle),
    () => Array.from({ length: below(5) }, integer),
    () => Array.from({ length: below(5) }, () => pick([1, 2, 3])),
    () => [undefined, null, 'a', {}],
    () => [[1], [2]],
    () => new Array(4_294_967_295),
    hostile,
    detached,
    revoked,
    () => new Proxy([1], {}),
    () => new Float32Array(4),
    () => new Uint16Array(4),
    () => new BigUint64Array(4),
    () => new DataView(new ArrayBuffer(8)),
    () => new ArrayBuffer(8),
    () => new Float32Array(new SharedArrayBuffer(16)),
    () => new Date(Number.NaN),
    () => new Map(),
    () => globalThis,
  ];

  const plausible: readonly (() => unknown)[] = [
    handle,
    handle,
    integer,
    () => pick([0, 1, 2, 3, -1]),
    () => pick([0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]),
    () => below(2) === 0,
    () => undefined,
    () => pick(['float32', 'float64', 'int64', 'bool', 'cpu', 'channels-last', 'preserve']),
    () => Array.from({ length: 1 + below(4) }, () => pick([0, 1, 2, 3, -1])),
    () => Array.from({ length: 2 }, integer),
    () => Array.from({ length: below(4) }, handle),
  ];

  const names = (Object.keys(addon) as (keyof Addon)[]).filter((name) => name !== 'setErrorClasses');
  const thrown: Record<string, number> = {};
  const called = new Set<string>();
  const answered = new Set<unknown>();
  const passed: unknown[][] = [];
  for (let i = 0; i < options.calls; i++) {
    addon.setMemoryLimits(50e6, 200e6); // the fuzz may have set others
    addon.setThreads(1);
    addon.poisonRecycled(false);
    addon.setGradEnabled(true);
    if (live.length < 10) make();
    while (live.length > 60) {
      const gone = live.splice(below(live.length), 1)[0]!;
      addon.release(gone);
      stale.push(gone);
    }
    const name = below(2) === 0 ? pick(['call', 'callInPlace'] as const) : pick(names);
    const isCall = name === 'call' || name === 'callInPlace';
    const fresh = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(fresh)
        : typeof value === 'number' && value >= 2 ** 24
          ? handle()
          : value;
    let values: unknown[];
    const known = isCall && passed.length > 0 && below(2) === 0 ? pick(passed) : undefined;
    if (known !== undefined) {
      // What got through to libtorch once, with other tensors and one other value.
      values = known.map((value, at) => (at === 0 ? value : fresh(value)));
      if (below(3) > 0) values[1 + below(known.length + 1)] = pick(plausible)();
    } else if (isCall && below(3) > 0) {
      values = [pick(operators), handle(), ...Array.from({ length: below(7) }, () => pick(plausible)())];
    } else {
      values = Array.from({ length: below(pick([3, 8, 8, 26])) }, () => pick(anything)());
    }
    called.add(name);
    try {
      const result = (addon[name] as (...values: unknown[]) => unknown)(...values);
      if (isCall) {
        answered.add(values[0]);
        passed.push(values);
      }
      if (name === 'release') stale.push(...values.filter((value) => typeof value === 'number'));
      for (const made of [result].flat())
        if (name !== 'memory' && name !== 'engine' && typeof made === 'number' && made >= 2 ** 24) {
          const small = addon.shapeOf(made).reduce((product, each) => product * each, 1) < 1e5;
          if (small) live.push(made);
          else addon.release(made); // an expanded one would be computed on for ever
        }
    } catch (error) {
      if (isCall && error instanceof EngineError) passed.push(values);
      const kind = error instanceof Error ? error.name : typeof error;
      thrown[kind] = (thrown[kind] ?? 0) + 1;
    }
  }
  addon.release(...live.slice(0, 20));
  return { calls: options.calls, thrown, exports: [...called], operators: answered.size };
}
