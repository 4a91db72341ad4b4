import TarnCore
import TarnInterop

/// Reading and writing at places given by tensors.
extension ONNXOperators {
  static let indexing: [ONNXOperator] = [
    ONNXOperator("Gather", [1, 11, 13]) { call in
      let x = try call.tensor(0)
      let axis = try call.axis(call.int("axis", 0), x.rank)
      let indices = try call.tensor(1)
      try call.checked(x.shape.replacing(at: axis, with: indices.shape))
      return x.take(indices, axis: axis)
    },
    ONNXOperator("GatherElements", [11, 13]) { call in
      let x = try call.tensor(0)
      return x.takeAlong(try call.tensor(1), axis: try call.axis(call.int("axis", 0), x.rank))
    },
    ONNXOperator("GatherND", [11, 12, 13], gatherND),
    ONNXOperator("Scatter", [9, 11], scatterElements),
    ONNXOperator("ScatterElements", [11, 13, 16, 18], scatterElements),
    ONNXOperator("ScatterND", [11, 13, 16, 18], scatterND),
    ONNXOperator("OneHot", [9, 11], oneHot),
    ONNXOperator("TopK", [1, 10, 11], values: topK),
    ONNXOperator("NonZero", [9, 13]) { call in
      try call.tensor(0).nonZeroPlaces(call).transposed()
    },
    ONNXOperator("Compress", [9, 11], compress),
    ONNXOperator("Unique", [11], values: unique),
    ONNXOperator("ArrayFeatureExtractor", [1], domain: "ai.onnx.ml") { call in
      let x = try call.tensor(0)
      let y = x.take(try call.tensor(1).flattened(), axis: -1)
      return x.rank == 1 ? y.expandedDims(0) : y
    },
    ONNXOperator("Binarizer", [1], domain: "ai.onnx.ml") { call in
      let x = try call.tensor(0)
      return (x .> (try call.float("threshold", 0))).cast(to: x.dtype)
    },
  ]

  private static func gatherND(_ call: ONNXCall) throws -> Tensor {
    let (x, indices) = (try call.tensor(0), try call.tensor(1))
    let batch = try call.int("batch_dims", 0)
    let places = try Places(indices, x.shape, batch: batch, call)
    try call.checked(places.shape + x.shape[places.depth...])
    return x.reshaped([places.count, -1].resolved(x.count)).take(places.flat, axis: 0)
      .reshaped(places.shape + x.shape[places.depth...])
  }

  private static func scatterND(_ call: ONNXCall) throws -> Tensor {
    let (x, updates) = (try call.tensor(0), try call.tensor(2))
    let places = try Places(try call.tensor(1), x.shape, batch: 0, call)
    let rest = Array(x.shape[places.depth...])
    try call.require(
      updates.shape == places.shape + rest, "its updates \(updates.shape) do not fit")
    let rows = x.reshaped([places.count, rest.reduce(1, *)])
    let scatter = Scatter(
      rows, places.flat.flattened(), updates.reshaped([places.flat.count, rest.reduce(1, *)]))
    return try scatter.result(call.string("reduction", "none"), call).reshaped(x.shape)
  }

  private static func scatterElements(_ call: ONNXCall) throws -> Tensor {
    let (x, indices) = (try call.tensor(0), try call.tensor(1).cast(to: .int64))
    let updates = try call.tensor(2)
    let axis = try call.axis(call.int("axis", 0), x.rank)
    try call.require(
      indices.shape == updates.shape && indices.rank == x.rank,
      "indices \(indices.shape) and updates \(updates.shape) do not fit \(x.shape)")
    let strides = x.shape.rowMajorStrides
    var flat = indices.within(x.shape[axis], parts: x.count) * strides[axis]
    for other in 0..<x.rank where other != axis {
      try call.require(
        indices.shape[other] <= x.shape[other], "indices \(indices.shape) exceed \(x.shape)")
      flat = flat + Tensor.iota(indices.shape, axis: other, device: x.device) * strides[other]
    }
    let scatter = Scatter(
      x.reshaped([x.count, 1]), flat.flattened(), updates.reshaped([updates.count, 1]))
    return try scatter.result(call.string("reduction", "none"), call).reshaped(x.shape)
  }

  private static func oneHot(_ call: ONNXCall) throws -> Tensor {
    let indices = try call.tensor(0)
    guard let depth = try call.hostInt(1), (0..<1 << 31).contains(depth) else {
      throw call.error("its depth is missing or absurd")
    }
    let values = try call.tensor(2)
    try call.require(values.shape == [2], "its values \(values.shape) are not two")
    let axis = try call.axis(call.int("axis", -1), indices.rank + 1)
    var shape = indices.shape
    shape.insert(depth, at: axis)
    try call.checked(shape)
    let whole = indices.cast(to: .int64)
    let place = which(whole .< 0, whole + depth, whole).expandedDims(axis)
    let index = Tensor.iota(shape, axis: axis, device: indices.device)
    return which(place .== index, values[1], values[0])
  }

  private static func topK(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let axis = try call.axis(call.int("axis", -1), x.rank)
    let k = try call.opset < 10 ? call.int("k", 1) : call.hostInt(1) ?? 1
    try call.require((0...x.shape[axis]).contains(k), "there are no \(k) of \(x.shape[axis])")
    let order = x.argSort(axis: axis, descending: try call.flag("largest", true))
      .narrowed(axis, from: 0, to: k)
    return [.tensor(x.takeAlong(order, axis: axis)), .tensor(order)]
  }

