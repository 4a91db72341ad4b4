/// Part of a buffer, or of the numbers 0, 1, 2, …, seen under some shape without moving anything.
package struct View: Hashable, Sendable {
  package enum Source: Hashable, Sendable {
    case buffer(Int)
    /// The natural numbers.
    case index
    /// Uniform numbers, made as they are needed from the key in a buffer; `offset` is where that key is.
    case random(key: Int)
  }

  package var source: Source
  package var shape: [Int]
  /// In elements, per axis; 0 repeats.
  package var strides: [Int]
  package var offset: Int
  package var dtype: DType

  package init(_ source: Source, shape: [Int], dtype: DType) {
    (self.source, self.shape, self.dtype) = (source, shape, dtype)
    strides = shape.rowMajorStrides
    offset = 0
  }

  package var buffer: Int? { if case .buffer(let index) = source { index } else { nil } }
  /// The buffer that must be there for its elements to be read.
  package var memory: Int? {
    switch source {
    case .buffer(let index), .random(let index): index
    case .index: nil
    }
  }

  /// Whether the elements stand one after another from the buffer's start.
  package var isPlain: Bool { offset == 0 && isContiguous && buffer != nil }

  package var isContiguous: Bool {
    var expected = 1
    for (length, stride) in zip(shape, strides).reversed() where length != 1 {
      if stride != expected { return false }
      expected *= length
    }
    return true
  }

  package func permuted(_ axes: [Int]) -> View {
    var view = self
    view.shape = axes.map { shape[$0] }
    view.strides = axes.map { strides[$0] }
    return view
  }

  package func broadcast(to target: [Int]) -> View {
    var view = self
    view.strides = shape.indices.map { shape[$0] == target[$0] ? strides[$0] : 0 }
    view.shape = target
    return view
  }

  package func sliced(_ ranges: [Stride]) -> View {
    var view = self
    view.offset += zip(ranges, strides).reduce(0) { $0 + $1.0.start * $1.1 }
    view.shape = ranges.map(\.count)
    view.strides = zip(ranges, strides).map { $0.step * $1 }
    return view
  }

  package func flipped(_ axes: [Int]) -> View {
    var view = self
    for axis in axes where shape[axis] > 0 {
      view.offset += (shape[axis] - 1) * strides[axis]
      view.strides[axis] = -strides[axis]
    }
    return view
  }

  /// The same elements under another shape; nil if they would have to move.
  package func reshaped(_ target: [Int]) -> View? {
    var view = self
    view.shape = target
    if target.product <= 1 || isContiguous {
      view.strides = target.rowMajorStrides
      return view
    }
    // Axes that go on from one another are one run; each run must be cut exactly.
    var runs: [(length: Int, stride: Int)] = []
    for (length, stride) in zip(shape, strides) where length != 1 {
      if let last = runs.last, last.stride == length * stride {
        runs[runs.count - 1] = (last.length * length, stride)
      } else {
        runs.append((length, stride))
      }
    }
    view.strides = [Int](repeating: 0, count: target.count)
    var axis = target.count - 1
    for run in runs.reversed() {
      var rest = run.length
      var stride = run.stride
      while rest > 1 {
        while axis >= 0, target[axis] == 1 { axis -= 1 }
        guard axis >= 0, rest % target[axis] == 0 else { return nil }
        view.strides[axis] = stride
        stride *= target[axis]
        rest /= target[axis]
        axis -= 1
      }
    }
    return view
  }
}
