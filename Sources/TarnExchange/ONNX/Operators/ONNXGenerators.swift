import TarnCore
import TarnInterop

/// Tensors made from little: constants, ranges, random numbers.
extension ONNXOperators {
  static let generators: [ONNXOperator] = [
    ONNXOperator("Constant", [1, 9, 11, 12, 13, 19, 21]) { call in
      if let tensor = try call.tensorAttribute("value") ?? call.tensorAttribute("sparse_value") {
        return tensor.copied(to: call.device)
      }
      if case .int(let value)? = call.node.attributes["value_int"] {
        return call.constant([value], [])
      }
      if let values = try call.ints("value_ints") { return call.constant(values, [values.count]) }
      if case .float(let value)? = call.node.attributes["value_float"] {
        return call.constant([value], [], .float32)
      }
      if let values = try call.floats("value_floats") {
        return call.constant(values, [values.count], .float32)
      }
      throw call.error("it has no value that is read")
    },
    ONNXOperator("ConstantOfShape", [9, 20, 21]) { call in
      let shape = try call.hostInts(0) ?? []
      let value = try call.tensorAttribute("value")
      try call.require(value.map { $0.count == 1 } ?? true, "its value is not one number")
      let dtype = value?.dtype ?? .float32
      if dtype.isFloating {
        return try call.full(shape, value?.item() ?? 0, dtype)
      }
      let integer = value?.cast(to: .int64).item(as: Int64.self) ?? 0
      return .full(try call.checked(shape), .integer(integer), dtype: dtype, device: call.device)
    },
    ONNXOperator("Range", [11], range),
    ONNXOperator(
      "EyeLike", [9],
      values: { call in
        let x = try call.tensor(0)
        try call.require(x.rank == 2, "\(x.shape) is no matrix")
        let element = try call.elementAttribute("dtype") ?? call.element(0) ?? .float32
        let bound = Swift.max(-(1 << 40), Swift.min(1 << 40, try call.int("k", 0)))
        let row = Tensor.iota(x.shape, axis: 0, device: call.device)
        let column = Tensor.iota(x.shape, axis: 1, device: call.device)
        return [.tensor((column .== row + bound).cast(to: try call.carrier(element)), element)]
      }),
    random("RandomNormal", [1], isLike: false, normal),
    random("RandomNormalLike", [1], isLike: true, normal),
    random("RandomUniform", [1], isLike: false, uniform),
    random("RandomUniformLike", [1], isLike: true, uniform),
    ONNXOperator("Bernoulli", [15], isPure: false) { call in
      let x = try call.tensor(0)
      let element = try call.elementAttribute("dtype") ?? ONNXElement(x.dtype)
      let drawn = Tensor.uniform(x.shape, key: try call.key(), dtype: x.dtype.floating) .< x
      return drawn.cast(to: try call.carrier(element))
    },
    ONNXOperator("Multinomial", [7], isPure: false) { call in
      let x = try call.tensor(0)
      let count = try call.int("sample_size", 1)
      try call.require(x.rank == 2 && x.shape[1] > 0, "\(x.shape) are not rows of logarithms")
      try call.checked([x.shape[0], count, x.shape[1]])
      let rows = x.expandedDims(1).stretched(to: [x.shape[0], count, x.shape[1]])
      let element = try call.elementAttribute("dtype") ?? .int32
      return Tensor.categorical(logits: rows, key: try call.key())
        .cast(to: try call.carrier(element))
    },
  ]

  private static func range(_ call: ONNXCall) throws -> Tensor {
    let dtype = try call.tensor(0).dtype
    if dtype.isFloating {
      guard let a = try call.hostReals(0)?.first, let b = try call.hostReals(1)?.first,
        let step = try call.hostReals(2)?.first, step != 0
      else { throw call.error("it has no start, limit and step") }
      let count = ((b - a) / step).rounded(.up)
      try call.require(count.isFinite && count < 0x1p40, "it would have \(count) elements")
      let shape = try call.checked([Swift.max(0, Int(count))])
      return (Tensor.iota(shape, axis: 0, dtype: .float64, device: call.device) * step + a)
        .cast(to: dtype)
    }
    guard let a = try call.hostInt(0), let b = try call.hostInt(1), let step = try call.hostInt(2),
      step != 0, [a, b, step].allSatisfy({ (-(1 << 60)...1 << 60).contains($0) })
    else { throw call.error("it has no start, limit and step that can be followed") }
    let count = step > 0 ? (b - a + step - 1) / step : (a - b - step - 1) / -step
    let shape = try call.checked([Swift.max(0, count)])
    return (Tensor.iota(shape, axis: 0, device: call.device) * step + a).cast(to: dtype)
  }

  private static func random(
    _ name: String, _ versions: [Int], isLike: Bool,
    _ body: @escaping @Sendable (ONNXCall, [Int], DType) throws -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name, versions, isPure: false) { call in
      let like = isLike ? try call.tensor(0) : nil
      let element = try call.elementAttribute("dtype") ?? like.map { ONNXElement($0.dtype) }
      let shape = try like?.shape ?? call.sizes("shape") ?? []
      let dtype = try call.carrier(element ?? .float32)
      try call.require(dtype.isFloating, "random numbers are of a floating type")
      return try body(call, call.checked(shape), dtype)
    }
  }

  @Sendable private static func normal(
    _ call: ONNXCall, _ shape: [Int], _ dtype: DType
  ) throws -> Tensor {
    .normal(
      shape, mean: try call.float("mean", 0), deviation: try call.float("scale", 1),
      key: try call.key(), dtype: dtype)
  }

  @Sendable private static func uniform(
    _ call: ONNXCall, _ shape: [Int], _ dtype: DType
  ) throws -> Tensor {
    .uniform(
      shape, from: try call.float("low", 0), to: try call.float("high", 1), key: try call.key(),
      dtype: dtype)
  }
}

extension ONNXCall {
  /// The key of an operator of random numbers: from its own seed, or from the run's and the node's name.
  func key() throws -> RandomKey {
    switch node.attributes["seed"] {
    case .float(let seed)?: return Device.with(device) { RandomKey(seed: seed.bitPattern) }
    case .int(let seed)?:
      return Device.with(device) { RandomKey(seed: UInt64(bitPattern: Int64(seed))) }
    default: break
    }
    // FNV-1a: the same in every process.
    let names = (node.name + "\u{1f}" + node.outputs.joined(separator: "\u{1f}")).utf8
    let hash = names.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return Device.with(device) { RandomKey(seed: run.seed ^ hash) }
  }
}
