/**
 * How deep libtorch's parser can get in TorchScript, at most. It recurses with every bracket, operator, block and `elif`, and
 * the process ends where its stack ends. Counted in each function are the indentation, the `elif`s, and the words and signs
 * since the last comma or line in each of the open brackets. Text in quotes counts too: it only adds.
 */
export function deepestNesting(code: string): number {
  let deepest = 0;
  let branches = 0;
  /** Words and signs in each open bracket. */
  let open = [0];
  let sum = 0;
  const add = (count: number) => {
    open[open.length - 1]! += count;
    sum += count;
    deepest = Math.max(deepest, sum + branches);
  };
  for (const [token] of code.matchAll(/\\\n|\n *(?:(?:def|class)\b)?|\w+|[^\w\s]/g)) {
    if (token.startsWith('\n')) {
      const isFunction = /\w$/.test(token);
      if (isFunction) branches = 0;
      if (!isFunction && open.length > 1) continue; // a line ends nothing within brackets
      open = [0];
      sum = 0;
      add(token.length);
    } else if (token === ',') {
      sum -= open.at(-1)!;
      open[open.length - 1] = 0;
    } else if (/[([{]/.test(token)) {
      add(1);
      open.push(0);
    } else if (/[)\]}]/.test(token) && open.length > 1) sum -= open.pop()!;
    else if (token === 'elif') branches++;
    else add(1);
  }
  return deepest;
}
