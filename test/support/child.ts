import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** Exit code; null where a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

/** dist/, where `src` and `test` lie compiled. */
const dist = new URL('../../', import.meta.url);

/**
 * Runs an ES module in a process of its own, for what may end a process. `imports` says what it takes from which
 * compiled file: `{ 'src/tensor/create.js': 'zeros, tensor' }`.
 */
export function child(
  imports: Readonly<Record<string, string>>,
  body: string,
  options: {
    readonly flags?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    /** Seconds that it may take. @default 120 */
    readonly patience?: number;
  } = {},
): Ended {
  const header = Object.entries(imports).map(
    ([file, names]) => `import { ${names} } from ${JSON.stringify(new URL(file, dist).href)};`,
  );
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...(options.flags ?? []), '--input-type=module', '-e', [...header, body].join('\n')],
    {
      encoding: 'utf8',
      env: { ...process.env, ...options.env },
      cwd: fileURLToPath(dist),
      maxBuffer: 64 << 20,
      timeout: 1000 * (options.patience ?? 120),
    },
  );
  return { status, signal, output: stdout, errors: stderr };
}
