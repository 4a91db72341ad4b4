import CTarnKernels
import TarnCore

/// Recurrent layers over whole sequences, in single precision.
enum RecurrentKernels {
  static func claims(_ arguments: [Graph.Vertex]) -> Bool {
    arguments.allSatisfy { $0.dtype == .float32 || $0.dtype == .int64 }
  }

  static func body(_ call: Call) -> KernelStep.Body {
    let recurrence = Recurrence(attributes: call.attributes)
    let layout = tarn_recurrence(
      kind: Int32(recurrence.kind.rawValue), reverse: recurrence.isReversed ? 1 : 0,
      steps: Int64(recurrence.steps), batch: Int64(recurrence.batch),
      hidden: Int64(recurrence.hidden))
    return call.name == "recurrent" ? forward(recurrence, layout) : backward(recurrence, layout)
  }

  private static func forward(_ recurrence: Recurrence, _ layout: tarn_recurrence)
    -> KernelStep.Body
  {
    { x, y in
      let places = Recurrence.Places(recurrence)
      func floats(_ place: Int?) -> UnsafeMutablePointer<Float>? {
        place.map { x[$0].assumingMemoryBound(to: Float.self) }
      }
      try check(
        withUnsafePointer(to: layout) {
          tarn_recurrent_forward(
            $0, floats(places.inputs), floats(places.weights), floats(places.bias),
            floats(places.newBias), floats(places.hidden), floats(places.cell),
            places.lengths.map { x[$0].assumingMemoryBound(to: Int64.self) },
            y.assumingMemoryBound(to: Float.self))
        }, "recurrent")
    }
  }

  private static func backward(_ recurrence: Recurrence, _ layout: tarn_recurrence)
    -> KernelStep.Body
  {
    { x, y in
      try check(
        withUnsafePointer(to: layout) {
          tarn_recurrent_backward(
            $0, x[0].assumingMemoryBound(to: Float.self), x[1].assumingMemoryBound(to: Float.self),
            x[2].assumingMemoryBound(to: Float.self),
            recurrence.hasLengths ? x[3].assumingMemoryBound(to: Int64.self) : nil,
            y.assumingMemoryBound(to: Float.self))
        }, "recurrent")
    }
  }
}
