/**
 * The colours of the report. Each has a light and a dark value of one name; style.ts makes them CSS variables
 * and the figures refer to those, so one SVG serves both schemes. The series differ in lightness as well as
 * in hue (after Okabe and Ito), and all text and marks keep a contrast of at least 4.5 to the ground, the
 * faint part of a bar 3: a test says so.
 */
export const colours = {
  page: { light: '#faf9f6', dark: '#14161a' },
  panel: { light: '#ffffff', dark: '#1c1f25' },
  ink: { light: '#1b1d22', dark: '#eceef2' },
  muted: { light: '#595e69', dark: '#a6aebb' },
  line: { light: '#dddbd3', dark: '#353b46' },
  grid: { light: '#e9e7e1', dark: '#2a2f38' },
  good: { light: '#0b6b47', dark: '#63d6a4' },
  bad: { light: '#ad2415', dark: '#ff958a' },
  tint: { light: '#4f95c6', dark: '#356f9a' },
  notice: { light: '#fff3d6', dark: '#30280f' },
  series0: { light: '#a84300', dark: '#f6a04d' },
  series1: { light: '#00619c', dark: '#62b8f3' },
  series2: { light: '#00694a', dark: '#4fd0a3' },
  series3: { light: '#8f2f73', dark: '#e995cd' },
  series4: { light: '#6b5600', dark: '#e6d25c' },
  series5: { light: '#4a3fa8', dark: '#b3abff' },
} as const satisfies Record<string, { light: string; dark: string }>;

export type ColourName = keyof typeof colours;

/** How CSS and SVG refer to a colour. */
export function variable(name: ColourName): string {
  return `var(--${name})`;
}

const series: readonly ColourName[] = ['series0', 'series1', 'series2', 'series3', 'series4', 'series5'];
const shapes = ['circle', 'diamond', 'triangle-up', 'square', 'triangle-down'] as const;
const dashes: readonly (readonly number[])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 2, 2, 2],
];

/** Colour, mark and dash of the network at this place; the three lists differ in length, so sixty differ. */
export function seriesStyle(index: number): { colour: string; shape: string; dash: number[] } {
  return {
    colour: variable(series[index % series.length]!),
    shape: shapes[index % shapes.length]!,
    dash: [...dashes[index % dashes.length]!],
  };
}
