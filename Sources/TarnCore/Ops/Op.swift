/// The primitives: everything else is written in them, and each one's derivative is written in them too.
///
/// A node has an op, inputs, a shape and a dtype. What an op means (its shape rule, its derivatives,
/// its batching rule and a slow, plain implementation) stands in one ``Rule`` beside the others of its family.
/// Operands of element-wise ops have equal shapes and types: broadcasting and casting are ops of their own.
package enum Op: Hashable, Sendable {
  // MARK: Leaves
  /// Data that was given. Its storage is there from birth.
  case constant
  /// An argument of a function being traced: it has a shape but no value.
  case argument
  /// The same number everywhere.
  case full(Scalar)
  /// The index along `axis`: 0, 1, 2, …
  case iota(axis: Int)

  // MARK: Random. Input: a key, int64 [2].
  case random(RandomKind)

  // MARK: Element by element. Operands have the shape and dtype of the result (comparisons give bool).
  case unary(Unary)
  case binary(Binary)
  case compare(Comparison)
  /// `condition ? a : b`; the condition is bool.
  case select
  /// To the node's dtype: towards zero from floating to integer, `!= 0` to bool.
  case cast

  // MARK: Movement
  /// The same elements in row-major order under the node's shape.
  case reshape
  /// Output axis i is input axis `axes[i]`.
  case permute([Int])
  /// To the node's shape, which has the input's rank; axes of length 1 are repeated.
  case broadcast
  /// Elements `start, start + step, … < stop` of each axis; steps are positive.
  case slice([Stride])
  /// Zeros (false) before, after and between the elements of each axis. Margins may be negative: they crop.
  case pad([Margin])
  /// Inputs one after another along `axis`.
  case concatenate(axis: Int)
  /// The order of these axes reversed.
  case flip([Int])

  // MARK: Reduction. Reduced axes stay, with length 1.
  case reduce(Reduction, axes: [Int])
  /// Index (int64) of the first largest or smallest element along `axis`, which stays with length 1.
  case argReduce(ArgReduction, axis: Int)
  /// Running sum along `axis`, from its end if `reverse`.
  case cumulativeSum(axis: Int, reverse: Bool)
  /// Stable order (int64) of the elements along `axis`. NaN counts as the largest.
  case argsort(axis: Int, descending: Bool)

  // MARK: Contraction
  /// Batch of products: [b, m, k] × [b, k, n] → [b, m, n]; a transposed operand is stored [b, k, m] or [b, n, k].
  case matmul(transposeA: Bool, transposeB: Bool)
  /// [N, C, …] with [O, C / groups, …] → [N, O, …], or one of its two adjoints. All three are bilinear.
  indirect case convolution(ConvolutionPass, Convolution)
  /// Flat index (int32) within each [spatial…] plane of the largest element of each window. Padding never wins.
  indirect case windowArgMax(Window)
  /// Sum over each window of [N, C, spatial…]; padding counts as zero.
  indirect case windowSum(Window)
  /// Adjoint of `windowSum`: spreads each element over its window. The node's shape is the unpooled one.
  indirect case windowSpread(Window)

  // MARK: Indexing. Inputs: x, indices (integer, any shape); a negative index counts from the end.
  /// x[:, …, indices, …]: the axis is replaced by the axes of `indices`.
  case take(axis: Int)
  /// Zeros of the node's shape with `updates` added at `indices` along `axis`. Inputs: updates, indices.
  case scatterAdd(axis: Int)

  // MARK: Linear algebra over the last two axes. Several results come packed in one row, [..., count].
  /// Lower factor L of A = L Lᵀ.
  case cholesky
  /// X with op(A) X = B, A triangular.
  case triangularSolve(lower: Bool, transposed: Bool)
  /// X with A X = B.
  case solve
  /// [...]: determinant.
  case determinant
  /// [..., n + n²]: eigenvalues ascending, then eigenvectors as columns.
  case symmetricEigen
  /// [..., mk + k + kn], k = min(m, n): U, singular values descending, Vᵀ.
  case svd
  /// [..., mk + kn]: Q, R.
  case qr

  // MARK: Structure. Each passes its first input on.
  /// What is differentiated with respect to.
  case variable
  /// A named computation: input 0 is its result in primitives (the fallback), the others its arguments.
  /// A backend may claim it by name; a rule may replace its derivative.
  case call(Call)
  /// Keeps a recomputation from being merged with the original; input 1 is what it must wait for.
  case fence
}

package enum RandomKind: UInt8, Hashable, Sendable {
  /// Floating, uniform in [0, 1).
  case uniform
  /// int64, every bit random.
  case bits
}

