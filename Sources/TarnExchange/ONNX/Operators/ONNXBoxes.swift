import TarnCore

extension ONNXOperators {
  /// Of boxes that overlap the one with the highest score, class by class. What is chosen depends on the numbers, which
  /// are read while recording. Gives [chosen, 3]: batch, class, box.
  static func nonMaxSuppression(_ call: ONNXCall) throws -> Tensor {
    let (boxes, scores) = (try call.tensor(0), try call.tensor(1))
    try call.require(
      boxes.rank == 3 && scores.rank == 3 && boxes.shape[2] == 4
        && boxes.shape[0] == scores.shape[0] && boxes.shape[1] == scores.shape[2],
      "boxes \(boxes.shape) and scores \(scores.shape) do not fit")
    try call.run.checkReadable(boxes, input: 0)
    try call.run.checkReadable(scores, input: 1)
    let most = Swift.max(0, try call.hostInts(2)?.first ?? 0)
    let overlap = try call.hostReals(3)?.first ?? 0
    let least = try call.hostReals(4)?.first
    let isCentred = try call.flag("center_point_box", false)
    let (corners, values) = (boxes.array(of: Float.self), scores.array(of: Float.self))
    let (classes, count) = (scores.shape[1], scores.shape[2])
    var chosen: [Int] = []
    for batch in 0..<boxes.shape[0] {
      let own = (0..<count).map { i in
        ONNXBox(corners[(batch * count + i) * 4..<(batch * count + i + 1) * 4], isCentred)
      }
      for kind in 0..<classes {
        let row = values[(batch * classes + kind) * count..<(batch * classes + kind + 1) * count]
        let kept = best(own, Array(row), most, overlap, least)
        chosen += kept.flatMap { [batch, kind, $0] }
      }
    }
    return call.constant(chosen, [chosen.count / 3, 3])
  }

  private static func best(
    _ boxes: [ONNXBox], _ scores: [Float], _ most: Int, _ overlap: Double, _ least: Double?
  ) -> [Int] {
    let order = scores.indices
      .filter { scores[$0] > least.map { Float($0) } ?? -.infinity }
      .sorted { (scores[$1], $0) < (scores[$0], $1) }
    var kept: [Int] = []
    for i in order where kept.count < most {
      if kept.allSatisfy({ Double(boxes[$0].overlap(with: boxes[i])) <= overlap }) {
        kept.append(i)
      }
    }
    return kept
  }
}

/// A rectangle.
private struct ONNXBox {
  var low: (Float, Float), high: (Float, Float)

  /// From two opposite corners, y before x, or from centre and size, x before y.
  init(_ numbers: ArraySlice<Float>, _ isCentred: Bool) {
    let n = Array(numbers)
    if isCentred {
      low = (n[1] - n[3] / 2, n[0] - n[2] / 2)
      high = (n[1] + n[3] / 2, n[0] + n[2] / 2)
    } else {
      low = (min(n[0], n[2]), min(n[1], n[3]))
      high = (max(n[0], n[2]), max(n[1], n[3]))
    }
  }

  private var area: Float { (high.0 - low.0) * (high.1 - low.1) }

  /// The part that is common, of what both cover.
  func overlap(with other: ONNXBox) -> Float {
    let h = min(high.0, other.high.0) - max(low.0, other.low.0)
    let w = min(high.1, other.high.1) - max(low.1, other.low.1)
    guard h > 0, w > 0 else { return 0 }
    let both = area + other.area - h * w
    return both > 0 ? h * w / both : 0
  }
}
