/** Deeper JSON would overflow the stack of whatever walks it next; no file of Satin nests more than ten deep. */
const deepest = 100;

/**
 * The value of JSON from a file that anybody may have written: `JSON.parse`, bounded in depth, with a message of one
 * printable line.
 *
 * @throws {SyntaxError} for any other text.
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > deepest) throw new SyntaxError(`it is nested more than ${deepest} deep`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text, line breaks included.
    const message = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(message.replaceAll(/\p{Cc}/gu, ' '), { cause: error });
  }
}

/** How deep brackets nest outside of strings; one pass over the text. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isString) {
      if (code === backslash) at++;
      else if (code === quote) isString = false;
    } else if (code === quote) isString = true;
    else if (code === openBracket || code === openBrace) most = Math.max(most, ++depth);
    else if (code === closeBracket || code === closeBrace) depth--;
  }
  return most;
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [...'"\\[]{}'].map((each) =>
  each.charCodeAt(0),
) as [number, number, number, number, number, number];
