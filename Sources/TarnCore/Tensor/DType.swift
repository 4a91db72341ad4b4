/// The type of a tensor's elements. A value, not a type parameter: one `Tensor` holds any of them.
///
/// Promotion of two tensors follows one rule, written out in ``DType/promoted(_:_:)``:
/// the wider category wins (bool < integer < floating), then the narrowest type of that category
/// that holds both.
public enum DType: UInt8, Sendable, Hashable, CaseIterable, Codable {
  case bool, uint8, int8, int32, int64, float16, bfloat16, float32, float64

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether it holds fractions: the types a derivative is taken in.
  public var isFloating: Bool { rawValue >= DType.float16.rawValue }
  /// Whether it holds whole numbers; `bool` does not count as one.
  public var isInteger: Bool { self != .bool && !isFloating }

  /// The type that holds both: `bool < uint8, int8 < int32 < int64 < float16, bfloat16 < float32 < float64`,
  /// with `uint8` and `int8` giving `int32`, `float16` and `bfloat16` giving `float32`.
  public static func promoted(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    switch (a, b) {
    case (.uint8, .int8), (.int8, .uint8): return .int32
    case (.float16, .bfloat16), (.bfloat16, .float16): return .float32
    default: return a.rawValue > b.rawValue ? a : b
    }
  }

  /// The type a true division or a transcendental function gives: itself if floating, else `float32`.
  public var floating: DType { isFloating ? self : .float32 }

  /// The name as NumPy and safetensors users know it, e.g. `float32`.
  public var name: String { String(describing: self) }
}

/// A Swift type that can be the element of a tensor.
public protocol TensorScalar: Sendable, BitwiseCopyable {
  static var dtype: DType { get }
}

extension Bool: TensorScalar { public static var dtype: DType { .bool } }
extension UInt8: TensorScalar { public static var dtype: DType { .uint8 } }
extension Int8: TensorScalar { public static var dtype: DType { .int8 } }
extension Int32: TensorScalar { public static var dtype: DType { .int32 } }
extension Int64: TensorScalar { public static var dtype: DType { .int64 } }
extension Int: TensorScalar { public static var dtype: DType { .int64 } }
extension Float: TensorScalar { public static var dtype: DType { .float32 } }
extension Double: TensorScalar { public static var dtype: DType { .float64 } }
#if !(os(macOS) && arch(x86_64))
  extension Float16: TensorScalar { public static var dtype: DType { .float16 } }
#endif

/// The upper half of a `Float`: eight bits of exponent, seven of fraction, rounded to nearest even.
public struct BFloat16: TensorScalar, Hashable {
  /// `bfloat16`
  public static var dtype: DType { .bfloat16 }
  /// Sign, 8 bits of exponent, 7 of fraction.
  public var bitPattern: UInt16

  /// The number of these bits.
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest number; of two as near, the one with an even last bit.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
    } else {
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
    }
  }
}

extension Float {
  /// The same number, exactly.
  public init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}

/// One number: an element's value on the host, or the constant in `x * 2`.
public enum Scalar: Sendable, Hashable {
  case integer(Int64)
  case real(Double)

  /// The number as a `Double`.
  public var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    }
  }

  /// Truncated towards zero; saturated at the ends of the range, and 0 for NaN.
  public var int64: Int64 {
    switch self {
    case .integer(let value): value
    case .real(let value):
      Int64(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : value < 0 ? .min : 0)
    }
  }

  /// The type that a tensor of `dtype` takes on when combined with this number:
  /// its own, except that a fraction turns integers into `float32`.
  public func promoting(_ dtype: DType) -> DType {
    switch self {
    case .integer: dtype == .bool ? .int64 : dtype
    case .real: dtype.floating
    }
  }
}
