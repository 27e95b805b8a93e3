import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ColourName, colours } from '../../../src/report/page/palette.js';

describe('the palette', () => {
  const grounds: readonly ColourName[] = ['page', 'panel'];
  const lines: readonly ColourName[] = ['line', 'grid', 'notice', 'tint', ...grounds];
  const names = Object.keys(colours) as ColourName[];

  it('keeps a contrast of at least 4.5 for text and marks on every ground, light and dark', () => {
    const marks = names.filter((name) => !lines.includes(name));
    assert.ok(marks.length >= 8);
    for (const scheme of ['light', 'dark'] as const) {
      for (const mark of marks)
        for (const ground of grounds)
          assert.ok(
            contrast(colours[mark][scheme], colours[ground][scheme]) >= 4.5,
            `${mark} on ${ground}, ${scheme}`,
          );
      assert.ok(contrast(colours.ink[scheme], colours.notice[scheme]) >= 4.5, `ink on notice, ${scheme}`);
    }
  });

  it('keeps a contrast of at least 3 for the faint part of a bar, whose number stands beside it', () => {
    for (const scheme of ['light', 'dark'] as const)
      assert.ok(contrast(colours.tint[scheme], colours.page[scheme]) >= 3, scheme);
  });
});

/** Contrast of WCAG 2: (L1 + 0.05) / (L2 + 0.05). */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((start) => {
    const value = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
