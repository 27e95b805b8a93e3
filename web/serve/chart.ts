import uPlot from 'uplot';
import { h, hidden } from './dom.js';
import { colourOf, onTheme } from './theme.js';
import { short } from './words.js';

type Values = readonly (number | null)[];

/** A line of a chart; all lines of a chart share its x. */
export interface Line {
  readonly name: string;
  /** A colour of the palette: `var(--series0)`. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly values: Values;
  /** Lowest and highest value behind each point, drawn as a band. */
  readonly band?: { readonly low: Values; readonly high: Values };
  /** Whether points are marked and joined over gaps, as are measurements once per epoch. */
  readonly isSparse?: boolean;
  /** Whether it is drawn thin, behind what is to be read first. */
  readonly isThin?: boolean;
  /** Whether it has gaps only because other lines have points there. */
  readonly isJoined?: boolean;
}

export interface ChartData {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
}

export interface ChartOptions {
  readonly title: string;
  /** What x counts: `epoch`. */
  readonly xName: string;
  readonly formatX?: (value: number) => string;
  readonly format?: (value: number | null | undefined) => string;
  /** Called with the range that was dragged out, or null for everything. */
  readonly onZoom?: (range: readonly [number, number] | null) => void;
  readonly signal: AbortSignal;
}

export interface Chart {
  readonly element: HTMLElement;
  show(data: ChartData): void;
}

const height = 220;
/** Charts of one page point at the same x. */
const together = uPlot.sync('satin');

/**
 * A chart of lines. Mouse: point to read, drag to zoom, double-click for everything. Keyboard: it is a slider over its
 * points, which reads out the values.
 */
export function chart(options: ChartOptions): Chart {
  const { title, xName, formatX = short, format = short, onZoom, signal } = options;
  const plotPlace = h('div', { class: 'plot', 'aria-hidden': 'true' });
  const legend = h('ul', { class: 'key' });
  const reading = h('span', { class: 'reading-x' });
  const slider = h(
    'div',
    {
      class: 'chart-focus',
      role: 'slider',
      tabindex: 0,
      'aria-label': `${title}: read values by arrow keys`,
      'aria-valuemin': 0,
      'aria-valuemax': 0,
      'aria-valuenow': 0,
      'aria-valuetext': 'no values yet',
    },
    plotPlace,
  );
  const summary = hidden('');
  const element = h(
    'figure',
    { class: 'chart card' },
    h('figcaption', {}, h('span', { class: 'chart-title' }, title), reading),
    slider,
    legend,
    summary,
  );
  let data: ChartData = { x: [], lines: [] };
  let plot: uPlot | undefined;
  let shape = '';
  let at = -1;
  const values: HTMLElement[] = [];

  const read = (index: number | null | undefined) => {
    const last = data.x.length - 1;
    const place = index == null ? last : Math.min(last, Math.max(0, index));
    reading.textContent = place < 0 ? '' : `${xName} ${formatX(data.x[place]!)}`;
    data.lines.forEach((line, series) => {
      const cell = values[series];
      if (cell !== undefined) cell.textContent = format(valueNear(line, place));
    });
    return place;
  };

  const say = (place: number) => {
    slider.setAttribute('aria-valuemax', String(Math.max(0, data.x.length - 1)));
    slider.setAttribute('aria-valuenow', String(Math.max(0, place)));
    const words = data.lines.map((line) => `${line.name} ${format(valueNear(line, place))}`);
    slider.setAttribute(
      'aria-valuetext',
      place < 0 ? 'no values yet' : `${xName} ${formatX(data.x[place]!)}: ${words.join(', ')}`,
    );
  };

  const make = () => {
    plot?.destroy();
    plot = new uPlot(
      plotOptions(data, { width: plotPlace.clientWidth || 300, formatX, format, onZoom, read }),
      columns(data),
      plotPlace,
    );
    together.sub(plot);
  };

  slider.addEventListener('keydown', (event) => {
    const last = data.x.length - 1;
    const stride = event.shiftKey ? Math.max(1, Math.round(last / 10)) : Math.max(1, Math.round(last / 100));
    const from = at < 0 ? last : at;
    const to = {
      ArrowLeft: from - stride,
      ArrowDown: from - stride,
      ArrowRight: from + stride,
      ArrowUp: from + stride,
      PageDown: from - Math.round(last / 10),
      PageUp: from + Math.round(last / 10),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === 'Escape' && onZoom !== undefined) onZoom(null);
    if (to === undefined || plot === undefined || last < 0) return;
    event.preventDefault();
    at = Math.min(last, Math.max(0, to));
    say(at);
    plot.setCursor({ left: plot.valToPos(data.x[at]!, 'x'), top: 10 });
  });

  const observer = new ResizeObserver(() => {
    if (plot !== undefined && plotPlace.clientWidth > 0)
      plot.setSize({ width: plotPlace.clientWidth, height });
  });
  observer.observe(plotPlace);
  onTheme(() => {
    if (plot !== undefined) make();
  }, signal);
  signal.addEventListener('abort', () => {
    observer.disconnect();
    if (plot !== undefined) {
      together.unsub(plot);
      plot.destroy();
    }
  });

  return {
    element,
    show(next) {
      data = next;
      element.classList.toggle('is-empty', data.x.length === 0);
      const now = JSON.stringify(
        data.lines.map(({ name, colour, band }) => [name, colour, band !== undefined]),
      );
      if (now !== shape) {
        shape = now;
        values.splice(0);
        legend.replaceChildren(
          ...data.lines.map((line) => {
            const value = h('span', { class: 'value' });
            values.push(value);
            return h('li', {}, swatch(line), h('span', {}, line.name), value);
          }),
        );
        if (plotPlace.isConnected) make();
        else requestAnimationFrame(() => plotPlace.isConnected && make());
      } else plot?.setData(columns(data));
      at = Math.min(at, data.x.length - 1);
      say(read(at < 0 ? null : at));
      summary.textContent = data.lines.map((line) => inWords(line, format)).join(' ');
    },
  };
}

