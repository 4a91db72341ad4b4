extension Tensor {
  /// Convolution (cross-correlation, as in every deep-learning library) over the axes after the
  /// second:
  ///
  ///     y[n, o, t] = Σ x[n, c, t · stride + k · dilation − low] · w[o, c, k]
  ///
  /// - Parameters:
  ///   - weight: [O, C / groups, k…]. The number of its kernel axes is that of this tensor's
  ///     spatial axes.
  ///   - strides: step of the window per spatial axis; ones if nil.
  ///   - padding: zeros before and after per spatial axis; none if nil.
  ///   - dilations: distance of neighbouring kernel elements; ones if nil.
  ///   - groups: channels are cut in this many groups, which do not mix.
  /// - Returns: [N, O, t…], t = ⌊(s + low + high − dilation · (k − 1) − 1) / stride⌋ + 1, for a
  ///   tensor [N, C, s…].
  ///
  /// ```swift
  /// let y = images.convolved(kernel, padding: [(1, 1), (1, 1)])      // 3×3, same size
  /// ```
  public func convolved(
    _ weight: Tensor, strides: [Int]? = nil, padding: [(Int, Int)]? = nil, dilations: [Int]? = nil,
    groups: Int = 1
  ) -> Tensor {
    let spec = Convolution(weight, strides, padding, dilations, groups)
    if let problem = spec.problem("convolved", self, weight, channels: 1) { return problem }
    let kernel = weight.shape.dropFirst(2), spatial = shape.dropFirst(2)
    if shape[1] != weight.shape[1] * groups {
      return rejected(
        "convolved",
        "the input has \(shape[1]) channels, the weight takes \(weight.shape[1] * groups)",
        ["input  \(shape)", "weight \(weight.shape)", "groups \(groups)"],
        hint: Hint.channels(shape, wanted: weight.shape[1] * groups))
    }
    let lengths = spatial.enumerated().map { axis, length in
      spec.low[axis] + length + spec.high[axis] - spec.dilations[axis] * (kernel[axis + 2] - 1)
    }
    if let axis = lengths.firstIndex(where: { $0 < 1 }) {
      let reach = spec.dilations[axis] * (kernel[axis + 2] - 1) + 1
      return rejected(
        "convolved", "the kernel is larger than the padded input",
        [
          "input  \(shape)", "weight \(weight.shape)",
          "axis \(axis + 2): the kernel reaches over \(reach), "
            + "the padded input has \(lengths[axis] + reach - 1)",
        ],
        hint: "pad more, or use a larger input")
    }
    let pooled = zip(lengths, spec.strides).map { ($0 - 1) / $1 + 1 }
    return recorded(.forward, spec, weight, [shape[0], weight.shape[0]] + pooled)
  }

  /// Transposed convolution, the adjoint of ``convolved(_:strides:padding:dilations:groups:)`` in
  /// its input: it goes from [N, C, t…] back to the larger [N, O, s…].
  ///
  /// - Parameters:
  ///   - weight: [C, O / groups, k…].
  ///   - padding: what is cut off before and after.
  ///   - outputPadding: how much longer the result is at its end, less than the stride; zeros if
  ///     nil.
  /// - Returns: [N, O, s…], s = (t − 1) · stride − low − high + dilation · (k − 1) + 1 +
  ///   outputPadding.
  ///
  /// ```swift
  /// let larger = features.convolvedTransposed(kernel, strides: [2, 2])
  /// ```
  public func convolvedTransposed(
    _ weight: Tensor, strides: [Int]? = nil, padding: [(Int, Int)]? = nil,
    outputPadding: [Int]? = nil,
    dilations: [Int]? = nil, groups: Int = 1
  ) -> Tensor {
    let spec = Convolution(weight, strides, padding, dilations, groups)
    let name = "convolvedTransposed"
    if let problem = spec.problem(name, self, weight, channels: 0) { return problem }
    if shape[1] != weight.shape[0] {
      return rejected(
        name, "the input has \(shape[1]) channels, the weight takes \(weight.shape[0])",
        ["input  \(shape)", "weight \(weight.shape)"],
        hint: Hint.channels(shape, wanted: weight.shape[0]))
    }
    let extra = outputPadding ?? spec.strides.map { _ in 0 }
    if extra.count != spec.strides.count
      || zip(extra, spec.strides).contains(where: { $0 < 0 || $0 >= $1 })
    {
      return rejected(
        name, "each output padding must be 0 or more and less than the stride",
        ["output padding \(extra)", "strides        \(spec.strides)"])
    }
    let lengths = extra.indices.map { axis in
      (shape[axis + 2] - 1) * spec.strides[axis] - spec.low[axis] - spec.high[axis]
        + spec.dilations[axis] * (weight.shape[axis + 2] - 1) + 1 + extra[axis]
    }
    if lengths.contains(where: { $0 < 1 }) {
      return rejected(
        name, "nothing is left after cutting the padding off",
        ["input  \(shape)", "result \(lengths)"])
    }
    return recorded(.inputGradient, spec, weight, [shape[0], weight.shape[1] * groups] + lengths)
  }

  /// Records a pass in two spatial axes or more; one axis gets a second of length 1 in front.
  private func recorded(
    _ pass: ConvolutionPass, _ spec: Convolution, _ weight: Tensor, _ result: [Int]
  ) -> Tensor {
    let dtype = DType.promoted(self.dtype, weight.dtype).floating
    let x = cast(to: dtype), w = weight.cast(to: dtype)
    guard rank == 3 else { return Tensor.record(.convolution(pass, spec), x, w, result, dtype) }
    var plane = spec
    plane.strides.insert(1, at: 0)
    plane.low.insert(0, at: 0)
    plane.high.insert(0, at: 0)
    plane.dilations.insert(1, at: 0)
    let flat = Tensor.record(
      .convolution(pass, plane), x.expandedDims(2), w.expandedDims(2),
      [result[0], result[1], 1, result[2]], dtype)
    return flat.reshaped(result)
  }
}

