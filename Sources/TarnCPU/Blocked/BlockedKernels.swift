import CTarnKernels
import TarnCore

/// The kernels behind the vertices that ``BlockedLayout`` and ``EpilogueFusion`` make.
enum BlockedKernels {
  static func body(_ call: Call, _ x: [View], _ y: View) -> KernelStep.Body? {
    if call.name.hasPrefix(BlockedConvolution.name) { return convolution(BlockedConvolution(call)) }
    if call.name.hasPrefix(BlockedConvolution.packName) { return packing(BlockedConvolution(call)) }
    if call.name.hasPrefix(BlockedConvolution.unpackName) {
      return unpacking(BlockedConvolution(call))
    }
    switch call.name {
    case "blocked.block": return blocking(x[0].shape, tarn_block)
    case "blocked.unblock": return blocking(y.shape, tarn_unblock)
    case EpilogueFusion.affineName: return affine(call, x[0].shape)
    case EpilogueFusion.blendName: return blend(x[0].shape)
    case "blocked.maxPool", "blocked.maxPoolGradient", "blocked.windowSum",
      "blocked.windowSpread":
      return pooling(call, x, y)
    case "blocked.channelSums": return channelSums(x[0].shape)
    case "blocked.batchMoments", "blocked.batchGradientSums": return batch(call, x)
    default: return nil
    }
  }

  private typealias Floats = UnsafeMutablePointer<Float>

  private static func convolution(_ convolution: BlockedConvolution) -> KernelStep.Body {
    let layout = convolution.layout
    let epilogue = convolution.epilogue
    let leanTile = convolution.isLean ? convolution.algorithm.winogradTile : nil
    if let oneDNN = DNNConvolution(convolution) {
      return { operands, output in
        let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
        var bound = epilogue.bound(to: operands, after: 2)
        let y = output.assumingMemoryBound(to: Float.self)
        try check(oneDNN.run(floats[0], floats[1], &bound, y), "convolution (oneDNN)")
      }
    }
    return { operands, output in
      let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
      let y = output.assumingMemoryBound(to: Float.self)
      var bound = epilogue.bound(to: operands, after: 2)
      let status = withUnsafePointer(to: layout) { conv in
        switch convolution.pass {
        case .forward:
          if let leanTile {
            tarn_winograd_forward_direct(conv, leanTile, floats[0], floats[1], &bound, y)
          } else {
            forward(convolution.algorithm, conv, floats[0], floats[1], &bound, y)
          }
        case .inputGradient:
          inputGradient(convolution.algorithm, conv, floats[0], floats[1], y)
        case .weightGradient:
          weightGradient(convolution.algorithm, conv, floats[0], floats[1], y)
        }
      }
      try check(status, "convolution")
    }
  }

  private static func forward(
    _ algorithm: BlockedConvolution.Algorithm, _ conv: UnsafePointer<tarn_conv>, _ x: Floats,
    _ packed: Floats, _ epilogue: UnsafePointer<tarn_epilogue>, _ y: Floats
  ) -> Int32 {
    switch algorithm {
    case .direct: tarn_direct_forward(conv, x, packed, epilogue, y)
    case .stem: tarn_stem_forward(conv, x, packed, epilogue, y)
    case .depthwise: tarn_blocked_depthwise_forward(conv, x, packed, epilogue, y)
    case .winograd2: tarn_winograd_forward(conv, 2, x, packed, epilogue, y)
    case .winograd4: tarn_winograd_forward(conv, 4, x, packed, epilogue, y)
    case .oneDNNDirect, .oneDNNWinograd: Int32(TARN_BAD_ARGUMENT.rawValue)
    }
  }

  private static func inputGradient(
    _ algorithm: BlockedConvolution.Algorithm, _ conv: UnsafePointer<tarn_conv>, _ g: Floats,
    _ packed: Floats, _ dx: Floats
  ) -> Int32 {
    switch algorithm {
    case .depthwise: tarn_blocked_depthwise_input_gradient(conv, g, packed, dx)
    case .winograd2: tarn_winograd_input_gradient(conv, 2, g, packed, dx)
    case .winograd4: tarn_winograd_input_gradient(conv, 4, g, packed, dx)
    case .direct, .stem: tarn_direct_input_gradient(conv, g, packed, dx)
    case .oneDNNDirect, .oneDNNWinograd: Int32(TARN_BAD_ARGUMENT.rawValue)
    }
  }

  private static func weightGradient(
    _ algorithm: BlockedConvolution.Algorithm, _ conv: UnsafePointer<tarn_conv>, _ x: Floats,
    _ g: Floats, _ dw: Floats
  ) -> Int32 {
    switch algorithm {
    case .direct: tarn_direct_weight_gradient(conv, x, g, dw)
    case .stem: tarn_stem_weight_gradient(conv, x, g, dw)
    case .depthwise: tarn_blocked_depthwise_weight_gradient(conv, x, g, dw)
    case .winograd2: tarn_winograd_weight_gradient(conv, 2, x, g, dw)
    case .winograd4: tarn_winograd_weight_gradient(conv, 4, x, g, dw)
    case .oneDNNDirect, .oneDNNWinograd: Int32(TARN_BAD_ARGUMENT.rawValue)
    }
  }

