/**
 * The figure of docs/activations.md: every activation and its derivative as computed by the engine, with ReLU's behind. One
 * SVG for light and one for dark mode, each with its own background, sized for a phone screen: the text is large.
 */
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { derivative, forward } from '../dist/src/activations/activation.js';
import { activationNames, parseActivation } from '../dist/src/activations/parse.js';
import { colours } from '../dist/src/report/page/palette.js';
import { tensor } from '../dist/src/tensor/create.js';
import { scope } from '../dist/src/tensor/scope.js';

const columns = 3;
const margin = 12;
const plotWidth = 160;
/** Distance between the left or upper edges of adjacent panels. */
const pitch = { x: 216, y: 272 };

/** Further coefficients to draw, besides the default. */
const more = { elu: ['elu(0.5)'], 'smooth-relu': ['smooth-relu(5)'] };
const shown = activationNames.flatMap((name) => [name, ...(more[name] ?? [])]);

/** −4 to 4, denser near 0, where SmoothReLU bends within a few thousandths; both sides of 0, excluding 0 itself. */
const half = Array.from({ length: 50 }, (_, index) => 4 * ((index + 1) / 50) ** 2);
const places = [...half.map((x) => -x).reverse(), -1e-9, 1e-9, ...half];
const corners = [-4, -1e-9, 1e-9, 4];

/** The figure for each colour scheme: `{ light: '<svg ...', dark: '<svg ...' }`. */
export async function activationFigures() {
  const panels = [];
  for (const name of shown) panels.push(await panel(name));
  const width = columns * pitch.x + margin;
  const height = Math.ceil(panels.length / columns) * pitch.y + margin;
  const placed = panels.map((svg, index) => {
    const [x, y] = [index % columns, Math.floor(index / columns)];
    return svg.replace('<svg', `<svg x="${margin + x * pitch.x}" y="${margin + y * pitch.y}"`);
  });
  const figure = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" fill="none">`,
    '<rect width="100%" height="100%" fill="var(--panel)"/>',
    ...placed,
    '</svg>\n',
  ].join('\n');
  const drawn = (scheme) => figure.replaceAll(/var\(--(\w+)\)/g, (_, name) => colours[name][scheme]);
  return { light: drawn('light'), dark: drawn('dark') };
}

/** One activation: f above f′. */
async function panel(name) {
  const { spec } = compile(
    {
      title: name,
      bounds: 'flush',
      spacing: 12,
      vconcat: [
        plot(name, { of: 'value', height: 104, domain: [-1.15, 4], ticks: [0, 2, 4], colour: 'series1' }),
        plot(name, { of: 'slope', height: 72, domain: [-0.25, 1.25], ticks: [0, 1], colour: 'series0' }),
      ],
    },
    { config },
  );
  const view = new View(parse(spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return slender(svg);
}

function plot(name, { of, height, domain, ticks, colour }) {
  const isLower = of === 'slope';
  const line = (each, stroke) => ({
    data: { values: points(each, of) },
    mark: { type: 'line', stroke: `var(--${stroke})`, strokeWidth: stroke === 'muted' ? 1.5 : 3 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        scale: { domain: [-4, 4], nice: false },
        axis: { values: [-4, 0, 4], labels: isLower, ticks: isLower },
        title: null,
      },
      y: {
        field: 'y',
        type: 'quantitative',
        scale: { domain, nice: false, zero: false },
        axis: { values: ticks },
        title: null,
      },
      detail: { field: 'part' },
    },
  });
  return { width: plotWidth, height, layer: [line('relu', 'muted'), line(name, colour)] };
}

/** Points of a curve; a derivative that jumps at 0 has two parts. */
function points(name, of) {
  const activation = parseActivation(name);
  const jumps = of === 'slope' && activation.smoothness === 'C⁰';
  const at = name === 'relu' ? corners : places;
  return scope(() => {
    const x = tensor(Float64Array.from(at), [at.length]);
    const y = (of === 'value' ? forward : derivative)(activation, x).numbers();
    return at.map((place, index) => ({ x: place, y: y[index], part: jumps && place > 0 ? 1 : 0 }));
  });
}

/**
 * Removes what is invisible: names of marks and elements that are not displayed. Lengths are rounded to tenths of a pixel, so
 * that the file is identical on every machine.
 */
function slender(svg) {
  return svg
    .replaceAll(/ (?:aria-\w+|role|class|pointer-events|xmlns(?::xlink)?|version)="[^"]*"/g, '')
    .replaceAll(/ (?:opacity="1"|fill="none"|stroke-miterlimit="10")/g, '')
    .replaceAll(/<path[^>]* d="(?:M0,0h0v0h0Z)?"[^>]*\/>/g, '')
    .replaceAll(/ (?:d|transform)="[^"]*"/g, (attribute) =>
      attribute.replaceAll(/-?\d+\.\d+/g, (number) => String(Number(Number(number).toFixed(1)))),
    );
}

const config = {
  background: null,
  font: 'system-ui, sans-serif',
  padding: 0,
  view: { stroke: null },
  title: { color: 'var(--ink)', fontSize: 21, fontWeight: 'normal', anchor: 'start', offset: 10 },
  axis: {
    labelColor: 'var(--muted)',
    labelFontSize: 18,
    gridColor: 'var(--grid)',
    domain: false,
    tickColor: 'var(--line)',
    labelPadding: 4,
    labelOverlap: false,
  },
  axisX: { labelFlush: true },
};
