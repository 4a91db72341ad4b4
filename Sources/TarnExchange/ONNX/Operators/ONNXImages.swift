import Foundation
import TarnCore

/// Images: resizing, sampling, boxes.
extension ONNXOperators {
  static let images: [ONNXOperator] = [
    ONNXOperator("Resize", [10, 11, 13, 18, 19]) { try ONNXResize($0).result() },
    ONNXOperator("Upsample", [7, 9, 10]) { try ONNXResize($0).result() },
    ONNXOperator("GridSample", [16, 20], gridSample),
    ONNXOperator("AffineGrid", [20], affineGrid),
    ONNXOperator("DeformConv", [19], deformedConvolution),
    ONNXOperator("Col2Im", [18], col2Im),
    ONNXOperator("RoiAlign", [10, 16], roiAlign),
    ONNXOperator("NonMaxSuppression", [10, 11], nonMaxSuppression),
  ]

  /// Blocks added up where they overlap in the image: the adjoint of cutting it into blocks.
  private static func col2Im(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    guard let image = try call.hostInts(1), let block = try call.hostInts(2),
      image.count == block.count, !image.isEmpty, x.rank == 3,
      (image + block).allSatisfy({ (1..<1 << 24).contains($0) })
    else { throw call.error("its image and its block do not fit \(x.shape)") }
    let rank = image.count
    let strides = try call.sizes("strides") ?? image.map { _ in 1 }
    let dilations = try call.sizes("dilations") ?? image.map { _ in 1 }
    let pads = try call.sizes("pads") ?? [Int](repeating: 0, count: 2 * rank)
    try call.require(
      strides.count == rank && dilations.count == rank && pads.count == 2 * rank
        && (strides + dilations).allSatisfy { $0 > 0 } && pads.allSatisfy { $0 >= 0 },
      "its attributes do not fit")
    let padded = image.indices.map { image[$0] + pads[$0] + pads[$0 + rank] }
    let counts = image.indices.map {
      (padded[$0] - dilations[$0] * (block[$0] - 1) - 1) / strides[$0] + 1
    }
    try call.checked(padded)
    try call.require(counts.allSatisfy { $0 > 0 }, "the block is larger than the image")
    try call.checked(block + counts)
    try call.checkTable(block.product, counts.product)
    let taps = block.product
    try call.require(
      x.shape[2] == counts.product && x.shape[1] % taps == 0,
      "\(x.shape) is not made of blocks \(block) of an image \(image)")
    let rows = padded.rowMajorStrides
    var places: [Int] = []
    (block + counts).forEachIndex { index in
      places.append(
        (0..<rank).reduce(0) { sum, axis in
          sum + (index[axis] * dilations[axis] + index[axis + rank] * strides[axis]) * rows[axis]
        })
    }
    let (n, c) = (x.shape[0], x.shape[1] / taps)
    try call.checked([n, c] + padded)
    let sums = Tensor.scatterAdd(
      x.reshaped([n * c, taps * counts.product]), at: call.constant(places, [places.count]),
      axis: 1, into: [n * c, padded.product])
    let strips =
      [Stride(0, n), Stride(0, c)]
      + image.indices.map {
        Stride(pads[$0], pads[$0] + image[$0])
      }
    return sums.reshaped([n, c] + padded).sliced(strips)
  }

