import { where } from '../tensor/create.js';
import { operator } from '../tensor/operator.js';
import { one, type Tensor } from '../tensor/tensor.js';
import { haveKernel } from './have-kernel.js';

/** Each image of `yes` where `chosen`, bool [n], is true, and of `no` elsewhere. [n, C, H, W] each. */
export function chooseImages(chosen: Tensor, yes: Tensor, no: Tensor): Tensor {
  if (haveKernel(yes, no)) return one(chooseOperator, chosen.handle, yes.handle, no.handle);
  return where(chosen.reshape([-1, 1, 1, 1]), yes, no);
}

const chooseOperator = operator('satin::choose_images');
