import { html, type Markup, raw } from './html.js';
import { stylesheet } from './style.js';

/**
 * One HTML file that holds everything it shows. It has no script and loads nothing (its own content policy
 * forbids it), so it reads the same from a disk, from a mail and in ten years.
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
<footer>Made by Satin. Nothing in this file is loaded from elsewhere.</footer>
</body>
</html>
`;
  return document.toString();
}
