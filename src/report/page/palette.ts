/**
 * The colours of the report, each with a value for light and dark mode. style.ts defines them as CSS variables, to
 * which the figures refer, so that one SVG works in both modes. The series differ in lightness as well as in hue (after
 * Okabe and Ito), and the contrast to the background is at least 4.5 for text and marks and 3 for the faint part of a
 * bar, which a test checks.
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

/** A reference to a colour in CSS and SVG. */
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

/**
 * Colour, mark and dash of the network with this index; the lists differ in length, so that 60 combinations are
 * distinct.
 */
export function seriesStyle(index: number): { colour: string; shape: string; dash: number[] } {
  return {
    colour: variable(series[index % series.length]!),
    shape: shapes[index % shapes.length]!,
    dash: [...dashes[index % dashes.length]!],
  };
}