  private static func compress(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let isWanted = try call.hostInts(1) ?? []
    let isFlat = call.node.attributes["axis"] == nil
    let lines = isFlat ? x.flattened() : x
    let axis = isFlat ? 0 : try call.axis(call.int("axis", 0), x.rank)
    let places = isWanted.indices.filter { isWanted[$0] != 0 }
    try call.require(
      isWanted.count <= lines.shape[axis], "there are more conditions than elements")
    return lines.take(call.constant(places, [places.count]), axis: axis)
  }
}

/// Places in the first axes of a tensor as places in those axes made one.
private struct Places {
  /// How many of the tensor's axes they go through.
  let depth: Int
  /// The elements of these axes.
  let count: Int
  let shape: [Int]
  let flat: Tensor

  /// - Parameter indices: [batch…, …, k]: k numbers each, for the axes after those of the batch.
  init(_ indices: Tensor, _ x: [Int], batch: Int, _ call: ONNXCall) throws {
    guard let k = indices.shape.last, (0..<indices.rank).contains(batch), batch + k <= x.count,
      k > 0, Array(indices.shape.prefix(batch)) == Array(x.prefix(batch))
    else { throw call.error("indices \(indices.shape) do not fit \(x)") }
    depth = batch + k
    count = x[..<depth].reduce(1, *)
    shape = Array(indices.shape.dropLast())
    let strides = Array(x[..<depth]).rowMajorStrides
    let whole = indices.cast(to: .int64)
    var flat = Tensor.full(shape, .integer(0), dtype: .int64, device: indices.device)
    for axis in 0..<batch {
      flat = flat + Tensor.iota(shape, axis: axis, device: indices.device) * strides[axis]
    }
    for i in 0..<k {
      let place = whole.narrowed(whole.rank - 1, from: i, to: i + 1).reshaped(shape)
      flat = flat + place.within(x[batch + i], parts: count) * strides[batch + i]
    }
    self.flat = flat
  }
}

extension Tensor {
  /// Indices counted from the end if negative. One that is outside stays outside of everything, so that it is found.
  fileprivate func within(_ length: Int, parts: Int) -> Tensor {
    let counted = which(self .< 0, self + length, self)
    return which(
      (counted .< 0) .| (counted .>= length), counted + 2 * (parts + length) + 2, counted)
  }

  /// The places of what is not zero, a row each.
  fileprivate func nonZeroPlaces(_ call: ONNXCall) throws -> Tensor {
    if rank > 0 { return (self .!= 0).nonZero() }
    return reshaped([1]).nonZero()
  }
}

extension [Int] {
  /// −1 as what is left of `count`, also where the others are 0.
  fileprivate func resolved(_ count: Int) -> [Int] {
    let others = filter { $0 != -1 }.reduce(1, *)
    return map { $0 == -1 ? (others == 0 ? 0 : count / others) : $0 }
  }
}

/// Rows written over or combined with others.
private struct Scatter {
  let x: Tensor
  let places: Tensor
  let updates: Tensor

  /// - Parameters:
  ///   - x: [n, c]
  ///   - places: [m], rows of x
  ///   - updates: [m, c]
  init(_ x: Tensor, _ places: Tensor, _ updates: Tensor) {
    (self.x, self.places, self.updates) = (x, places, updates)
  }

  func result(_ reduction: String, _ call: ONNXCall) throws -> Tensor {
    if places.count == 0 { return x }
    switch reduction {
    case "none": return replaced()
    case "add":
      return (x + Tensor.scatterAdd(updates, at: places, into: x.shape)).cast(to: x.dtype)
    case "mul": return try combined(call) { $0 * $1 }
    case "max": return try combined(call) { $0.maximum($1) }
    case "min": return try combined(call) { $0.minimum($1) }
    default: throw call.error("there is no reduction '\(reduction)'")
    }
  }

  /// Of several updates of one row the last counts.
  private func replaced() -> Tensor {
    let m = places.count
    // The number of the last update of each row, from a stable order by row.
    let order = places.argSort(axis: 0)
    let sorted = places.take(order)
    let isLast =
      m == 1
      ? Tensor.full([1], .integer(1), dtype: .bool, device: x.device)
      : Tensor.concatenated([
        sorted.narrowed(0, from: 0, to: m - 1) .!= sorted.narrowed(0, from: 1, to: m),
        Tensor.full([1], .integer(1), dtype: .bool, device: x.device),
      ])
    let counts = isLast.cast(to: .int32)
    let hits = Tensor.scatterAdd(counts, at: sorted, into: [x.shape[0]])
    let numbers = Tensor.scatterAdd(
      which(isLast, order, order.filled(.integer(0))), at: sorted, into: [x.shape[0]])
    return which((hits .> 0).expandedDims(1), updates.take(numbers), x)
  }

  /// Updates of one row are combined one after another: in as many rounds as the most frequent row has.
  private func combined(_ call: ONNXCall, _ combine: (Tensor, Tensor) -> Tensor) throws -> Tensor {
    try call.run.checkReadable(places, input: 1)
    var seen: [Int: Int] = [:]
    var rounds: [[Int]] = []
    let rows = places.array(of: Int.self)
    for (i, row) in rows.enumerated() {
      let round = seen[row, default: 0]
      seen[row] = round + 1
      if round == rounds.count { rounds.append([]) }
      rounds[round].append(i)
    }
    try call.require(rounds.count <= 1 << 12, "a place is updated \(rounds.count) times")
    return rounds.reduce(x) { x, round in
      let number = call.constant(round, [round.count])
      let row = call.constant(round.map { rows[$0] }, [round.count])
      let new = combine(x.take(row), updates.take(number))
      return Scatter(x, row, new).replaced()
    }
  }
}