package enum Unary: UInt8, Hashable, Sendable, CaseIterable {
  case negate, absolute, sign, exp, expm1, log, log1p, sqrt, rsqrt, reciprocal
  case sin, cos, tan, asin, acos, atan, tanh, erf, erfInverse, sigmoid, relu
  case floor, ceil, round
  case not
  /// x Φ(x), and its derivative.
  case gelu, geluSlope
}

package enum Binary: UInt8, Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, power, maximum, minimum, atan2
  /// Sign of the divisor, as Python's `%` and `//`.
  case remainder, floorDivide
  case and, or, xor
}

package enum Comparison: UInt8, Hashable, Sendable, CaseIterable {
  case equal, notEqual, less, lessEqual
}

package enum Reduction: UInt8, Hashable, Sendable, CaseIterable {
  case sum, product, maximum, minimum
}

package enum ArgReduction: UInt8, Hashable, Sendable, CaseIterable {
  case maximum, minimum
}

package struct Stride: Hashable, Sendable {
  package var start: Int, stop: Int, step: Int
  package init(_ start: Int, _ stop: Int, step: Int = 1) {
    (self.start, self.stop, self.step) = (start, stop, step)
  }
  package var count: Int { max(0, (stop - start + step - 1) / step) }
}

package struct Margin: Hashable, Sendable {
  package var low: Int, high: Int, interior: Int
  package init(_ low: Int = 0, _ high: Int = 0, interior: Int = 0) {
    (self.low, self.high, self.interior) = (low, high, interior)
  }
  /// The padded length of an axis of `count` elements.
  package func padded(_ count: Int) -> Int {
    max(0, low + count + max(0, count - 1) * interior + high)
  }
}

package enum ConvolutionPass: UInt8, Hashable, Sendable {
  /// (x, w) → y
  case forward
  /// (g, w) → gradient of x, also the transposed convolution
  case inputGradient
  /// (x, g) → gradient of w
  case weightGradient
}

/// Geometry of a convolution, per spatial axis.
package struct Convolution: Hashable, Sendable {
  package var strides: [Int], low: [Int], high: [Int], dilations: [Int]
  package var groups: Int
  package init(strides: [Int], low: [Int], high: [Int], dilations: [Int], groups: Int) {
    (self.strides, self.low, self.high, self.dilations) = (strides, low, high, dilations)
    self.groups = groups
  }
}

/// Geometry of a pooling window, per spatial axis.
package struct Window: Hashable, Sendable {
  package var size: [Int], strides: [Int], low: [Int], high: [Int], dilations: [Int]
  package init(size: [Int], strides: [Int], low: [Int], high: [Int], dilations: [Int]) {
    (self.size, self.strides, self.low, self.high, self.dilations) = (
      size, strides, low, high, dilations
    )
  }
}

/// A named computation with a fallback in primitives, and optionally derivatives of its own.
package final class Call: Hashable, Sendable {
  /// What a backend claims it by; equal names and attributes mean the same function of the arguments.
  package let name: String
  package let attributes: [Scalar]
  /// Whether a result computed from data alone is worth keeping as long as the data lives, as weights made ready are.
  package let isKept: Bool
  /// Whether kernels take arguments wherever they are, as long as their last axis lies together.
  package let takesRows: Bool
  /// What gives the argument back from the result. A result of a plan may then stay as the argument until it is read.
  package let inverse: Call?
  /// Gradients for the arguments given (arguments, result, gradient of the result); without it the
  /// fallback is differentiated.
  package let vjp: (@Sendable ([Tensor], Tensor, Tensor) -> [Tensor?])?
  /// The result's tangent given (arguments, result, tangents of the arguments); nil: it has none.
  package let jvp: (@Sendable ([Tensor], Tensor, [Tensor?]) -> Tensor?)?
  /// What it is of its arguments, recorded only when needed: all that input 0 of a composite does not say.
  package let fallback: (@Sendable ([Tensor]) -> Tensor)?

  package init(
    _ name: String, _ attributes: [Scalar] = [], isKept: Bool = false, inverse: Call? = nil,
    takesRows: Bool = false,
    vjp: (@Sendable ([Tensor], Tensor, Tensor) -> [Tensor?])? = nil,
    jvp: (@Sendable ([Tensor], Tensor, [Tensor?]) -> Tensor?)? = nil,
    fallback: (@Sendable ([Tensor]) -> Tensor)? = nil
  ) {
    (self.name, self.attributes, self.isKept, self.inverse) = (name, attributes, isKept, inverse)
    (self.vjp, self.jvp) = (vjp, jvp)
    self.takesRows = takesRows
    self.fallback = fallback
  }

  package static func == (a: Call, b: Call) -> Bool {
    a === b || (a.name == b.name && a.attributes == b.attributes)
  }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(attributes)
  }
}
