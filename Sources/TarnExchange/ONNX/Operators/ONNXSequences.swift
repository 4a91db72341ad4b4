import TarnCore
import TarnInterop

/// Lists of tensors, and values that may be missing.
extension ONNXOperators {
  static let sequences: [ONNXOperator] = [
    ONNXOperator("SequenceEmpty", [11], values: { _ in [.sequence([])] }),
    ONNXOperator(
      "SequenceConstruct", [11],
      values: { call in
        [.sequence(try call.tensors().map { .tensor($0) })]
      }),
    ONNXOperator("SequenceLength", [11], values: { [.fixed(try $0.sequence(0).count)] }),
    ONNXOperator(
      "SequenceAt", [11],
      values: { call in
        let list = try call.sequence(0)
        return [list[try call.axis(call.hostInt(1) ?? 0, list.count)]]
      }),
    ONNXOperator(
      "SequenceInsert", [11],
      values: { call in
        var list = try call.sequence(0)
        let place = try call.hostInt(2) ?? list.count
        let at = place < 0 ? place + list.count : place
        try call.require((0...list.count).contains(at), "there is no place \(place) in the list")
        list.insert(.tensor(try call.tensor(1)), at: at)
        return [.sequence(list)]
      }),
    ONNXOperator(
      "SequenceErase", [11],
      values: { call in
        var list = try call.sequence(0)
        list.remove(at: try call.axis(call.hostInt(1) ?? list.count - 1, list.count))
        return [.sequence(list)]
      }),
    ONNXOperator("ConcatFromSequence", [11]) { call in
      let parts = try call.sequence(0).compactMap { $0.tensor(on: call.device) }
      guard let first = parts.first else { throw call.error("its list is empty") }
      if try call.flag("new_axis", false) {
        return .stacked(parts, axis: try call.axis(call.int("axis", 0), first.rank + 1))
      }
      return .concatenated(parts, axis: try call.axis(call.int("axis", 0), first.rank))
    },
    ONNXOperator("SplitToSequence", [11], values: splitToSequence),
    ONNXOperator(
      "SequenceMap", [17],
      values: { call in
        let list = try call.sequence(0)
        let body = try call.graph("body")
        var results = [[ONNXValue]](repeating: [], count: body.outputs.count)
        for (i, value) in list.enumerated() {
          var arguments = [value]
          for other in 1..<Swift.max(1, call.values.count) {
            if case .sequence(let values)? = call.value(other) {
              try call.require(values.count == list.count, "its lists are not equally long")
              arguments.append(values[i])
            } else {
              arguments.append(.tensor(try call.tensor(other)))
            }
          }
          for (place, result) in try call.run.body(body, arguments).enumerated() {
            results[place].append(result)
          }
        }
        return results.map { .sequence($0) }
      }),
  ]

  static let optional: [ONNXOperator] = [
    ONNXOperator("Optional", [15], values: { [.optional($0.value(0))] }),
    ONNXOperator(
      "OptionalHasElement", [15, 18],
      values: { call in
        let hasOne: Bool
        switch call.value(0) {
        case nil, .optional(nil)?: hasOne = false
        default: hasOne = true
        }
        return [.tensor(try call.full([], hasOne ? 1 : 0, .bool))]
      }),
    ONNXOperator(
      "OptionalGetElement", [15, 18],
      values: { call in
        switch call.value(0) {
        case .optional(let value?)?: return [value]
        case nil, .optional(nil)?: throw call.error("there is nothing in the optional value")
        case let value?: return [value]
        }
      }),
  ]

  private static func splitToSequence(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let axis = try call.axis(call.int("axis", 0), x.rank)
    let length = x.shape[axis]
    guard let named = try call.hostInts(1) else {
      let parts = (0..<length).map { x.narrowed(axis, from: $0, to: $0 + 1) }
      let keeps = try call.flag("keepdims", true)
      return [.sequence(parts.map { .tensor(keeps ? $0 : $0.squeezed(axis)) })]
    }
    var sizes = named
    if call.optional(1)?.rank == 0, let size = named.first {
      try call.require(size > 0, "parts of \(size) are none")
      sizes = stride(from: 0, to: length, by: Swift.min(size, length + 1)).map {
        Swift.min(size, length - $0)
      }
    }
    try call.require(
      sizes.allSatisfy { (0...length).contains($0) } && sizes.count <= length + 65536
        && sizes.reduce(0, +) == length,
      "the parts \(sizes) do not make up the axis \(axis) of \(x.shape)")
    return [.sequence(x.split(sizes: sizes, axis: axis).map { .tensor($0) })]
  }
}
