/**
 * Types of the exports of `native/addon.cc`, in its order. A handle is a number that identifies a live tensor and is
 * never
 * 0. A test compares this list with the binary.
 */
export type Handle = number;

/** An argument of an operator: a handle, a number, a string (dtype, device, memory format), a list, or none. */
export type OperatorArgument =
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly (number | boolean | null)[];

/** The result of an operator. */
export type OperatorResult = Handle | number | boolean | null | readonly OperatorResult[];

export type ResamplingSizes = readonly [
  height: number,
  width: number,
  fullHeight: number,
  fullWidth: number,
  top: number,
  left: number,
  windowHeight: number,
  windowWidth: number,
];

export type ResamplingFilter = 'bilinear' | 'bicubic' | 'opencv-cubic';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | BigInt64Array;

export interface Addon {
  setErrorClasses(
    engine: new (message: string) => Error,
    disposed: new (message: string) => Error,
    input: new (code: string, message: string) => Error,
  ): void;
  fromData(data: TypedArray, shape: readonly number[], device: string): Handle;
  readData(tensor: Handle): TypedArray;
  release(...tensors: Handle[]): void;
  shapeOf(tensor: Handle): number[];
  dtypeOf(tensor: Handle): string;
  deviceOf(tensor: Handle): string;
  liveTensors(): number;
  readCount(): number;
  mockReadCount(): number;
  beginRead(tensor: Handle): number;
  finishRead(read: number): TypedArray;
  toDevice(tensor: Handle, device: string): Handle;
  cards(): [name: string, capability: string, memory: number][];
  synchronise(device: string): void;
  setTensorFloat32(allowed: boolean): boolean;
  prepareRecording(device: string): void;
  beginRecording(): void;
  endRecording(): number;
  abandonRecording(): void;
  replayGraph(graph: number): void;
  releaseGraph(graph: number): void;
  findOperator(name: string, overload: string): number;
  call(operator: number, ...values: OperatorArgument[]): OperatorResult;
  callInPlace(operator: number, ...values: OperatorArgument[]): void;
  gradients(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    outputGradients: readonly Handle[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  reducedGradients(
    output: Handle,
    parameters: readonly Handle[],
    others: readonly Handle[],
    bucketBytes: number,
  ): Handle[];
  setGradEnabled(enabled: boolean): boolean;
  setRequiresGrad(tensor: Handle, required: boolean): void;
  requiresGrad(tensor: Handle): boolean;
  loadScript(path: string, device: string): number;
  runScript(script: number, input: Handle): Handle;
  scriptInputs(script: number): number;
  releaseScript(script: number): void;
  traceScript(
    names: readonly string[],
    tensors: readonly Handle[],
    trained: readonly (0 | 1)[],
    example: Handle,
    forward: (images: Handle) => Handle,
  ): Uint8Array;
  distributedBackends(): string[];
  openStore(host: string, port: number, opens: boolean): void;
  storeSet(key: string, value: string): void;
  storeFind(key: string): string | null;
  storeAdd(key: string, amount: number): number;
  joinGroup(
    backend: string,
    device: string,
    address: string,
    rank: number,
    size: number,
    spins: boolean,
  ): void;
  leaveRanks(clean: boolean): void;
  watchRanks(
    host: string,
    port: number,
    rank: number,
    names: string,
    interval: number,
    missing: number,
  ): void;
  holdTermination(held: boolean): void;
  endOfTheRanks(): string | null;
  announceEndOfRanks(sentence: string): void;
  allReduceNumbers(numbers: readonly number[]): number[];
  allReduceMeans(tensors: readonly Handle[]): void;
  broadcastTensors(tensors: readonly Handle[]): void;
  allGather(tensor: Handle): Handle;
  recordEndOfJob(): string;
  noise(
    distribution: 'uniform' | 'normal',
    shape: readonly number[],
    dtype: string,
    key: readonly [seed: number, stream: number, epoch: number, restart: number, rank: number, step: number],
    ids: readonly number[],
    device: string,
  ): Handle;
  resample(
    pixels: Uint8Array,
    sizes: ResamplingSizes,
    filter: ResamplingFilter,
    flip: boolean,
    target: Uint8Array,
    offset: number,
  ): Promise<true>;
  resampleJpeg(
    file: Uint8Array,
    sizes: ResamplingSizes,
    filter: ResamplingFilter,
    flip: boolean,
    target: Uint8Array,
    offset: number,
    top: number,
    left: number,
  ): Promise<boolean>;
  sizeOfJpeg(file: Uint8Array): [height: number, width: number] | null;
  jpegDecoder(): string | null;
  memory(): [
    live: number,
    blocks: number,
    cached: number,
    peak: number,
    cacheLimit: number,
    totalLimit: number,
    left: number,
  ];
  setMemoryLimits(cacheBytes: number, totalBytes: number): void;
  limitMemory(totalBytes: number, giver: string, gauges: string): void;
  emptyCache(): void;
  poisonRecycled(poison: boolean): void;
  setThreads(threads: number): void;
  engine(): [
    version: string,
    threads: number,
    cuda: boolean,
    oneDnn: boolean,
    mkl: boolean,
    capability: string,
  ];
  takeWarnings(): string[];
  parallelWidth(): number;
}
