import TarnCore
import TarnSchemas

/// Several nodes that ONNX has one operator for. Nodes emitted for the parts are left out in the end if nothing reads
/// them.
extension ONNXEmitter {
  /// Emits a pattern that ends in this node, if there is one.
  func fused(_ node: Node, _ kind: Binary) -> Bool {
    switch kind {
    case .add: batchNormalization(node) || biased(node)
    case .multiply: meanOfWindow(node)
    case .divide: mean(node)
    default: false
    }
  }

  private func isReadOnce(_ node: Node) -> Bool {
    traces[0].readers[ObjectIdentifier(node)] == 1
  }

  /// The number everywhere in a node.
  private func number(_ node: Node) -> Double? {
    var node = node
    while case .broadcast = node.op, let inner = node.input0 { node = inner }
    guard node.storage == nil, case .full(let value) = node.op else { return nil }
    return value.double
  }

  /// What is behind reshapes and broadcasts.
  private func bare(_ node: Node) -> Node {
    var node = node
    while node.storage == nil, let inner = node.input0 {
      switch node.op {
      case .broadcast, .reshape: node = inner
      default: return node
      }
    }
    return node
  }

  // MARK: Bias

  /// A convolution or a product plus one number for each channel.
  private func biased(_ node: Node) -> Bool {
    guard let left = node.input0, let right = node.input1 else { return false }
    var product = left
    while case .reshape = product.op, isReadOnce(product), product.storage == nil,
      let inner = product.input0, case .matmul = inner.op
    { product = inner }
    guard isReadOnce(product), product.storage == nil, isReadOnce(left) else { return false }
    let bias = bare(right)
    guard bias.shape.count == 1, bias.storage != nil, product.dtype == bias.dtype else {
      return false
    }
    let produced = value(product)
    guard let place = nodes.lastIndex(where: { $0.output.first == produced.name }),
      nodes[place].input.count == 2
    else { return false }
    switch (product.op, nodes[place].opType) {
    case (.convolution(.forward, _), "Conv"), (.convolution(.inputGradient, _), "ConvTranspose"):
      let row = [1, bias.count] + [Int](repeating: 1, count: node.shape.count - 2)
      guard isAlong(right, row), bias.count == node.shape[1] else { return false }
    case (.matmul, "Gemm"):
      guard isAlong(right, [bias.count]), bias.count == node.shape[node.shape.count - 1],
        node.shape == left.shape
      else { return false }
    default: return false
    }
    let name = value(bias).name
    guard initializers.contains(where: { $0.name == name }) else { return false }
    // The initializer may have been made after the product's node: initializers come before all nodes.
    nodes[place].input.append(name)
    values[ObjectIdentifier(node)] = value(left)
    return true
  }

  /// Whether a vector stretches along the axis that has its length in `row`, axes of length 1 in front aside.
  private func isAlong(_ node: Node, _ row: [Int]) -> Bool {
    var node = node
    while case .broadcast = node.op, let inner = node.input0 { node = inner }
    return Array(node.shape.drop { $0 == 1 }) == Array(row.drop { $0 == 1 })
  }

  // MARK: Normalisation

  /// x f + (β − μ f) with f = γ / √(σ² + ε), all of the channels alone: batch normalisation as trained.
  private func batchNormalization(_ node: Node) -> Bool {
    guard let product = node.input0, let right = node.input1, isPlain(product),
      case .binary(.multiply) = product.op, let x = product.input0, let scale = product.input1,
      node.shape.count > 2,
      isAlong(scale, [1, node.shape[1]] + node.shape.dropFirst(2).map { _ in 1 })
    else { return false }
    let factor = bare(scale)
    guard let (variance, epsilon, weight) = self.factor(factor),
      let (mean, bias) = offset(bare(right), factor)
    else { return false }
    let channels = node.shape[1]
    let given = [weight, bias, mean, variance].compactMap { $0 }
    guard given.allSatisfy({ $0.shape == [channels] && $0.storage != nil }) else { return false }
    func all(_ value: Double) -> String {
      let tensor = Tensor.full([channels], .real(value), dtype: node.dtype, device: .reference)
      return initializer(fresh("numbers"), tensor)
    }
    let name = add(
      "BatchNormalization",
      [
        whole(x).name, weight.map { value($0).name } ?? all(1),
        bias.map { value($0).name } ?? all(0),
        value(mean).name, value(variance).name,
      ], [attribute("epsilon", epsilon)])
    set(node, name)
    return true
  }

  private func isPlain(_ node: Node) -> Bool { node.storage == nil }

  private func factor(_ node: Node) -> (variance: Node, epsilon: Double, weight: Node?)? {
    guard isPlain(node) else { return nil }
    var root = node
    var weight: Node?
    if case .binary(.multiply) = node.op, let a = node.input0, let b = node.input1 {
      (root, weight) = (a, b)
    }
    guard isPlain(root), case .unary(.rsqrt) = root.op, let sum = root.input0, isPlain(sum),
      case .binary(.add) = sum.op, let variance = sum.input0, let other = sum.input1,
      let epsilon = number(other)
    else { return nil }
    return (variance, epsilon, weight)
  }

  private func offset(_ node: Node, _ factor: Node) -> (mean: Node, bias: Node?)? {
    guard isPlain(node) else { return nil }
    var negative = node
    var bias: Node?
    if case .binary(.add) = node.op, let a = node.input0, let b = node.input1 {
      (bias, negative) = (a, b)
    }
    guard isPlain(negative), case .unary(.negate) = negative.op, let product = negative.input0,
      case .binary(.multiply) = product.op, let mean = product.input0, product.input1 === factor
    else { return nil }
    return (mean, bias)
  }

  // MARK: Means

  /// A sum over axes divided by how many there were.
  private func mean(_ node: Node) -> Bool {
    guard let dividend = node.input0, let divisor = node.input1, isPlain(dividend),
      isReadOnce(dividend)
    else { return false }
    var sum = dividend
    // Axes that are not kept are reshaped away.
    if case .reshape = dividend.op, let inner = dividend.input0 { sum = inner }
    guard isPlain(sum), isReadOnce(sum), case .reduce(.sum, let axes) = sum.op,
      let x = sum.input0, let count = number(divisor),
      count == Double(axes.reduce(1) { $0 * x.shape[$1] }),
      axes.allSatisfy({ x.shape[$0] == twin(x).shape[$0] })
    else { return false }
    let input = whole(x).name
    let isPlane = x.shape.count > 2 && axes == Array(2..<x.shape.count)
    let mean = isPlane ? add("GlobalAveragePool", [input]) : reduced("ReduceMean", input, axes)
    let target = shapeInput(node.shape, twin(node).shape, mayInfer: true)
    set(node, sum === dividend ? mean : add("Reshape", [mean, target]))
    return true
  }

  /// A sum over windows times one over their size.
  private func meanOfWindow(_ node: Node) -> Bool {
    guard let sum = node.input0, let factor = node.input1, isPlain(sum),
      case .windowSum(let window) = sum.op, let scale = number(factor),
      abs(scale * Double(window.size.product) - 1) < 1e-6,
      let last = nodes.last(where: { $0.output.first == value(sum).name }), last.opType == "Mul"
    else { return false }
    set(node, last.input[0])
    return true
  }
}
