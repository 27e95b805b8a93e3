/**
 * The one door through which text becomes HTML: hono's tag escapes every string that is put into it, and
 * only what `raw` marks (our own SVG and CSS) goes in as it is.
 */
import { html, raw } from 'hono/html';

export { html, raw };

/** A piece of a page, escaped; nested pieces may be promises. */
export type Markup = ReturnType<typeof html>;
