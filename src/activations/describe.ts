/** Text generated from the table of activations, for docs/activations.md and the help of `satin train`. */
import { activationNames, parseActivation } from './parse.js';
import { type ActivationName, activations, type Family } from './table.js';

/** One line per activation: name, formula and coefficient. */
export function activationLines(): string[] {
  const rows = activationNames.map((name) => [name, parseActivation(name).formula, briefCoefficient(name)]);
  const [nameWidth, formulaWidth] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  ) as [number, number];
  return rows.map(([name = '', formula = '', coefficient = '']) =>
    `${name.padEnd(nameWidth)}  ${formula.padEnd(formulaWidth)}  ${coefficient}`.trimEnd(),
  );
}

/** The Markdown table of docs/activations.md. Formulas use the default coefficient. */
export function activationTable(): string {
  const head = ['name', 'f(x)', 'f′(x)', 'coefficient', 'smooth', 'largest \\|f″\\|', 'source'];
  const rows = activationNames.map((name) => {
    const { formula, slope, curvature } = parseActivation(name);
    const largest = curvature === Number.POSITIVE_INFINITY ? '∞' : String(Number(curvature.toPrecision(4)));
    const { source }: Family = activations[name];
    return [`\`${name}\``, formula, slope, coefficientOf(name), smoothnessOf(name), largest, source];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `β = 1`, `α learned`, or empty. */
function briefCoefficient(name: ActivationName): string {
  const { coefficient, learned }: Family = activations[name];
  if (coefficient === null) return learned === undefined ? '' : 'learned';
  return `${coefficient.symbol} ${coefficient.default === null ? 'learned' : `= ${coefficient.default}`}`;
}

/** Default and range of the coefficient, or initial values of learned ones and the range of a fixed one. */
function coefficientOf(name: ActivationName): string {
  const { coefficient, learned }: Family = activations[name];
  const range = coefficient === null ? null : coefficient.range.map(short).join(' to ');
  if (learned === undefined)
    return coefficient === null ? 'none' : `${coefficient.symbol} = ${coefficient.default}; ${range}`;
  const starts = Object.entries(learned.parameters).map(([each, start]) => `\`${each}\` = ${short(start)}`);
  const owner =
    learned.sharing === 'layer'
      ? 'one per layer'
      : `${starts.length === 1 ? 'one' : 'a pair'} for the network`;
  const instead = coefficient === null ? '' : `; or a fixed ${coefficient.symbol}, ${range}`;
  return `learned (initially ${starts.join(', ')}), ${owner}${instead}`;
}

/** Smoothness for the default coefficient, and for others if it differs. */
function smoothnessOf(name: ActivationName): string {
  const { smoothness } = parseActivation(name);
  const { coefficient }: Family = activations[name];
  if (coefficient === null) return smoothness;
  const other = parseActivation(`${name}(${coefficient.range[1]})`).smoothness;
  return other === smoothness
    ? smoothness
    : `${smoothness}; ${other} for ${coefficient.symbol} ≠ ${coefficient.default}`;
}

/** 0.000001 as 1e-6. */
function short(value: number): string {
  const exponential = value.toExponential().replace('+', '');
  return exponential.length < String(value).length ? exponential : String(value);
}
