/// The three faces of one trilinear form.
///
/// With the channels written as groups times channels within a group, the form is
///
///     T(x, w, y) = Σ x[n, g, c, s] · w[g, o, c, k] · y[n, g, o, t]
///     s = t · stride + k · dilation − low
///
/// `forward` is its gradient by y, `inputGradient` by x and `weightGradient` by w; the derivative
/// of any of them by an operand is one of the other two.
extension Rule {
  static let convolution = Rule.linear(
    vjp: { op, x, _, g in
      guard case .convolution(let pass, let spec) = op else { return [nil, nil] }
      func record(_ pass: ConvolutionPass, _ a: Tensor, _ b: Tensor, like: Tensor) -> Tensor {
        Tensor.record(.convolution(pass, spec), a, b, like.shape, like.dtype)
      }
      let (a, b) = (x[0], x[1])
      return switch pass {
      case .forward:
        [record(.inputGradient, g, b, like: a), record(.weightGradient, a, g, like: b)]
      case .inputGradient:
        [record(.forward, g, b, like: a), record(.weightGradient, g, a, like: b)]
      case .weightGradient:
        [record(.inputGradient, b, g, like: a), record(.forward, a, g, like: b)]
      }
    },
    batch: { op, x, batched, count, shape, dtype in
      guard case .convolution(let pass, var spec) = op else { return x[0] }
      let operands = pass.operands, result = pass.result
      let groups = spec.groups
      let index = ConvolutionIndex.shared(
        by: [result] + zip(operands, batched).filter(\.1).map(\.0))
      let folded = (0..<2).map {
        batched[$0] ? operands[$0].folding(x[$0], into: index, groups: groups) : x[$0]
      }
      if index == .group { spec.groups *= count }
      let foldedShape = result.foldedShape(shape, count: count, into: index)
      let y = Tensor.record(.convolution(pass, spec), folded, foldedShape, dtype)
      return result.unfolding(y, shape, count: count, from: index, groups: groups)
    },
    reference: { op, x, shape, dtype in
      guard case .convolution(let pass, let spec) = op else { return x[0] }
      let (a, b) = (x[0].reals, x[1].reals)
      var sums = [Double](repeating: 0, count: shape.product)
      switch pass {
      case .forward:
        spec.forEachTerm(x[0].shape, x[1].shape, shape) { x, w, y in sums[y] += a[x] * b[w] }
      case .inputGradient:
        spec.forEachTerm(shape, x[1].shape, x[0].shape) { x, w, y in sums[x] += a[y] * b[w] }
      case .weightGradient:
        spec.forEachTerm(x[0].shape, shape, x[1].shape) { x, w, y in sums[w] += a[x] * b[y] }
      }
      return HostArray(shape: shape, dtype: dtype, reals: sums)
    })
}

extension Convolution {
  /// Calls `body` with the places in x, w and y of every product the form sums.
  fileprivate func forEachTerm(
    _ x: [Int], _ w: [Int], _ y: [Int], _ body: (_ x: Int, _ w: Int, _ y: Int) -> Void
  ) {
    let taps = self.taps(Array(x.dropFirst(2)), Array(w.dropFirst(2)), Array(y.dropFirst(2)))
    let (xPlane, wPlane, yPlane) = (
      x.dropFirst(2).reduce(1, *), w.dropFirst(2).reduce(1, *), y.dropFirst(2).reduce(1, *)
    )
    [x[0], w[0], w[1]].forEachIndex { index in
      let (n, output, within) = (index[0], index[1], index[2])
      let input = output / (w[0] / groups) * w[1] + within
      let xStart = (n * x[1] + input) * xPlane
      let wStart = (output * w[1] + within) * wPlane
      let yStart = (n * y[1] + output) * yPlane
      for tap in taps { body(xStart + tap.x, wStart + tap.w, yStart + tap.y) }
    }
  }

  /// The places within one plane each of x, w and y that meet; those in the padding are left out.
  private func taps(_ x: [Int], _ w: [Int], _ y: [Int]) -> [(x: Int, w: Int, y: Int)] {
    let (xStrides, wStrides, yStrides) = (x.rowMajorStrides, w.rowMajorStrides, y.rowMajorStrides)
    var taps: [(x: Int, w: Int, y: Int)] = []
    (y + w).forEachIndex { index in
      var tap = (x: 0, w: 0, y: 0)
      for axis in x.indices {
        let (t, k) = (index[axis], index[axis + y.count])
        let s = t * strides[axis] + k * dilations[axis] - low[axis]
        guard (0..<x[axis]).contains(s) else { return }
        tap.x += s * xStrides[axis]
        tap.w += k * wStrides[axis]
        tap.y += t * yStrides[axis]
      }
      taps.append(tap)
    }
    return taps
  }
}

/// An index of the form other than the spatial ones.
private enum ConvolutionIndex {
  case example, group, output, input

  /// The index that exactly these operands have: a batch axis that they carry can be folded into
  /// it.
  static func shared(by roles: [ConvolutionRole]) -> ConvolutionIndex {
    if roles.count == 3 { return .group }
    if !roles.contains(.w) { return .example }
    return roles.contains(.x) ? .input : .output
  }
}

/// A place in the form.
private enum ConvolutionRole {
  case x, w, y

  /// Its indices, in order.
  var indices: [ConvolutionIndex] {
    switch self {
    case .x: [.example, .group, .input]
    case .w: [.group, .output, .input]
    case .y: [.example, .group, .output]
    }
  }

  /// The axis of those stored with the groups in front of the channels within a group: x and y's
  /// channels, w's outputs.
  private var groupedAxis: Int { self == .w ? 0 : 1 }

  /// The shape with the groups as an axis of their own, as `indices` has it.
  private func split(_ shape: [Int], groups: Int) -> [Int] {
    var split = shape
    split[groupedAxis] /= max(groups, 1)
    split.insert(groups, at: groupedAxis)
    return split
  }

  /// [count, …] → the batch axis folded into `index`.
  func folding(_ tensor: Tensor, into index: ConvolutionIndex, groups: Int) -> Tensor {
    let count = tensor.shape[0]
    let example = Array(tensor.shape.dropFirst())
    let place = indices.firstIndex(of: index) ?? 0
    return tensor.reshaped([count] + split(example, groups: groups)).movedAxis(0, to: place)
      .reshaped(foldedShape(example, count: count, into: index))
  }

  /// The reverse of `folding`.
  func unfolding(
    _ tensor: Tensor, _ example: [Int], count: Int, from index: ConvolutionIndex, groups: Int
  ) -> Tensor {
    let place = indices.firstIndex(of: index) ?? 0
    var shape = split(example, groups: groups)
    shape.insert(count, at: place)
    return tensor.reshaped(shape).movedAxis(place, to: 0).reshaped([count] + example)
  }

  /// An example's shape once `count` of them are folded into `index`.
  func foldedShape(_ example: [Int], count: Int, into index: ConvolutionIndex) -> [Int] {
    var shape = example
    switch index {
    case .example: shape[0] *= count
    case .group: shape[groupedAxis] *= count
    case .output: shape[groupedAxis] *= count
    case .input: shape[1] *= count
    }
    return shape
  }
}

extension ConvolutionPass {
  fileprivate var operands: [ConvolutionRole] {
    switch self {
    case .forward: [.x, .w]
    case .inputGradient: [.y, .w]
    case .weightGradient: [.x, .y]
    }
  }
  fileprivate var result: ConvolutionRole {
    switch self {
    case .forward: .y
    case .inputGradient: .x
    case .weightGradient: .w
    }
  }
}
