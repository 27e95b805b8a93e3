/** What the table says of the activations, as text: for docs/activations.md and for the help of training. */
import { activationNames, parseActivation } from './parse.js';
import { type ActivationName, activations, type Family } from './table.js';

/** One line for each activation: its name, its formula, and the coefficient that may be written behind the name. */
export function activationLines(): string[] {
  const rows = activationNames.map((name) => [name, parseActivation(name).formula, briefCoefficient(name)]);
  const [nameWidth, formulaWidth] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length)),
  ) as [number, number];
  return rows.map(([name = '', formula = '', coefficient = '']) =>
    `${name.padEnd(nameWidth)}  ${formula.padEnd(formulaWidth)}  ${coefficient}`.trimEnd(),
  );
}

/** The table of docs/activations.md, in Markdown. Formulas are those of the default coefficient. */
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

/** `β = 1`, `α learned`, or nothing. */
function briefCoefficient(name: ActivationName): string {
  const { coefficient, learned }: Family = activations[name];
  if (coefficient === null) return learned === undefined ? '' : 'learned';
  return `${coefficient.symbol} ${coefficient.default === null ? 'learned' : `= ${coefficient.default}`}`;
}

/** The default and the range, or what is learned and what may be written in its place. */
function coefficientOf(name: ActivationName): string {
  const { coefficient, learned }: Family = activations[name];
  const range = coefficient === null ? null : coefficient.range.map(short).join(' to ');
  if (learned === undefined)
    return coefficient === null ? 'none' : `${coefficient.symbol} = ${coefficient.default}; ${range}`;
  const starts = Object.entries(learned.parameters).map(([each, start]) => `\`${each}\` = ${short(start)}`);
  const owner =
    learned.each === 'place'
      ? 'one for each layer'
      : `${starts.length === 1 ? 'one' : 'a pair'} for the network`;
  const instead = coefficient === null ? '' : `; or a fixed ${coefficient.symbol}, ${range}`;
  return `learned from ${starts.join(', ')}, ${owner}${instead}`;
}

/** That of the default, and that of every other coefficient where it differs. */
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
