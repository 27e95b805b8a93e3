/** Plain data of a file that anybody may have written, such as a recipe of another version: read without a schema. */

/** The value at a dotted path; undefined if there is none. */
export function valueAt(data: unknown, path: string): unknown {
  let value = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** The text at a dotted path, cut to a line; undefined if there is none. */
export function textAt(data: unknown, path: string): string | undefined {
  const value = valueAt(data, path);
  return typeof value === 'string' ? value.slice(0, 200) : undefined;
}

/** The leaves of nested objects by dotted key, in order; a list is a leaf, as JSON. */
export function leaves(data: unknown, prefix = ''): Map<string, string> {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return new Map(
      prefix === '' ? [] : [[prefix, typeof data === 'string' ? data : (JSON.stringify(data) ?? 'null')]],
    );
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(data))
    for (const [path, leaf] of leaves(value, prefix === '' ? key : `${prefix}.${key}`)) found.set(path, leaf);
  return found;
}
