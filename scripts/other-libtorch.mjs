/** How to have a libtorch that is not a package of the system; the end of a sentence. */
export const OTHER_LIBTORCH = `any of these gives Satin its libtorch:
  - set LIBTORCH to an unpacked libtorch (https://pytorch.org, "LibTorch") or to the folder of a Python package torch
  - python3 -m venv ~/torch && ~/torch/bin/pip install torch && . ~/torch/bin/activate, then start Satin again`;