  private static func packing(_ convolution: BlockedConvolution) -> KernelStep.Body {
    let layout = convolution.layout
    let pass = Int32(convolution.pass.rawValue)
    let oneDNN = DNNConvolution(convolution)
    return { operands, output in
      let w = operands[0].assumingMemoryBound(to: Float.self)
      let packed = output.assumingMemoryBound(to: Float.self)
      let status = withUnsafePointer(to: layout) { conv in
        switch convolution.algorithm {
        case .direct: tarn_direct_pack(conv, pass, w, packed)
        case .stem: tarn_stem_pack(conv, w, packed)
        case .depthwise: tarn_blocked_depthwise_pack(conv, w, packed)
        case .winograd2: tarn_winograd_pack(conv, pass, 2, w, packed)
        case .winograd4: tarn_winograd_pack(conv, pass, 4, w, packed)
        case .oneDNNDirect, .oneDNNWinograd:
          oneDNN?.pack(w, packed) ?? Int32(TARN_BAD_ARGUMENT.rawValue)
        }
      }
      try check(status, "convolution")
    }
  }

  private static func unpacking(_ convolution: BlockedConvolution) -> KernelStep.Body {
    let layout = convolution.layout
    let pass = Int32(convolution.pass.rawValue)
    return { operands, output in
      let packed = operands[0].assumingMemoryBound(to: Float.self)
      let w = output.assumingMemoryBound(to: Float.self)
      let status = withUnsafePointer(to: layout) { tarn_direct_unpack($0, pass, packed, w) }
      try check(status, "convolution")
    }
  }

  private static func blocking(
    _ shape: [Int],
    _ kernel: @escaping @Sendable (Int64, Int64, Int64, UnsafePointer<Float>, Floats) -> Int32
  ) -> KernelStep.Body {
    let (n, c, pixels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]))
    return { operands, output in
      try check(
        kernel(
          n, c, pixels, operands[0].assumingMemoryBound(to: Float.self),
          output.assumingMemoryBound(to: Float.self)), "layout")
    }
  }

  private static func affine(_ call: Call, _ shape: [Int]) -> KernelStep.Body {
    let epilogue = Epilogue(code: call.attributes.map { Int($0.int64) })
    let (n, blocks, pixels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]))
    return { operands, output in
      var bound = epilogue.bound(to: operands, after: 1)
      try check(
        tarn_blocked_affine(
          n, blocks, pixels, operands[0].assumingMemoryBound(to: Float.self), &bound,
          output.assumingMemoryBound(to: Float.self)), "affine")
    }
  }

  private static func blend(_ shape: [Int]) -> KernelStep.Body {
    let (n, blocks, pixels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]))
    return { operands, output in
      let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
      try check(
        tarn_blocked_blend(
          n, blocks, pixels, floats[0], floats[1], floats[2], floats[3], floats[4],
          output.assumingMemoryBound(to: Float.self)), "blend")
    }
  }

  private static func pooling(_ call: Call, _ x: [View], _ y: View) -> KernelStep.Body {
    let isSpread = call.name == "blocked.windowSpread"
    let isGradient = call.name == "blocked.maxPoolGradient"
    let (wide, narrow) =
      isSpread ? (y.shape, x[0].shape) : (x[0].shape, isGradient ? x[1].shape : y.shape)
    let layout = tarn_window(
      Window(of: call), unpooled: Array(wide.dropLast()), pooled: Array(narrow.dropLast()))
    return { operands, output in
      let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
      let y = output.assumingMemoryBound(to: Float.self)
      let status = withUnsafePointer(to: layout) { window in
        switch call.name {
        case "blocked.maxPool": tarn_blocked_max_pool(window, floats[0], y)
        case "blocked.maxPoolGradient":
          tarn_blocked_max_pool_gradient(window, floats[0], floats[1], y)
        case "blocked.windowSum": tarn_blocked_window_sum(window, floats[0], y)
        default: tarn_blocked_window_spread(window, floats[0], y)
        }
      }
      try check(status, "pooling")
    }
  }

  /// The sum of each channel: the first of the two sums of a gradient.
  private static func channelSums(_ shape: [Int]) -> KernelStep.Body {
    let (n, blocks, pixels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]))
    let zeros = [Float](repeating: 0, count: shape[1] * BlockedLayout.lanes)
    return { operands, output in
      let x = operands[0].assumingMemoryBound(to: Float.self)
      var products = zeros
      try check(
        tarn_blocked_gradient_sums(
          n, blocks, pixels, x, x, zeros, zeros, output.assumingMemoryBound(to: Float.self),
          &products), "sum")
    }
  }

  /// Tables [2, blocks, 16]: the mean and variance of the channels, or the two sums of a gradient.
  private static func batch(_ call: Call, _ x: [View]) -> KernelStep.Body {
    let shape = x[0].shape
    let (n, blocks, pixels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2] * shape[3]))
    let half = shape[1] * BlockedLayout.lanes
    let epsilon = call.attributes.first.map { Float($0.double) } ?? 0
    return { operands, output in
      let floats = operands.map { $0.assumingMemoryBound(to: Float.self) }
      let table = output.assumingMemoryBound(to: Float.self)
      if call.name == "blocked.batchMoments" {
        try check(
          tarn_blocked_moments(n, blocks, pixels, floats[0], table, table + half), call.name)
        return
      }
      let (mean, variance) = (floats[2], floats[2] + half)
      let rstd = (0..<half).map { 1 / (variance[$0] + epsilon).squareRoot() }
      try check(
        tarn_blocked_gradient_sums(
          n, blocks, pixels, floats[0], floats[1], mean, rstd, table, table + half), call.name)
    }
  }
}