/** The value at a place or, of a line with gaps, the last one before it. */
function valueNear({ values, isSparse, isJoined }: Line, place: number): number | null | undefined {
  if (isSparse !== true && isJoined !== true) return values[place];
  for (let at = place; at >= 0; at--) if (values[at] != null) return values[at];
  return null;
}

function inWords({ name, values }: Line, format: (value: number | null | undefined) => string): string {
  const known = values.filter((value): value is number => value != null);
  if (known.length === 0) return `${name}: no values yet.`;
  let [low, high] = [known[0]!, known[0]!];
  for (const value of known) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return `${name}: from ${format(known[0])} to ${format(known.at(-1))}, lowest ${format(low)}, highest ${format(high)}.`;
}

function swatch({ colour, dash = [1, 0] }: Line): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 20 6');
  svg.setAttribute('class', 'line-swatch');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M0 3H20');
  path.setAttribute('stroke-width', '3');
  path.setAttribute('stroke-dasharray', dash[1] === 0 ? 'none' : dash.join(' '));
  path.style.setProperty('stroke', colour);
  svg.append(path);
  return svg;
}

/** uPlot's columns: x, then each line, a band being the line of its lows and the line of its highs before it. */
function columns({ x, lines }: ChartData): uPlot.AlignedData {
  const all: (readonly (number | null)[])[] = [];
  for (const { band } of lines) if (band !== undefined) all.push(band.low, band.high);
  for (const { values } of lines) all.push(values);
  return [x as number[], ...(all as (number | null)[][])];
}

function plotOptions(
  { lines }: ChartData,
  options: {
    readonly width: number;
    readonly formatX: (value: number) => string;
    readonly format: (value: number | null | undefined) => string;
    readonly onZoom: ((range: readonly [number, number] | null) => void) | undefined;
    readonly read: (index: number | null | undefined) => void;
  },
): uPlot.Options {
  const { width, formatX, format, onZoom, read } = options;
  const banded = lines.filter(({ band }) => band !== undefined);
  const faint = (colour: string) => `color-mix(in srgb, ${colourOf(colour)} 22%, transparent)`;
  const bandSeries = banded.flatMap(({ isJoined = false, isSparse = false }): uPlot.Series[] => {
    const edge = { stroke: 'transparent', width: 0, points: { show: false }, spanGaps: isJoined || isSparse };
    return [edge, edge];
  });
  const lineSeries = lines.map(
    ({ colour, dash, isSparse = false, isJoined = false, isThin = false }): uPlot.Series => {
      const stroke = colourOf(colour);
      return {
        stroke,
        width: isThin ? 1 : 2,
        ...(dash !== undefined && dash[1] !== 0 && { dash: [...dash] }),
        spanGaps: isSparse || isJoined,
        points: isSparse ? { show: isCountable, size: 6, fill: stroke, stroke } : { show: false },
      };
    },
  );
  const axis = {
    stroke: colourOf('var(--muted)'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colourOf('var(--grid)'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 10, 0, 0],
    cursor: {
      sync: { key: 'satin', setSeries: false, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false, uni: 8 },
      points: { size: 7 },
    },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: false }, y: { range: rangeOf } },
    axes: [
      { ...axis, size: 26, gap: 4, values: (_, splits) => splits.map(formatX) },
      { ...axis, size: 52, gap: 4, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [{}, ...bandSeries, ...lineSeries],
    bands: banded.map(({ colour }, index) => ({
      series: [2 * index + 2, 2 * index + 1],
      fill: faint(colour),
    })),
    hooks: {
      setCursor: [(plot) => read(plot.cursor.idx)],
      setSelect: [
        (plot) => {
          const { left, width: dragged } = plot.select;
          if (dragged < 8 || onZoom === undefined) return;
          onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + dragged, 'x')]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      ready: [
        (plot) => {
          plot.over.addEventListener('dblclick', () => onZoom?.(null));
        },
      ],
    },
  };
}

/** Whether a line has so few points that their marks do not hide it. */
function isCountable({ data }: uPlot, series: number): boolean {
  return Array.from(data[series] ?? []).filter((value) => value != null).length <= 60;
}

/** The range of the values with a margin; a constant gets one too. */
function rangeOf(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low == null || high == null) return [0, 1];
  if (low === high) return high > 0 ? [0, 1.25 * high] : [low - 1, high + 1];
  const span = high - low;
  const below = low - 0.06 * span;
  return [low >= 0 && below < 0 ? 0 : below, high + 0.06 * span];
}
