/// A simplified graph cut into kernels, with the memory they need: what a backend of loops and library calls runs.
package struct Program: Sendable {
  package enum Place: Hashable, Sendable {
    /// Leaf number.
    case input(Int)
    /// Kept until read: output storage number.
    case output(Int)
    /// Made from a leaf by preparation number so and so, and kept with it.
    case prepared(Int)
    /// A result of the graph that deferral number so and so makes when it is read.
    case deferred(Int)
    /// Bytes from the start of the scratch memory of one run.
    case scratch(offset: Int)
    /// Bytes from the start of memory that lasts from run to run.
    case lasting(offset: Int)
  }

  package struct Buffer: Sendable {
    package var count: Int
    package var dtype: DType
    package var place: Place
    package var byteCount: Int { count * dtype.byteCount }
  }

  package enum Step: Sendable {
    /// Element-wise work of any length in one pass.
    case loop(Loop)
    /// The same with its result reduced over some axes.
    case reduction(Loop, Reduction, axes: [Int])
    /// One primitive, or one claimed call, on contiguous views; a product's operands may step over their batches.
    case kernel(Op, [View], output: View)
  }

  /// What a leaf's data is made into once: `op` of leaf `slot`.
  package struct Preparation: Sendable {
    package var op: Op
    package var slot: Int
    package var input: View
    package var output: View
  }

  /// What is left undone: `op` of an output storage. Its inverse is the layout that storage has.
  package struct Deferral: Sendable {
    package var op: Op
    package var inverse: Call
    package var input: View
    package var output: View
  }

  package var buffers: [Buffer] = []
  package var deferrals: [Deferral] = []
  package var preparations: [Preparation] = []
  package var steps: [Step] = []
  /// Per step the layer it belongs to, if layers were named.
  package var layers: [String?] = []
  /// For each output of the graph, its storage: a number for `Place.output`, or a leaf passed through.
  package var results: [Place] = []
  /// Numbers that follow those of the recording.
  package var ownScalars: [Scalar] = []
  package var scratchBytes = 0
  /// Steps that need not run again as long as the leaves are the same.
  package var leafGroups: [LeafGroup] = []
  package var lastingBytes = 0
  /// Bytes that would be needed if no memory were used twice.
  package var unsharedBytes = 0
}

/// A register machine run at every element of a shape.
package struct Loop: Sendable {
  package enum Kind: Hashable, Sendable {
    case unary(Unary)
    case binary(Binary)
    case compare(Comparison)
    case select
    /// From the dtype of `a` to the instruction's dtype.
    case cast(from: DType)
  }

  package struct Instruction: Sendable {
    package var kind: Kind
    /// Of the result; of the operands too, except for comparisons and casts.
    package var dtype: DType
    package var operandDType: DType
    package var target: Int
    package var a: Int
    package var b: Int
    package var c: Int
  }

  package struct Constant: Sendable {
    package var register: Int
    package var scalar: Int
    package var dtype: DType
  }

  package var shape: [Int] = []
  package var inputs: [(view: View, register: Int)] = []
  package var constants: [Constant] = []
  package var instructions: [Instruction] = []
  package var outputs: [(view: View, register: Int)] = []
  package var registerCount = 0
}
