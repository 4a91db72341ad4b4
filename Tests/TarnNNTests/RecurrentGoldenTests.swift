import Tarn
import Testing

/// Recurrent layers and cells against PyTorch's: results, and all gradients.
@Suite struct RecurrentGoldenTests {
  /// A recurrent layer as a function of what its golden cases hold: results by name.
  private typealias Run<M: Module> = (M, _ x: Tensor, _ h: Tensor, _ c: Tensor?, _ lengths: Tensor?)
    -> [(name: String, tensor: Tensor)]

  private func check<M: Module>(_ name: String, _ made: M, _ run: Run<M>) throws {
    let goldens = try Goldens("recurrent")
    let model = try made.loading(Weights(goldens.all(name, "param."))).model
    let (x, h) = (try goldens(name, "input"), try goldens(name, "hidden0"))
    let c = goldens.optional(name, "cell0")
    let point = Pair(Pair(model, x), Pair(h, c))
    func results(_ point: Pair<Pair<M, Tensor>, Pair<Tensor, Tensor?>>)
      -> [(name: String, tensor: Tensor)]
    {
      run(
        point.first.first, point.first.second, point.second.first, point.second.second,
        goldens.optional(name, "lengths"))
    }
    let found = results(point)
    for result in found { expectClose(result.tensor, try goldens(name, result.name)) }
    // The gradient of Σ results · their gradients.
    let weights = try found.map { try goldens(name, "grad_\($0.name)") }
    let gradient = grad(
      { point in
        zip(results(point), weights).map { ($0.tensor * $1).sum() }.reduce(Tensor.zeros([]), +)
      }, at: point)
    expectClose(
      gradient.first.second, try goldens(name, "grad_input"), 2e-5, "gradient of the input")
    expectClose(
      gradient.second.first, try goldens(name, "grad_hidden0"), 2e-5, "gradient of hidden0")
    if let cell = gradient.second.second {
      expectClose(cell, try goldens(name, "grad_cell0"), 2e-5, "gradient of cell0")
    }
    let expected = goldens.all(name, "grad.")
    let parameters = gradient.first.first.parameters
    #expect(Set(parameters.map(\.name)) == Set(expected.map(\.name)))
    for (parameter, tensor) in parameters {
      expectClose(tensor, try goldens(name, "grad.\(parameter)"), 2e-5, "gradient of \(parameter)")
    }
  }

  private func lstm(_ name: String, _ layer: LSTM) throws {
    try check(name, layer) { layer, x, h, c, lengths in
      let state = c.map { LSTM.State(hidden: h, cell: $0) }
      let result = layer(x, from: state, lengths: lengths)
      return [
        ("output", result.output), ("hidden", result.state.hidden), ("cell", result.state.cell),
      ]
    }
  }

  private func gru(_ name: String, _ layer: GRU) throws {
    try check(name, layer) { layer, x, h, _, lengths in
      let result = layer(x, from: h, lengths: lengths)
      return [("output", result.output), ("hidden", result.state)]
    }
  }

  private func rnn(_ name: String, _ layer: RNN) throws {
    try check(name, layer) { layer, x, h, _, lengths in
      let result = layer(x, from: h, lengths: lengths)
      return [("output", result.output), ("hidden", result.state)]
    }
  }

  @Test(arguments: [Device.cpu, .reference]) func lstms(_ device: Device) throws {
    try Device.with(device) {
      try lstm("lstm", LSTM(3, 5))
      try lstm("lstm_nobias", LSTM(3, 5, bias: false))
      try lstm("lstm_2layers_bidirectional", LSTM(3, 5, layers: 2, bidirectional: true))
      try lstm("lstm_batchfirst", LSTM(3, 5, batchFirst: true))
      try lstm("lstm_2layers_bidirectional_lengths", LSTM(3, 5, layers: 2, bidirectional: true))
    }
  }

  @Test(arguments: [Device.cpu, .reference]) func grus(_ device: Device) throws {
    try Device.with(device) {
      try gru("gru", GRU(3, 5))
      try gru("gru_nobias", GRU(3, 5, bias: false))
      try gru("gru_2layers_bidirectional", GRU(3, 5, layers: 2, bidirectional: true))
      try gru("gru_bidirectional_lengths", GRU(3, 5, bidirectional: true))
    }
  }

  @Test(arguments: [Device.cpu, .reference]) func rnns(_ device: Device) throws {
    try Device.with(device) {
      try rnn("rnn_tanh_2layers", RNN(3, 5, layers: 2))
      try rnn("rnn_relu_bidirectional", RNN(3, 5, nonlinearity: .relu, bidirectional: true))
      try rnn("rnn_tanh_bidirectional_lengths", RNN(3, 5, bidirectional: true))
    }
  }

  @Test func cells() throws {
    try check("lstmcell", LSTMCell(3, 5)) { cell, x, h, c, _ in
      let state = cell(x, from: c.map { (hidden: h, cell: $0) })
      return [("hidden", state.hidden), ("cell", state.cell)]
    }
    try check("grucell", GRUCell(3, 5)) { cell, x, h, _, _ in [("hidden", cell(x, from: h))] }
    try check("rnncell", RNNCell(3, 5)) { cell, x, h, _, _ in [("hidden", cell(x, from: h))] }
    try check("rnncell_relu", RNNCell(3, 5, nonlinearity: .relu)) { cell, x, h, _, _ in
      [("hidden", cell(x, from: h))]
    }
  }
}
