import { create, toBinary } from '@bufbuild/protobuf';
import { InputError } from '../errors.js';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js';

/** The version of the operators, and the version of the file format that came with it. */
export const opset = 22;
const fileFormat = 10n;

/** The name of a value in a graph. */
export type Name = string;

/** A whole number, whole numbers, or a real number (`{ real }`), as an attribute of a node. */
export type Attribute = number | readonly number[] | { readonly real: number };

/** The name of the first axis, whose size is the caller's choice. */
const batch = 'N';

/** No file of protobuf may be larger. */
const mostBytes = 2 ** 31 - 1;

/**
 * An ONNX graph that grows node by node. All its values are float32 but the shapes, axes and pads that operators take as
 * constants. Names are unique; equal small constants are stored once.
 */
export class Graph {
  readonly #nodes: NodeProto[] = [];
  readonly #constants = new Map<Name, TensorProto>();
  readonly #shared = new Map<string, Name>();
  readonly #owned = new Map<object, Name>();
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #taken = new Set<Name>();

  /** @param name of the graph, for whoever looks at it */
  constructor(readonly name: string) {}

  /** Adds a node with one output, and returns the output. */
  node(type: string, inputs: readonly Name[], attributes: Readonly<Record<string, Attribute>> = {}): Name {
    const output = this.#unused(type.toLowerCase());
    this.#nodes.push(
      create(NodeProtoSchema, {
        opType: type,
        name: output,
        input: [...inputs],
        output: [output],
        attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
      }),
    );
    return output;
  }

  /** A float32 constant, of which no copy is made; `name` if it is still free. */
  constant(values: ArrayLike<number>, shape: readonly number[], name = 'constant'): Name {
    const floats = values instanceof Float32Array ? values : Float32Array.from(values);
    const add = () => this.#addConstant(name, DataType.FLOAT, floats, shape);
    return floats.length > 1 ? add() : this.#once(`${floats[0]} ${shape.join()}`, add);
  }

  /** A float32 constant without axes. */
  number(value: number): Name {
    return this.constant([value], []);
  }

  /** An int64 constant: a shape, axes or pads. */
  integers(values: readonly number[]): Name {
    const add = () =>
      this.#addConstant('integers', DataType.INT64, BigInt64Array.from(values, BigInt), [values.length]);
    return this.#once(`integers ${values.join()}`, add);
  }

  /** The value that `add` adds, once for each owner. */
  sharedBy(owner: object, add: () => Name): Name {
    const name = this.#owned.get(owner) ?? add();
    this.#owned.set(owner, name);
    return name;
  }

  /** An input [N, ...shape]. */
  input(name: Name, shape: readonly number[]): Name {
    this.#taken.add(name);
    this.#inputs.push(describeValue(name, shape));
    return name;
  }

  /** Makes a value [N, ...shape] an output. */
  output(name: Name, value: Name, shape: readonly number[]): void {
    this.#taken.add(name);
    this.#nodes.push(create(NodeProtoSchema, { opType: 'Identity', name, input: [value], output: [name] }));
    this.#outputs.push(describeValue(name, shape));
  }

  /** The types of its nodes, sorted. */
  get operators(): readonly string[] {
    return [...new Set(this.#nodes.map(({ opType }) => opType))].sort();
  }

  /**
   * The bytes of an ONNX file.
   *
   * @throws {InputError} if the constants alone do not fit in one.
   */
  encode(options: {
    readonly producer: { readonly name: string; readonly version: string };
    /** Texts by name, for whoever reads the file. */
    readonly metadata: ReadonlyMap<string, string>;
  }): Uint8Array {
    const { producer, metadata } = options;
    const size = [...this.#constants.values()].reduce((sum, { rawData }) => sum + rawData.length, 0);
    if (size > mostBytes)
      throw InputError.expected(
        'a network of at most 2 GiB, the most that an ONNX file holds,',
        'the model',
        `${(size / 2 ** 30).toFixed(1)} GiB`,
      );
    const model = create(ModelProtoSchema, {
      irVersion: fileFormat,
      producerName: producer.name,
      producerVersion: producer.version,
      opsetImport: [{ domain: '', version: BigInt(opset) }],
      graph: {
        name: this.name,
        node: this.#nodes,
        initializer: [...this.#constants.values()],
        input: this.#inputs,
        output: this.#outputs,
      },
      metadataProps: [...metadata].map(([key, value]) => ({ key, value })),
    });
    return toBinary(ModelProtoSchema, model);
  }

  #once(key: string, add: () => Name): Name {
    const name = this.#shared.get(key) ?? add();
    this.#shared.set(key, name);
    return name;
  }

  #addConstant(
    wanted: Name,
    dataType: DataType,
    values: Float32Array | BigInt64Array,
    shape: readonly number[],
  ): Name {
    const name = this.#unused(wanted);
    const rawData = new Uint8Array(
      values.buffer,
      values.byteOffset,
      values.byteLength,
    ) as Uint8Array<ArrayBuffer>;
    const dims = shape.map(BigInt);
    this.#constants.set(name, create(TensorProtoSchema, { name, dataType, dims, rawData }));
    return name;
  }

  #unused(wanted: Name): Name {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}_${count}`;
    this.#taken.add(name);
    return name;
  }
}

function attributeOf(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if ('real' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.real });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

function describeValue(name: Name, shape: readonly number[]): ValueInfoProto {
  const dim = [
    { value: { case: 'dimParam', value: batch } as const },
    ...shape.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } as const })),
  ];
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: DataType.FLOAT, shape: { dim } } } },
  });
}
