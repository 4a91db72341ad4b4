import CTarnKernels
import TarnCore

/// Attention of several heads in single precision, queries, keys and values read where they lie.
enum AttentionKernels {
  static func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool {
    let rule = AttentionRule(attributes: call.attributes)
    let count = rule.tensors + (rule.hasMask ? 1 : 0)
    guard arguments.count >= count, arguments[..<rule.tensors].allSatisfy({ $0.dtype == .float32 }),
      arguments.allSatisfy({ !$0.shape.contains(0) })
    else { return false }
    if rule.hasMask, ![.bool, .float32].contains(arguments[rule.tensors].dtype) { return false }
    let extent = rule.extent(arguments.map(\.shape))
    return !rule.isCausal || extent.queries <= extent.keys
  }

  static func body(_ call: Call, _ x: [View]) -> KernelStep.Body {
    let rule = AttentionRule(attributes: call.attributes)
    return call.name == "attention" ? forward(rule, x) : backward(rule, x)
  }

  private static func forward(_ rule: AttentionRule, _ x: [View]) -> KernelStep.Body {
    let places = Places(rule, x)
    let layout = places.layout
    let outputs = places.extent.outputs
    return { operands, output in
      let (q, k, v) = places.parts(operands[0], operands[places.key], operands[places.value])
      let y = output.assumingMemoryBound(to: Float.self)
      try check(
        withUnsafePointer(to: layout) {
          tarn_attention_forward(
            $0, q, k, v, places.mask.map { operands[$0] }, y, y + outputs)
        }, "attention")
    }
  }

  private static func backward(_ rule: AttentionRule, _ x: [View]) -> KernelStep.Body {
    let places = Places(rule, x)
    var layout = places.layout
    layout.g = Places.heads(x[x.count - 1], width: Int(layout.depth), rule)
    let complete = layout
    let outputs = places.extent.outputs
    let gradients = places.gradients
    return { operands, output in
      let (q, k, v) = places.parts(operands[0], operands[places.key], operands[places.value])
      let (dq, dk, dv) = (
        output.assumingMemoryBound(to: Float.self) + gradients[0].offset,
        output.assumingMemoryBound(to: Float.self) + gradients[1].offset,
        output.assumingMemoryBound(to: Float.self) + gradients[2].offset
      )
      let states = operands[operands.count - 2].assumingMemoryBound(to: Float.self)
      let g = operands[operands.count - 1].assumingMemoryBound(to: Float.self)
      try check(
        withUnsafePointer(to: complete) { layout in
          gradients.map(\.heads).withUnsafeBufferPointer {
            tarn_attention_backward(
              layout, q, k, v, places.mask.map { operands[$0] }, states, states + outputs, g,
              $0.baseAddress, dq, dk, dv)
          }
        }, "attention")
    }
  }
}

/// Where things lie among the operands of a call.
private struct Places {
  private let rule: AttentionRule
  let extent: AttentionRule.Extent
  let layout: tarn_attention
  /// Numbers of the operands; those of a packed one are the same.
  let key: Int, value: Int, mask: Int?

  init(_ rule: AttentionRule, _ x: [View]) {
    (self.rule, extent) = (rule, rule.extent(x.map(\.shape)))
    (key, value) = rule.packedHeads > 0 ? (0, 0) : (1, 2)
    mask = rule.hasMask ? rule.tensors : nil
    var layout = tarn_attention()
    layout.causal = rule.isCausal ? 1 : 0
    layout.scale = Float(rule.scale)
    (layout.batch, layout.heads) = (Int64(extent.batch), Int64(extent.heads))
    (layout.queries, layout.keys) = (Int64(extent.queries), Int64(extent.keys))
    (layout.width, layout.depth) = (Int64(extent.width), Int64(extent.depth))
    layout.y = Self.rows(places: extent.queries, extent.heads, extent.depth)
    layout.q = Self.heads(x[0], width: extent.width, rule)
    layout.k = Self.heads(x[key], width: extent.width, rule)
    layout.v = Self.heads(x[value], width: extent.depth, rule)
    if let mask {
      let view = x[mask]
      let strides = (0..<4).map { view.shape[$0] == 1 ? 0 : Int64(view.strides[$0]) }
      layout.mask = tarn_heads(batch: strides[0], head: strides[1], place: strides[2])
      layout.mask_key = strides[3]
      layout.mask_kind = Int32(
        view.dtype == .bool ? TARN_MASK_TRUTH : TARN_MASK_ADDED)
    }
    self.layout = layout
  }

  /// Of [N, H, places, width], or of [N, places, …] with heads of `width` beside one another.
  static func heads(_ view: View, width: Int, _ rule: AttentionRule) -> tarn_heads {
    guard rule.packedHeads == 0 else {
      return tarn_heads(
        batch: Int64(view.strides[0]), head: Int64(width), place: Int64(view.strides[1]))
    }
    return tarn_heads(
      batch: Int64(view.strides[0]), head: Int64(view.strides[1]), place: Int64(view.strides[2]))
  }

  /// Of [N, places, H, width].
  private static func rows(places: Int, _ heads: Int, _ width: Int) -> tarn_heads {
    tarn_heads(
      batch: Int64(places * heads * width), head: Int64(width), place: Int64(heads * width))
  }

  private var packedWidth: Int { extent.heads * extent.width }

  func parts(
    _ q: UnsafeMutableRawPointer, _ k: UnsafeMutableRawPointer, _ v: UnsafeMutableRawPointer
  ) -> (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) {
    let apart = rule.packedHeads > 0 ? packedWidth : 0
    func floats(_ p: UnsafeMutableRawPointer) -> UnsafePointer<Float> {
      UnsafePointer(p.assumingMemoryBound(to: Float.self))
    }
    return (floats(q), floats(k) + apart, floats(v) + 2 * apart)
  }

  /// Where the gradients of queries, keys and values begin in the result, and how they lie.
  var gradients: [(offset: Int, heads: tarn_heads)] {
    let (batch, count) = (extent.batch, extent.heads)
    guard rule.packedHeads == 0 else {
      let heads = tarn_heads(
        batch: Int64(extent.queries * 3 * packedWidth), head: Int64(extent.width),
        place: Int64(3 * packedWidth))
      return (0..<3).map { ($0 * packedWidth, heads) }
    }
    let keys = batch * extent.queries * count * extent.width
    let values = keys + batch * extent.keys * count * extent.width
    return [
      (0, Self.rows(places: extent.queries, count, extent.width)),
      (keys, Self.rows(places: extent.keys, count, extent.width)),
      (values, Self.rows(places: extent.keys, count, extent.depth)),
    ]
  }
}
