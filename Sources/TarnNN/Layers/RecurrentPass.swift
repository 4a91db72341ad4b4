import TarnCore

/// Sequences through all layers and directions of a recurrent layer.
struct RecurrentPass {
  let kind: RecurrenceKind
  let weights: RecurrentWeights

  struct Result {
    /// [steps, batch, directions · hidden], or with the batch first; without a batch axis if the input had none.
    var output: Tensor
    /// [layers · directions, batch, hidden]
    var hidden: Tensor
    var cell: Tensor?
  }

  /// `x` has been checked.
  func callAsFunction(_ x: Tensor, hidden: Tensor?, cell: Tensor?, lengths: Tensor?) -> Result {
    let settings = weights.settings
    let isSingle = x.rank == 2
    var x = isSingle ? x.expandedDims(1) : settings.isBatchFirst ? x.transposed(0, 1) : x
    let lengths = lengths?.cast(to: .int64)
    let shape = [weights.directions.count, x.shape[1], settings.hidden]
    func start(_ state: Tensor?) -> Tensor {
      state?.reshaped(shape)
        ?? .full(shape, .integer(0), dtype: x.dtype, device: x.device)
    }
    let (first, firstCell) = (start(hidden), kind == .lstm ? start(cell) : nil)
    var (last, lastCells): ([Tensor], [Tensor]) = ([], [])
    for layer in 0..<settings.layers {
      if layer > 0 { x = dropped(x, maskShape: x.shape, settings.dropout) }
      let outputs = (0..<settings.directions).map { direction in
        let number = layer * settings.directions + direction
        let result = pass(
          x, number, isReversed: direction == 1, first[number], firstCell?[number], lengths)
        last.append(result.hidden)
        if let cell = result.cell { lastCells.append(cell) }
        return result.output
      }
      x = Tensor.concatenated(outputs, axis: 2)
    }
    if let lengths {
      let time = Tensor.iota([x.shape[0], 1, 1], axis: 0, device: x.device)
      x = (time .< lengths.reshaped([1, -1, 1])).select(x, Tensor.full(like: x, 0))
    }
    if isSingle { x = x.squeezed(1) } else if settings.isBatchFirst { x = x.transposed(0, 1) }
    func ends(_ states: [Tensor]) -> Tensor {
      isSingle ? Tensor.concatenated(states) : Tensor.stacked(states)
    }
    return Result(output: x, hidden: ends(last), cell: lastCells.isEmpty ? nil : ends(lastCells))
  }

  /// One direction of one layer over [steps, batch, inputs].
  private func pass(
    _ x: Tensor, _ number: Int, isReversed: Bool, _ hidden: Tensor, _ cell: Tensor?,
    _ lengths: Tensor?
  ) -> (output: Tensor, hidden: Tensor, cell: Tensor?) {
    let direction = weights.directions[number]
    let inputs = x.matmul(direction.inputWeight, transposed: true)
    let recurrence = Recurrence(
      kind, isReversed: isReversed, steps: x.shape[0], batch: x.shape[1],
      hidden: weights.settings.hidden, hasLengths: lengths != nil)
    let (bias, newBias) = direction.biases(kind, like: inputs)
    let arguments: [Tensor?] = [
      inputs, direction.hiddenWeight, bias, newBias, hidden, cell, lengths,
    ]
    return recurrence(arguments.compactMap { $0 })
  }
}

extension RecurrentDirection {
  /// What is added to the input's product, and what a GRU adds to the state's in n.
  func biases(_ kind: RecurrenceKind, like inputs: Tensor) -> (bias: Tensor, newBias: Tensor?) {
    let (rows, hidden) = (hiddenWeight.shape[0], hiddenWeight.shape[1])
    let zeros = Tensor.full([rows], .integer(0), dtype: inputs.dtype, device: inputs.device)
    let (input, state) = (inputBias ?? zeros, hiddenBias ?? zeros)
    guard kind == .gru else { return (inputBias == nil ? zeros : input + state, nil) }
    let gates = input[..<(2 * hidden)] + state[..<(2 * hidden)]
    return (.concatenated([gates, input[(2 * hidden)...]]), state[(2 * hidden)...])
  }
}
