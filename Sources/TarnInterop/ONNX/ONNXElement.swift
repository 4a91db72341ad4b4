import TarnCore

/// The element types of ONNX, by their numbers in the files.
///
/// Those that no tensor here has are carried by a wider one that holds every value: 16-bit integers by int32, unsigned
/// 32 and 64-bit ones by int64 (the upper half of uint64 wraps), floating types of 8 and 4 bits by float32.
package enum ONNXElement: Int32, Sendable, Hashable, CaseIterable {
  case float32 = 1, uint8, int8, uint16, int16, int32, int64, string, bool, float16, float64
  case uint32, uint64, complex64, complex128, bfloat16
  case float8E4M3FN, float8E4M3FNUZ, float8E5M2, float8E5M2FNUZ
  case uint4, int4

  /// The type of the tensors that hold it; nil: none does.
  package var carrier: DType? {
    switch self {
    case .float32, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ: .float32
    case .uint8, .uint4: .uint8
    case .int8, .int4: .int8
    case .uint16, .int16, .int32: .int32
    case .int64, .uint32, .uint64: .int64
    case .bool: .bool
    case .float16: .float16
    case .float64: .float64
    case .bfloat16: .bfloat16
    case .string, .complex64, .complex128: nil
    }
  }

  /// The element type that tensors of `dtype` have by themselves.
  package init(_ dtype: DType) {
    switch dtype {
    case .bool: self = .bool
    case .uint8: self = .uint8
    case .int8: self = .int8
    case .int32: self = .int32
    case .int64: self = .int64
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .float32: self = .float32
    case .float64: self = .float64
    }
  }

  /// Bits of one element in raw data.
  package var bitCount: Int {
    switch self {
    case .uint4, .int4: 4
    case .uint8, .int8, .bool, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float32, .int32, .uint32: 32
    case .int64, .uint64, .float64, .complex64: 64
    case .complex128: 128
    case .string: 0
    }
  }

  /// Whether tensors hold it as it is in the file.
  package var isNative: Bool { carrier.map { ONNXElement($0) == self } ?? false }

  /// The least and the largest integer, of integer types.
  package var integerRange: ClosedRange<Int64>? {
    switch self {
    case .uint4: 0...15
    case .int4: -8...7
    case .uint8: 0...255
    case .int8: -128...127
    case .uint16: 0...65535
    case .int16: -32768...32767
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .uint32: 0...Int64(UInt32.max)
    case .int64, .uint64: Int64.min...Int64.max
    default: nil
    }
  }

  /// The layout of the floating types of 8 bits.
  package var float8: Float8? {
    switch self {
    case .float8E4M3FN: Float8(mantissa: 3, bias: 7, kind: .finite)
    case .float8E4M3FNUZ: Float8(mantissa: 3, bias: 8, kind: .unsignedZero)
    case .float8E5M2: Float8(mantissa: 2, bias: 15, kind: .infinite)
    case .float8E5M2FNUZ: Float8(mantissa: 2, bias: 16, kind: .unsignedZero)
    default: nil
    }
  }
}

/// A floating type of 8 bits (Micikevicius et al., "FP8 formats for deep learning", 2022).
package struct Float8: Sendable {
  package enum Kind: Sendable { case finite, infinite, unsignedZero }
  package var mantissa: Int, bias: Int, kind: Kind

  /// The number that a byte stands for.
  package func value(_ byte: UInt8) -> Float {
    let exponentBits = 7 - mantissa
    let sign: Float = byte & 0x80 == 0 ? 1 : -1
    let exponent = Int(byte & 0x7f) >> mantissa
    let fraction = Int(byte) & ((1 << mantissa) - 1)
    switch kind {
    case .unsignedZero where byte == 0x80: return .nan
    case .finite where byte & 0x7f == 0x7f: return .nan
    case .infinite where exponent == (1 << exponentBits) - 1:
      return fraction == 0 ? sign * .infinity : .nan
    default: break
    }
    let unit = Float(sign: .plus, exponent: max(exponent, 1) - bias - mantissa, significand: 1)
    return sign * Float(fraction + (exponent == 0 ? 0 : 1 << mantissa)) * unit
  }

  /// The largest finite number.
  package var largest: Float {
    switch kind {
    case .finite: value(0x7e)
    case .infinite: value(UInt8((((1 << (7 - mantissa)) - 1) << mantissa) - 1))
    case .unsignedZero: value(0x7f)
    }
  }

  /// The exponent of the smallest normal number.
  package var smallestExponent: Int { 1 - bias }
}
