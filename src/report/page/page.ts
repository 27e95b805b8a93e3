import { html, type Markup, raw } from './html.js';
import { stylesheet } from './style.js';

/**
 * One self-contained HTML file. It has no scripts and loads no resources (enforced by its content security policy), so
 * it can be opened offline and archived.
 */
export async function page({
  title,
  body,
}: {
  readonly title: string;
  readonly body: Markup;
}): Promise<string> {
  const document = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(stylesheet)}</style>
</head>
<body>
<main>
${body}
</main>
<footer>Created by Satin. This file loads no external resources.</footer>
</body>
</html>
`;
  return document.toString();
}
