import TarnCore
import TarnInterop

extension ONNXCall {
  /// A tensor as another element type.
  func cast(_ x: Tensor, to element: ONNXElement) throws -> ONNXValue {
    let carrier = try carrier(element)
    if let float8 = element.float8 {
      let saturates = try flag("saturate", true)
      return .tensor(x.cast(to: .float32).rounded(to: float8, saturates: saturates), element)
    }
    if element.isNative { return .tensor(x.cast(to: carrier)) }
    if element.bitCount == 4, let range = element.integerRange, x.dtype.isFloating {
      let kept = x.clamped(min: Double(range.lowerBound), max: Double(range.upperBound))
      return .tensor(kept.cast(to: carrier), element)
    }
    return .tensor(x.cast(to: .int64).wrapped(to: element).cast(to: carrier), element)
  }
}

extension Tensor {
  /// To the nearest number of a floating type of 8 bits, even mantissas first.
  func rounded(to type: Float8, saturates: Bool) -> Tensor {
    let x = cast(to: .float64)
    // The power of two below |x|, exactly: what log2 gives for a power of two may lie a little below.
    let size = x.abs()
    let floor = (size.maximum(1e-300).log2() + 1e-12).floor().maximum(Double(type.smallestExponent))
    let unit = Tensor.full(like: x, 2).pow(floor - Double(type.mantissa))
    let nearest = (x / unit).round() * unit
    let largest = Double(type.largest)
    let beyond: Double = type.kind == .infinite && !saturates ? .infinity : .nan
    let limit = saturates ? largest : beyond
    let sign = which(x .< 0, Tensor.full(like: x, -1), Tensor.full(like: x, 1))
    let isOver = (nearest.abs() .> largest) .| (size .== Double.infinity)
    let result = which(isOver, sign * limit, nearest)
    return which(x.isNaN(), Tensor.full(like: x, .nan), result).cast(to: .float32)
  }
}
