import CTarnKernels
import TarnCore

/// One pass of a two-dimensional convolution on blocked images, done by one algorithm.
///
/// In a graph it is a ``Call`` whose attributes say everything here. Its inputs are the two operands of the pass, the
/// weights packed, and then what its epilogue needs.
struct BlockedConvolution: Hashable {
  /// Which kernels do the work.
  enum Algorithm: Int, CaseIterable {
    case direct, stem, depthwise, winograd2, winograd4, oneDNNDirect, oneDNNWinograd

    /// Outputs along each side of a tile, for our own Winograd kernels.
    var winogradTile: Int32? {
      switch self {
      case .winograd2: 2
      case .winograd4: 4
      default: nil
      }
    }
  }

  var algorithm: Algorithm
  var pass: ConvolutionPass
  var geometry: Convolution
  /// Plain shapes [N, C, H, W], [O, C / groups, h, w] and [N, O, H', W'].
  var x: [Int], w: [Int], y: [Int]
  var epilogue = Epilogue()
  /// Whether Winograd's weights are made at each run, from those in the order of the direct kernels.
  var isLean = false

  static let name = "blocked.convolution."
  static let packName = "blocked.pack."
  static let unpackName = "blocked.unpack."

  /// As an op of a graph.
  var op: Op { .call(Call(Self.name + "\(pass).\(algorithm)", attributes)) }

  /// The op that readies plain weights for `op`; a result from a leaf is kept with it, and takes its place if it can.
  var packing: Op {
    let bare = packed
    let suffix = "\(pass).\(bare.algorithm)"
    let inverse =
      bare.algorithm == .direct ? Call(Self.unpackName + suffix, bare.attributes) : nil
    return .call(Call(Self.packName + suffix, bare.attributes, isKept: true, inverse: inverse))
  }

  /// What the order of the packed weights depends on.
  private var packed: BlockedConvolution {
    var bare = self
    if isLean { (bare.algorithm, bare.isLean) = (.direct, false) }
    // oneDNN's order of the weights may depend on what follows the sums; ours does not.
    if algorithm.oneDNN == nil { bare.epilogue = Epilogue() }
    guard pass == .forward, [.direct, .winograd2, .winograd4].contains(bare.algorithm) else {
      return bare
    }
    // Nor on the images: plans for others find the same weights.
    bare.geometry = Convolution(
      strides: [1, 1], low: [0, 0], high: [0, 0], dilations: [1, 1], groups: geometry.groups)
    (bare.x, bare.y) = ([1, x[1], w[2], w[3]], [1, w[0], 1, 1])
    return bare
  }

  /// Whether Winograd's weights had better be made anew at each run if memory is short: there are many, and a few
  /// tiles are all that meets them.
  var suitsLean: Bool {
    guard pass == .forward, let tile = algorithm.winogradTile else { return false }
    return withUnsafePointer(to: layout) { tarn_winograd_suits_direct($0, tile) != 0 }
  }

  private var attributes: [Scalar] {
    let lists = [
      [algorithm.rawValue, Int(pass.rawValue)], x, w, y, geometry.strides, geometry.low,
      geometry.high, geometry.dilations, [geometry.groups], epilogue.code, [isLean ? 1 : 0],
    ]
    return lists.flatMap { $0 }.map { .integer(Int64($0)) }
  }

  /// Reads back what `op` or `packing` wrote.
  init(_ call: Call) {
    let numbers = call.attributes.map { Int($0.int64) }
    var next = numbers[...]
    func take(_ count: Int) -> [Int] {
      defer { next = next.dropFirst(count) }
      return Array(next.prefix(count))
    }
    let kind = take(2)
    algorithm = Algorithm(rawValue: kind[0]) ?? .direct
    pass = ConvolutionPass(rawValue: UInt8(kind[1])) ?? .forward
    (x, w, y) = (take(4), take(4), take(4))
    geometry = Convolution(
      strides: take(2), low: take(2), high: take(2), dilations: take(2), groups: take(1)[0])
    epilogue = Epilogue(code: take(4))
    isLean = take(1) == [1]
  }