extension Convolution {
  fileprivate init(
    _ weight: Tensor, _ strides: [Int]?, _ padding: [(Int, Int)]?, _ dilations: [Int]?,
    _ groups: Int
  ) {
    let ones = [Int](repeating: 1, count: max(0, weight.rank - 2))
    let padding = padding ?? ones.map { _ in (0, 0) }
    self.init(
      strides: strides ?? ones, low: padding.map(\.0), high: padding.map(\.1),
      dilations: dilations ?? ones,
      groups: groups)
  }

  /// Zeros, after a report, if ranks, geometry or groups are wrong. `channels` is the weight's axis
  /// that is given per group.
  fileprivate func problem(_ name: String, _ x: Tensor, _ weight: Tensor, channels: Int) -> Tensor?
  {
    let facts = ["input  \(x.shape)", "weight \(weight.shape)"]
    let spatial = weight.rank - 2
    if spatial < 1 || x.rank != weight.rank {
      return x.rejected(
        name,
        spatial < 1
          ? "the weight needs two channel axes and at least one kernel axis"
          : "a weight with \(spatial) kernel axes takes an input with \(spatial + 2) axes", facts,
        hint: Hint.missingBatch(x.shape, rank: weight.rank))
    }
    if [strides.count, low.count, dilations.count].contains(where: { $0 != spatial }) {
      return x.rejected(
        name, "strides, padding and dilations need one entry per spatial axis",
        facts + ["strides \(strides), padding \(low.count) entries, dilations \(dilations)"])
    }
    if (strides + dilations).contains(where: { $0 < 1 }) || (low + high).contains(where: { $0 < 0 })
    {
      return x.rejected(
        name, "strides and dilations are 1 or more, padding 0 or more",
        facts + ["strides \(strides), padding \(low) \(high), dilations \(dilations)"])
    }
    if groups < 1 || x.shape[1] % groups != 0 || weight.shape[0] % groups != 0 {
      let what = channels == 1 ? "\(weight.shape[0]) output" : "\(weight.shape[0]) input"
      return x.rejected(
        name,
        "\(groups) groups do not divide \(x.shape[1]) channels and the weight's \(what) channels",
        facts)
    }
    return nil
  }
}
