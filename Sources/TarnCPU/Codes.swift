import CTarnKernels
import TarnCore

extension DType {
  /// The kind of register that elements are computed in.
  var computeClass: UInt8 {
    switch self {
    case .bool, .uint8, .int8, .int32: UInt8(TARN_I32.rawValue)
    case .int64: UInt8(TARN_I64.rawValue)
    case .float16, .bfloat16, .float32: UInt8(TARN_F32.rawValue)
    case .float64: UInt8(TARN_F64.rawValue)
    }
  }

  var code: Int32 { Int32(rawValue) }
}

extension Unary {
  func code(_ dtype: DType) -> tarn_op {
    switch self {
    case .negate: TARN_NEG
    case .absolute: TARN_ABS
    case .sign: TARN_SIGN
    case .exp: TARN_EXP
    case .expm1: TARN_EXPM1
    case .log: TARN_LOG
    case .log1p: TARN_LOG1P
    case .sqrt: TARN_SQRT
    case .rsqrt: TARN_RSQRT
    case .reciprocal: TARN_RECIPROCAL
    case .sin: TARN_SIN
    case .cos: TARN_COS
    case .tan: TARN_TAN
    case .asin: TARN_ASIN
    case .acos: TARN_ACOS
    case .atan: TARN_ATAN
    case .tanh: TARN_TANH
    case .erf: TARN_ERF
    case .erfInverse: TARN_ERFINV
    case .sigmoid: TARN_SIGMOID
    case .relu: TARN_RELU
    case .floor: TARN_FLOOR
    case .ceil: TARN_CEIL
    case .round: TARN_ROUND
    case .not: dtype == .bool ? TARN_NOT : TARN_COMPLEMENT
    case .gelu: TARN_GELU
    case .geluSlope: TARN_GELU_SLOPE
    }
  }
}

extension Binary {
  var code: tarn_op {
    switch self {
    case .add: TARN_ADD
    case .subtract: TARN_SUB
    case .multiply: TARN_MUL
    case .divide: TARN_DIV
    case .power: TARN_POW
    case .maximum: TARN_MAX
    case .minimum: TARN_MIN
    case .atan2: TARN_ATAN2
    case .remainder: TARN_REMAINDER
    case .floorDivide: TARN_FLOORDIV
    case .and: TARN_AND
    case .or: TARN_OR
    case .xor: TARN_XOR
    }
  }
}

extension Comparison {
  var code: tarn_op {
    switch self {
    case .equal: TARN_EQ
    case .notEqual: TARN_NE
    case .less: TARN_LT
    case .lessEqual: TARN_LE
    }
  }
}

extension Reduction {
  var code: Int32 {
    switch self {
    case .sum: Int32(TARN_REDUCE_SUM.rawValue)
    case .product: Int32(TARN_REDUCE_PRODUCT.rawValue)
    case .maximum: Int32(TARN_REDUCE_MAX.rawValue)
    case .minimum: Int32(TARN_REDUCE_MIN.rawValue)
    }
  }
}

/// Turns a kernel's status into an error.
func check(_ status: Int32, _ operation: String) throws {
  switch UInt32(status) {
  case TARN_OK.rawValue: return
  case TARN_NO_MEMORY.rawValue:
    throw Diagnostic(
      operation: operation, reason: "there is not enough memory",
      hint: "use smaller batches, or checkpointed { } for large models")
  default:
    throw Diagnostic(
      operation: operation, reason: "the CPU kernel refused its arguments (status \(status))")
  }
}