  /// Regions of feature maps brought to one size. He et al. 2017, arXiv:1703.06870.
  private static func roiAlign(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    guard let boxes = try call.hostReals(1), let batch = try call.hostInts(2), x.rank == 4,
      boxes.count == 4 * batch.count, x.count > 0
    else { throw call.error("its regions do not fit \(x.shape)") }
    let (height, width) = (try call.int("output_height", 1), try call.int("output_width", 1))
    let ratio = try call.int("sampling_ratio", 0)
    let scale = try call.float("spatial_scale", 1)
    let usual = call.opset < 16 ? "output_half_pixel" : "half_pixel"
    let shift = try call.string("coordinate_transformation_mode", usual) == "half_pixel" ? 0.5 : 0
    try call.require(
      (1..<1 << 16).contains(height) && (1..<1 << 16).contains(width)
        && (0..<1 << 10).contains(ratio) && batch.allSatisfy { (0..<x.shape[0]).contains($0) }
        && boxes.allSatisfy { abs($0 * scale) < 0x1p24 },
      "its attributes are absurd")
    try call.checked([batch.count, x.shape[1], height, width])
    let isMax = try call.string("mode", "avg") == "max"
    let planes = try batch.indices.map { i -> Tensor in
      let box = boxes[4 * i..<4 * i + 4].map { $0 * scale - shift }
      let least = shift == 0 ? 1.0 : 0.0
      let (w, h) = (max(box[2] - box[0], least), max(box[3] - box[1], least))
      let (binH, binW) = (h / Double(height), w / Double(width))
      let samplesH = ratio > 0 ? ratio : max(1, Int(binH.rounded(.up)))
      let samplesW = ratio > 0 ? ratio : max(1, Int(binW.rounded(.up)))
      try call.checked([x.shape[1], height, width, samplesH, samplesW, 4])
      try call.checkTable(height, width, samplesH, samplesW, 4)
      let grid = ROIGrid(
        box: (box[1], box[0]), bin: (binH, binW), counts: (height, width),
        samples: (samplesH, samplesW))
      return grid.pooled(
        x.narrowed(0, from: batch[i], to: batch[i] + 1), isMax: isMax, call)
    }
    guard !planes.isEmpty else { return try call.full([0, x.shape[1], height, width], 0, x.dtype) }
    return .concatenated(planes)
  }
}

/// The places where one region is sampled.
private struct ROIGrid {
  var box: (Double, Double), bin: (Double, Double), counts: (Int, Int), samples: (Int, Int)

  /// [1, C, H, W] → [1, C, height, width]
  func pooled(_ x: Tensor, isMax: Bool, _ call: ONNXCall) -> Tensor {
    let (h, w) = (x.shape[2], x.shape[3])
    var places: [Int] = []
    var weights: [Double] = []
    for i in 0..<counts.0 {
      for j in 0..<counts.1 {
        for a in 0..<samples.0 {
          for b in 0..<samples.1 {
            let y = box.0 + bin.0 * (Double(i) + (Double(a) + 0.5) / Double(samples.0))
            let x = box.1 + bin.1 * (Double(j) + (Double(b) + 0.5) / Double(samples.1))
            add(y, x, h, w, &places, &weights)
          }
        }
      }
    }
    let per = samples.0 * samples.1
    let shape = [1, counts.0 * counts.1, per, 4]
    let values = x.reshaped([x.shape[1], h * w])
      .take(call.constant(places, Array(shape.dropFirst())), axis: 1)
    let weighted = values * call.constant(weights, shape, x.dtype)
    let result =
      isMax ? weighted.max(axes: [2, 3]) : weighted.sum(axes: [2, 3]) * (1 / Double(per))
    return result.reshaped([1, x.shape[1], counts.0, counts.1])
  }

  /// The four pixels around a place and their shares; none far outside.
  private func add(
    _ y: Double, _ x: Double, _ h: Int, _ w: Int, _ places: inout [Int], _ weights: inout [Double]
  ) {
    guard y >= -1, y <= Double(h), x >= -1, x <= Double(w) else {
      places += [0, 0, 0, 0]
      weights += [0, 0, 0, 0]
      return
    }
    func split(_ v: Double, _ length: Int) -> (Int, Int, Double) {
      let v = max(v, 0)
      let low = Int(v)
      return low >= length - 1 ? (length - 1, length - 1, 0) : (low, low + 1, v - Double(low))
    }
    let (y0, y1, dy) = split(y, h)
    let (x0, x1, dx) = split(x, w)
    places += [y0 * w + x0, y0 * w + x1, y1 * w + x0, y1 * w + x1]
    weights += [(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx]
  }
}
