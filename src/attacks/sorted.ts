import { operator } from '../tensor/operator.js';
import { one, several, type Tensor } from '../tensor/tensor.js';

/** The numbers of each row in ascending order, or descending, and their places before. [N, K] → [N, K], int64 [N, K]. */
export function sorted(rows: Tensor, { descending = false } = {}): { values: Tensor; places: Tensor } {
  const [values, places] = several(sort, rows.handle, -1, descending);
  return { values: values!, places: places! };
}

/** The sum of each number of a row and all before it. [N, K] → [N, K]. */
export function runningSum(rows: Tensor): Tensor {
  return one(cumsum, rows.handle, -1);
}

/** Each row with its numbers at other places: `rows` of place k goes to `places` of place k. [N, K] → [N, K]. */
export function placed(rows: Tensor, places: Tensor): Tensor {
  return one(scatter, rows.handle, 1, places.handle, rows.handle);
}

const sort = operator('aten::sort');
const cumsum = operator('aten::cumsum');
const scatter = operator('aten::scatter', 'src');
