/**
 * The only module that produces HTML: hono's tag escapes every interpolated string, except what is marked by `raw` (our
 * own SVG and CSS).
 */
import { html, raw } from 'hono/html';

export { html, raw };

/** An escaped HTML fragment; nested fragments may be promises. */
export type Markup = ReturnType<typeof html>;
