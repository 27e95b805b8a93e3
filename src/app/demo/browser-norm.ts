import { type BrowserNormName, browserNorms } from '../../browser/norms.js';
import { InputError } from '../../errors.js';
import type { NormName } from '../../user-input/norm-name.js';

/** The norm of a demo. @throws {InputError} for one in which its page has no attack. */
export function browserNormOf(norm: NormName, name: string): BrowserNormName {
  if (Object.hasOwn(browserNorms, norm)) return norm as BrowserNormName;
  throw InputError.expected(
    Object.keys(browserNorms).join(' or '),
    name,
    norm,
    'The page attacks by PGD in these norms alone.',
  );
}
