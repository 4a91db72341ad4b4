import TarnCore
import TarnInterop

/// Numbers as small integers with a scale and a zero point, and what is computed with them.
extension ONNXOperators {
  static let quantized: [ONNXOperator] = [
    ONNXOperator(
      "QuantizeLinear", [10, 13, 19, 21],
      values: { call in
        let x = try call.tensor(0)
        var element = call.element(2) ?? .uint8
        if call.value(2) == nil, let named = try call.elementAttribute("output_dtype") {
          element = named
        }
        let scale = try call.spread(1, x)
        let zero = call.optional(2) == nil ? nil : try call.spread(2, x)
        return [try call.quantized(x, scale, zero, element)]
      }),
    ONNXOperator("DequantizeLinear", [10, 13, 19, 21]) { call in
      let x = try call.tensor(0)
      let scale = try call.spread(1, x)
      let whole = call.element(0)?.float8 == nil ? x.cast(to: .int32) : x
      guard call.optional(2) != nil else { return whole.cast(to: scale.dtype) * scale }
      return (whole - (try call.spread(2, x)).cast(to: whole.dtype)).cast(to: scale.dtype) * scale
    },
    ONNXOperator(
      "DynamicQuantizeLinear", [11],
      values: { call in
        let x = try call.tensor(0)
        try call.require(x.count > 0, "its input is empty")
        let (low, high) = (x.min().minimum(0), x.max().maximum(0))
        let scale = (high - low) / 255
        let zero = (-low / scale).clamped(min: 0, max: 255).round()
        let whole = ((x / scale).round() + zero).clamped(min: 0, max: 255)
        return [
          .tensor(whole.cast(to: .uint8)), .tensor(scale), .tensor(zero.cast(to: .uint8)),
        ]
      }),
    ONNXOperator(
      "QLinearMatMul", [10, 21],
      values: { call in
        let a = try call.real(0, scale: 1, zero: 2, along: -2)
        let b = try call.real(3, scale: 4, zero: 5, along: -1)
        let element = call.element(7) ?? .uint8
        return [try call.quantized(a.matmul(b), try call.tensor(6), try call.tensor(7), element)]
      }),
    ONNXOperator(
      "QLinearConv", [10],
      values: { call in
        let x = try call.real(0, scale: 1, zero: 2, along: 1)
        let w = try call.real(3, scale: 4, zero: 5, along: 0)
        let scale = try call.tensor(1) * (try call.tensor(4))
        let bias = call.optional(8).map { $0.cast(to: .float32) * scale.reshaped([-1]) }
        let y = try ONNXConvolution.forward(call, x, w, bias: bias)
        let element = call.element(7) ?? .uint8
        return [
          try call.quantized(
            y, try call.tensor(6).reshaped([]), try call.tensor(7).reshaped([]), element)
        ]
      }),
    ONNXOperator("ConvInteger", [10]) { call in
      let x = try call.shifted(0, zeroPoint: 2, along: 1)
      let w = try call.shifted(1, zeroPoint: 3, along: 0)
      // Sums of products of bytes are exact in double precision.
      return try ONNXConvolution.forward(
        call, x.cast(to: .float64), w.cast(to: .float64), bias: nil
      ).cast(to: .int32)
    },
  ]
}

extension ONNXCall {
  /// A scale or a zero point as it goes with the elements of `x`: one number, one for each place of an axis, or one for
  /// each block along it.
  fileprivate func spread(_ i: Int, _ x: Tensor) throws -> Tensor {
    let values = try tensor(i)
    if values.count == 1 { return values.reshaped([]) }
    let axis = try self.axis(int("axis", 1), x.rank)
    if values.rank == 1 {
      try require(values.count == x.shape[axis], "input \(i) \(values.shape) is not for \(x.shape)")
      var shape = [Int](repeating: 1, count: x.rank)
      shape[axis] = values.count
      return values.reshaped(shape)
    }
    let block = try int("block_size", 0)
    try require(
      (1..<1 << 30).contains(block) && values.rank == x.rank
        && (values.shape[axis] - 1) * block < x.shape[axis]
        && values.shape[axis] * block >= x.shape[axis],
      "blocks of \(block) do not fit \(values.shape) and \(x.shape)")
    return values.repeated(block, axis: axis).narrowed(axis, from: 0, to: x.shape[axis])
  }

  /// round(x / scale) + zero, kept within the element type.
  fileprivate func quantized(
    _ x: Tensor, _ scale: Tensor, _ zero: Tensor?, _ element: ONNXElement
  ) throws -> ONNXValue {
    let carrier = try carrier(element)
    let real = x.cast(to: .float32) / scale.cast(to: .float32)
    if let float8 = element.float8 {
      let moved = zero.map { real + $0.cast(to: .float32) } ?? real
      return .tensor(
        moved.rounded(to: float8, saturates: try flag("saturate", true)), element)
    }
    guard let range = element.integerRange, range.upperBound < .max else {
      throw error("numbers cannot be quantized to \(element)")
    }
    var whole = real.round()
    if let zero { whole = whole + zero.cast(to: .float32) }
    let kept = whole.clamped(min: Double(range.lowerBound), max: Double(range.upperBound))
    return .tensor(kept.cast(to: carrier), element)
  }

  /// What an integer input stands for: (x − zero) scale.
  fileprivate func real(_ i: Int, scale: Int, zero: Int, along axis: Int) throws -> Tensor {
    let whole = try shifted(i, zeroPoint: zero, along: axis).cast(to: .float32)
    let factor = try tensor(scale).cast(to: .float32)
    if factor.count == 1 { return whole * factor.reshaped([]) }
    if factor.rank > 1 { return whole * factor }
    var shape = [Int](repeating: 1, count: whole.rank)
    let place = try self.axis(axis, whole.rank)
    shape[place] = factor.count
    return whole * factor.reshaped(shape)
  }
}
