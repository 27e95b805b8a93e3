/**
 * The words of a command line up to the cursor, as bash splits it, quotes and backslashes removed. The last one is being
 * typed: it is empty after a space.
 */
export function splitLine(line: string): string[] {
  const words = [''];
  let quote: string | null = null;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    const isLast = words.length - 1;
    if (character === '\\' && quote !== "'") words[isLast] += line[++at] ?? '';
    else if (quote !== null)
      if (character === quote) quote = null;
      else words[isLast] += character;
    else if (character === '"' || character === "'") quote = character;
    else if (!/\s/.test(character)) words[isLast] += character;
    else if (/\S/.test(line[at - 1] ?? ' ')) words.push('');
  }
  return words;
}
