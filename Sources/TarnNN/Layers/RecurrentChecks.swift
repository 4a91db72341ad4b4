import TarnCore

extension RecurrentWeights {
  func description(_ name: String) -> String {
    var text = "\(name)(\(settings.inputs) → \(settings.hidden)"
    if settings.layers > 1 { text += ", \(settings.layers) layers" }
    if settings.isBidirectional { text += ", bidirectional" }
    return text + ")"
  }
}

extension RecurrentPass {
  /// For layers whose state is h alone.
  func run(_ layer: some Layer, _ x: Tensor, _ state: Tensor?, _ lengths: Tensor?)
    -> (output: Tensor, state: Tensor)
  {
    if let problem = problem(x, [state], lengths, layer) { return (problem.output, problem.hidden) }
    let result = self(x, hidden: state, cell: nil, lengths: lengths)
    return (layer.recorded(result.output, multiplyAdds: multiplyAdds(x)), result.hidden)
  }

  /// Of all layers over the steps of `x`.
  func multiplyAdds(_ x: Tensor) -> Int {
    let rows = x.shape.dropLast().reduce(1, *)
    return weights.directions.reduce(0) {
      $0 + rows * ($1.inputWeight.count + $1.hiddenWeight.count)
    }
  }

  /// Zeros, after a report, if something does not fit.
  func problem(_ x: Tensor, _ states: [Tensor?], _ lengths: Tensor?, _ layer: some Layer) -> Result?
  {
    let settings = weights.settings
    let axes = settings.isBatchFirst ? "[batch, steps, inputs]" : "[steps, batch, inputs]"
    let batch = x.rank == 3 ? x.shape[settings.isBatchFirst ? 0 : 1] : 1
    func rejected(_ reason: String, _ facts: [String] = [], hint: String? = nil) -> Result {
      let shape = x.shape.dropLast() + [settings.hidden * settings.directions]
      let output = layer.rejected(x, reason, hint: hint, facts: facts, as: Array(shape))
      let state = [weights.directions.count, batch, settings.hidden]
      return Result(output: output, hidden: .zeros(x.rank == 2 ? [state[0], state[2]] : state))
    }
    guard x.rank == 2 || x.rank == 3 else { return rejected("expects \(axes) or [steps, inputs]") }
    guard x.dtype.isFloating else {
      return rejected(
        "expects a floating type, got \(x.dtype.name)",
        hint: "make vectors of indices: .oneHot(\(settings.inputs)), or an Embedding before it")
    }
    guard x.shape.last == settings.inputs else {
      return rejected("expects the last axis to be \(settings.inputs)", ["axes  \(axes)"])
    }
    guard x.shape[settings.isBatchFirst && x.rank == 3 ? 1 : 0] > 0 else {
      return rejected("expects at least one step", ["axes  \(axes)"])
    }
    let shape = [weights.directions.count] + (x.rank == 3 ? [batch] : []) + [settings.hidden]
    for state in states.compactMap({ $0 }) where state.shape != shape {
      return rejected("expects a state \(shape)", ["state \(state.shape)"])
    }
    if let lengths, lengths.shape != [batch] || !lengths.dtype.isInteger {
      return rejected(
        "expects lengths as integers [\(batch)], one a sequence",
        ["lengths \(lengths.shape) \(lengths.dtype.name)"])
    }
    return nil
  }
}
