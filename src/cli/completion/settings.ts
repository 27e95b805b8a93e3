import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../../provenance/package-folder.js';
import type { Suggestion } from './suggestion.js';

/** What is read of a JSON Schema. */
interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
}

/**
 * What may follow `--set`: the keys of recipes, and after `=` the values of the key, also in a list `a=1,2`. They are read from
 * the JSON Schema of recipes, which is faster than to load the schema itself.
 */
export function settingSuggestions(typed: string): Suggestion[] {
  const settings = readSettings();
  const [, key, before] = /^([^=]+)=((?:.*,)?)/s.exec(typed) ?? [];
  if (key === undefined)
    return [...settings].map(([path, { about }]) => ({
      value: `${path}=`,
      ...(about !== undefined && { about }),
    }));
  const values = settings.get(key)?.values ?? [];
  return [...values].map((value) => ({ value: `${key}=${before}${value}` }));
}

interface Setting {
  readonly about: string | undefined;
  /** The values that have a name. */
  readonly values: Set<string>;
}

function readSettings(): Map<string, Setting> {
  const text = readFileSync(join(packageFolder, 'recipes', 'recipe.schema.json'), 'utf8');
  const { properties: { smoke: _, ...properties } = {} } = JSON.parse(text) as Schema;
  const settings = new Map<string, Setting>();
  collect({ properties }, [], settings);
  return settings;
}

/** Adds the settings of a section; of choices of sections, those of each. */
function collect({ properties = {} }: Schema, path: readonly string[], settings: Map<string, Setting>): void {
  for (const [key, schema] of Object.entries(properties)) {
    const inner = [...path, key];
    const forms = formsOf(schema);
    const sections = forms.filter((form) => form.properties !== undefined);
    const values = forms.flatMap(namedValues);
    if (sections.length === 0 || values.length > 0) {
      const name = inner.join('.');
      const setting = settings.get(name) ?? { about: schema.description, values: new Set() };
      for (const value of values) setting.values.add(value);
      settings.set(name, setting);
    }
    for (const section of sections) collect(section, inner, settings);
  }
}

/** A schema and its alternatives. */
function formsOf(schema: Schema): Schema[] {
  return [schema, ...[...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap(formsOf)];
}

function namedValues(form: Schema): string[] {
  const { enum: names = [], const: name, type } = form;
  const own = type === 'boolean' ? [true, false] : type === 'null' ? [null] : [];
  return [...names, ...(name === undefined ? [] : [name]), ...own].map(String);
}