  init(
    _ algorithm: Algorithm, _ pass: ConvolutionPass, _ geometry: Convolution, x: [Int], w: [Int],
    y: [Int]
  ) {
    (self.algorithm, self.pass, self.geometry) = (algorithm, pass, geometry)
    (self.x, self.w, self.y) = (x, w, y)
  }

  /// Whether the algorithm does this pass.
  var isPossible: Bool {
    withUnsafePointer(to: layout) { conv in
      let pass = Int32(pass.rawValue)
      return switch algorithm {
      case .direct: tarn_direct_takes(conv, pass) != 0
      case .stem: tarn_stem_takes(conv, pass) != 0
      case .depthwise: tarn_blocked_depthwise_takes(conv, pass) != 0
      case .winograd2: tarn_winograd_takes(conv, pass, 2) != 0
      case .winograd4: tarn_winograd_takes(conv, pass, 4) != 0
      case .oneDNNDirect, .oneDNNWinograd: DNNConvolution(self) != nil
      }
    }
  }

  /// Elements of the packed weights.
  var packedCount: Int {
    withUnsafePointer(to: layout) { conv in
      let pass = Int32(pass.rawValue)
      if isLean { return Int(tarn_direct_packed_count(conv, pass)) }
      return switch algorithm {
      case .direct: Int(tarn_direct_packed_count(conv, pass))
      case .stem: Int(tarn_stem_packed_count(conv))
      case .depthwise: Int(tarn_blocked_depthwise_packed_count(conv))
      case .winograd2: Int(tarn_winograd_packed_count(conv, pass, 2))
      case .winograd4: Int(tarn_winograd_packed_count(conv, pass, 4))
      case .oneDNNDirect, .oneDNNWinograd: DNNConvolution(self)?.packedCount ?? 0
      }
    }
  }

  /// What the kernels take.
  var layout: tarn_conv {
    var conv = tarn_conv()
    (conv.n, conv.c, conv.h, conv.w) = (Int64(x[0]), Int64(x[1]), Int64(x[2]), Int64(x[3]))
    (conv.o, conv.kh, conv.kw) = (Int64(w[0]), Int64(w[2]), Int64(w[3]))
    (conv.oh, conv.ow) = (Int64(y[2]), Int64(y[3]))
    conv.stride = (Int64(geometry.strides[0]), Int64(geometry.strides[1]))
    conv.low = (Int64(geometry.low[0]), Int64(geometry.low[1]))
    conv.dilation = (Int64(geometry.dilations[0]), Int64(geometry.dilations[1]))
    conv.groups = Int64(geometry.groups)
    return conv
  }
}

/// What is done to each sum before it is stored: see `tarn_epilogue`. Operands follow in this order.
struct Epilogue: Hashable {
  enum Activation: Int {
    case none, relu
    /// Two operands of one element: the bounds.
    case clip
    case silu
  }

  var hasScale = false, hasShift = false, hasResidual = false
  var activation = Activation.none

  init() {}

  init(code: [Int]) {
    (hasScale, hasShift, hasResidual) = (code[0] != 0, code[1] != 0, code[2] != 0)
    activation = Activation(rawValue: code[3]) ?? .none
  }

  var code: [Int] {
    [hasScale ? 1 : 0, hasShift ? 1 : 0, hasResidual ? 1 : 0, activation.rawValue]
  }

  /// Whether there is anything to do.
  var isEmpty: Bool { self == Epilogue() }

  /// For the kernels, from the operands that follow the first `skipped`.
  func bound(to operands: [UnsafeMutableRawPointer], after skipped: Int) -> tarn_epilogue {
    var rest = operands.dropFirst(skipped).makeIterator()
    func next(_ wanted: Bool) -> UnsafePointer<Float>? {
      wanted ? rest.next().map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) } : nil
    }
    var bound = tarn_epilogue()
    bound.scale = next(hasScale)
    bound.shift = next(hasShift)
    bound.residual = next(hasResidual)
    bound.activation = Int32(activation.rawValue)
    if activation == .clip {
      bound.low = next(true)?.pointee ?? 0
      bound.high = next(true)?.pointee ?? 0
    }
    return bound
  }
}
