/**
 * Finds the places of ids, which come from a file: by bisection, since a map of numbers takes quadratic time where the file
 * has chosen those that V8 hashes alike. undefined for an id that is not there; the last place of one that is there twice.
 */
export function placesOfIds(ids: ArrayLike<number>): (id: number) => number | undefined {
  const order = Uint32Array.from({ length: ids.length }, (_, place) => place).sort(
    (a, b) => ids[a]! - ids[b]! || a - b,
  );
  return (id) => {
    let [from, to] = [0, order.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (ids[order[middle]!]! <= id) from = middle + 1;
      else to = middle;
    }
    const place = order[from - 1];
    return place !== undefined && ids[place] === id ? place : undefined;
  };
}
