import TarnCore

/// Branches and loops. What steers them is read while recording, so a loop is recorded as often as it runs.
extension ONNXOperators {
  static let control: [ONNXOperator] = [
    ONNXOperator(
      "If", [1, 11, 13, 16, 19, 21],
      values: { call in
        let isTrue = try call.hostInt(0) ?? 0 != 0
        return try call.run.body(call.graph(isTrue ? "then_branch" : "else_branch"), [])
      }),
    ONNXOperator("Loop", [1, 11, 13, 16, 19, 21], values: loop),
    ONNXOperator("Scan", [8, 9, 11, 16, 19, 21], values: scan),
  ]

  /// Inputs: how often at most, whether at all, what is carried. The body gives whether to go on, what is carried, and
  /// results that are collected.
  private static func loop(_ call: ONNXCall) throws -> [ONNXValue] {
    let most = try call.hostInt(0)
    var goesOn = try call.hostInt(1).map { $0 != 0 } ?? true
    let body = try call.graph("body")
    var carried = call.values.dropFirst(2).map { $0 ?? .optional(nil) }
    try call.require(
      body.outputs.count > carried.count, "its body gives \(body.outputs.count) values")
    var collected = [[Tensor]](repeating: [], count: body.outputs.count - 1 - carried.count)
    var round = 0
    while goesOn && round < most ?? .max {
      let results = try call.run.body(body, [.fixed(round), .fixed(1).asBool] + carried)
      guard let condition = results[0].tensor(on: call.device), condition.count == 1 else {
        throw call.error("its body's condition is not one truth value")
      }
      carried = Array(results[1..<1 + carried.count])
      for (i, value) in results.dropFirst(1 + carried.count).enumerated() {
        guard let tensor = value.tensor(on: call.device) else {
          throw call.error("its body collects what is no tensor")
        }
        collected[i].append(tensor)
      }
      round += 1
      goesOn = condition.item() != 0
    }
    let scans = try collected.enumerated().map { i, parts in
      try call.stacked(parts, axis: 0, body.outputs[1 + carried.count + i])
    }
    return carried + scans
  }

  /// Inputs: states, then tensors that are gone through along an axis. The body gives states, then parts of results.
  ///
  /// In operator set 8 there is one input more in front, lengths, and a batch in the first axis of all.
  private static func scan(_ call: ONNXCall) throws -> [ONNXValue] {
    if call.opset > 8 { return try scan(call, call.values.map { $0 ?? .optional(nil) }) }
    try call.require(call.value(0) == nil, "sequences of different lengths are not followed")
    let inputs = try (1..<Swift.max(2, call.values.count)).map { try call.tensor($0) }
    let count = inputs[0].shape.first ?? 0
    try call.require(
      count > 0 && inputs.allSatisfy { $0.shape.first == count }, "its batches do not fit")
    let rows = try (0..<count).map { i in
      try scan(call, inputs.map { .tensor($0.narrowed(0, from: i, to: i + 1).squeezed(0)) })
        .compactMap { $0.tensor(on: call.device) }
    }
    return rows[0].indices.map { place in .tensor(.stacked(rows.map { $0[place] })) }
  }

  private static func scan(_ call: ONNXCall, _ inputs: [ONNXValue]) throws -> [ONNXValue] {
    let body = try call.graph("body")
    let scanned = try call.int("num_scan_inputs", 0)
    try call.require(
      scanned > 0 && inputs.count >= scanned && body.outputs.count >= inputs.count - scanned,
      "it goes through \(scanned) of \(inputs.count) inputs")
    let states = inputs.count - scanned
    let results = body.outputs.count - states
    let ways = try ScanWays(call, inputs: scanned, outputs: results)
    let tensors = try (0..<scanned).map { i in
      guard let x = inputs[states + i].tensor(on: call.device) else {
        throw call.error("what it goes through is no tensor")
      }
      let lines = x.movedAxis(try call.axis(ways.inAxes[i], x.rank), to: 0)
      return ways.inBack[i] == 0 ? lines : lines.flipped(0)
    }
    let length = tensors[0].shape[0]
    try call.require(
      tensors.allSatisfy { $0.shape[0] == length }, "its inputs are not equally long")
    var carried = Array(inputs.prefix(states))
    var collected = [[Tensor]](repeating: [], count: results)
    for t in 0..<length {
      let parts = tensors.map { ONNXValue.tensor($0.narrowed(0, from: t, to: t + 1).squeezed(0)) }
      let outputs = try call.run.body(body, carried + parts)
      carried = Array(outputs.prefix(states))
      for i in 0..<results {
        guard let tensor = outputs[states + i].tensor(on: call.device) else {
          throw call.error("its body collects what is no tensor")
        }
        collected[i].append(tensor)
      }
    }
    let scans = try collected.enumerated().map { i, parts in
      try call.stacked(
        ways.outBack[i] == 0 ? parts : parts.reversed(), axis: ways.outAxes[i],
        body.outputs[states + i])
    }
    return carried + scans
  }
}

/// Along which axes a scan goes, and which way.
private struct ScanWays {
  let inAxes: [Int], inBack: [Int], outAxes: [Int], outBack: [Int]

  init(_ call: ONNXCall, inputs: Int, outputs: Int) throws {
    let (zeros, none) = (
      [Int](repeating: 0, count: inputs), [Int](repeating: 0, count: outputs)
    )
    inAxes = try call.ints("scan_input_axes") ?? zeros
    inBack = try call.ints("scan_input_directions") ?? call.ints("directions") ?? zeros
    outAxes = try call.ints("scan_output_axes") ?? none
    outBack = try call.ints("scan_output_directions") ?? none
    try call.require(
      [inAxes.count, inBack.count] == [inputs, inputs]
        && [outAxes.count, outBack.count] == [outputs, outputs],
      "its axes and directions do not fit")
  }
}

extension ONNXValue {
  fileprivate var asBool: ONNXValue {
    guard case .fixed(let fixed) = self else { return self }
    return .fixed(ONNXFixed(fixed.host.cast(to: .bool)))
  }
}

extension ONNXCall {
  /// Parts of a result along a new axis; without parts an empty tensor.
  fileprivate func stacked(
    _ parts: [Tensor], axis: Int, _ port: ONNXGraph.Port
  ) throws -> ONNXValue {
    guard let first = parts.first else {
      let shape = (port.shape ?? []).map { $0 ?? 0 }
      return .tensor(try full([0] + shape, 0, port.element?.carrier ?? .float32))
    }
    let place = try self.axis(axis, first.rank + 1)
    try require(parts.allSatisfy { $0.shape == first.shape }, "its parts are not of one shape")
    try checked([parts.count] + first.shape)
    return .tensor(.stacked(parts, axis: place))
  }
}
