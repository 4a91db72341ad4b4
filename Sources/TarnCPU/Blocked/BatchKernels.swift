import CTarnKernels
import TarnCore

/// The sums of batch normalisation over plain images.
enum BatchKernels {
  static let names: Set<String> = ["batchMoments", "batchGradientSums"]

  static func body(_ call: Call, _ x: [View]) -> KernelStep.Body {
    let shape = x[0].shape
    let (n, c, pixels) = (
      Int64(shape[0]), Int64(shape[1]), Int64(shape.dropFirst(2).reduce(1, *))
    )
    let epsilon = call.attributes.first?.double ?? 0
    return { operands, output in
      let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
      let table = output.assumingMemoryBound(to: Float.self)
      try check(
        call.name == "batchMoments"
          ? tarn_batch_moments(n, c, pixels, floats[0], table)
          : tarn_batch_gradient_sums(
            n, c, pixels, floats[0], floats[1], floats[2], epsilon, table), call.name)
    }
  }
}
