import { join } from 'node:path';
import type { LoadProgress } from './dataset.js';
import { download, type PublicFile } from './download.js';

/**
 * Sources of the public data sets. The md5 sums of MNIST and Fashion-MNIST are those that torchvision checks (its
 * `datasets/mnist.py`), Fashion-MNIST's are also in its README; the sha256 sums of the CIFAR archives are those of GoMLX and
 * MLDatasets.jl, for files whose md5 is the one on Krizhevsky's page.
 */
export type SourceFiles = Readonly<Record<string, PublicFile>>;

const mnist = 'https://ossci-datasets.s3.amazonaws.com/mnist';
// This server has no https; the digests verify the files.
const fashion = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com';
const cifar = 'https://www.cs.toronto.edu/~kriz';

export const mnistFiles: SourceFiles = {
  'train-images-idx3-ubyte.gz': {
    url: `${mnist}/train-images-idx3-ubyte.gz`,
    digest: 'md5:f68b3c2dcbeaaa9fbdd348bbdeb94873',
  },
  'train-labels-idx1-ubyte.gz': {
    url: `${mnist}/train-labels-idx1-ubyte.gz`,
    digest: 'md5:d53e105ee54ea40749a09fcbcd1e9432',
  },
  't10k-images-idx3-ubyte.gz': {
    url: `${mnist}/t10k-images-idx3-ubyte.gz`,
    digest: 'md5:9fb629c4189551a2d022fa330f9573f3',
  },
  't10k-labels-idx1-ubyte.gz': {
    url: `${mnist}/t10k-labels-idx1-ubyte.gz`,
    digest: 'md5:ec29112dd5afa0611ce80d1b7f02629c',
  },
};

export const fashionFiles: SourceFiles = {
  'train-images-idx3-ubyte.gz': {
    url: `${fashion}/train-images-idx3-ubyte.gz`,
    digest: 'md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d',
  },
  'train-labels-idx1-ubyte.gz': {
    url: `${fashion}/train-labels-idx1-ubyte.gz`,
    digest: 'md5:25c81989df183df01b3e8a0aad5dffbe',
  },
  't10k-images-idx3-ubyte.gz': {
    url: `${fashion}/t10k-images-idx3-ubyte.gz`,
    digest: 'md5:bef4ecab320f06d8554ea6380940ec79',
  },
  't10k-labels-idx1-ubyte.gz': {
    url: `${fashion}/t10k-labels-idx1-ubyte.gz`,
    digest: 'md5:bb300cfdad3c16e7a12a480ee83cd310',
  },
};

export const cifar10Files: SourceFiles = {
  'cifar-10-binary.tar.gz': {
    url: `${cifar}/cifar-10-binary.tar.gz`,
    digest: 'sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  },
};

export const cifar100Files: SourceFiles = {
  'cifar-100-binary.tar.gz': {
    url: `${cifar}/cifar-100-binary.tar.gz`,
    digest: 'sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
  },
};

export interface FetchFiles {
  readonly files: SourceFiles;
  /** Names of the files to fetch. */
  readonly wanted: readonly string[];
  readonly folder: string;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** Downloads files into `folder`, one after another. @throws as `download` */
export async function fetchFiles({ files, wanted, folder, onProgress }: FetchFiles): Promise<void> {
  for (const name of wanted) {
    const source = files[name]!;
    const report =
      onProgress &&
      ((done: number, total: number | undefined) =>
        onProgress({ stage: 'download', what: name, done, total }));
    await download({ ...source, file: join(folder, name), onProgress: report });
  }
}
