import TarnCore
import TarnInterop

/// Unique: the different elements, or the different slices along an axis. Its shape depends on the numbers, so they are
/// read while recording.
extension ONNXOperators {
  static func unique(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let isFlat = call.node.attributes["axis"] == nil
    let axis = isFlat ? 0 : try call.axis(call.int("axis", 0), x.rank)
    let lines = isFlat ? x.flattened() : x
    try call.run.checkReadable(x, input: 0)
    let length = lines.shape[axis]
    let rows = lines.movedAxis(axis, to: 0).array(of: Double.self)
    let width = length == 0 ? 0 : rows.count / length
    let keys = (0..<length).map { Array(rows[$0 * width..<($0 + 1) * width]) }
    var firsts: [Int] = []
    var group: [[Double]: Int] = [:]
    var counts: [Int] = []
    var inverse: [Int] = []
    for (i, key) in keys.enumerated() {
      let number = group[key] ?? firsts.count
      if number == firsts.count {
        group[key] = number
        firsts.append(i)
        counts.append(0)
      }
      counts[number] += 1
      inverse.append(number)
    }
    var order = Array(firsts.indices)
    if try call.flag("sorted", true) {
      order.sort { keys[firsts[$0]].lexicographicallyPrecedes(keys[firsts[$1]]) }
    }
    let place = order.inversePermutation
    let first = call.constant(order.map { firsts[$0] }, [order.count])
    return [
      .tensor(lines.take(first, axis: axis)), .tensor(first),
      .tensor(call.constant(inverse.map { place[$0] }, [inverse.count])),
      .tensor(call.constant(order.map { counts[$0] }, [order.count])),
    ]
  }
}
