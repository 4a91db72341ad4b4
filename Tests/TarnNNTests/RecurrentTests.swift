import Tarn
import Testing

private func normal(_ shape: [Int], seed: UInt64 = 5, dtype: DType = .float32) -> Tensor {
  Tensor.normal(shape, key: RandomKey(seed: seed), dtype: dtype)
}

@Suite struct RecurrentTests {
  /// Widths that fill vectors and tiles and widths that do not: the kernels against the primitives, in double precision.
  @Test(arguments: [(3, 70, 37), (2, 20, 64), (5, 3, 130)]) func kernels(
    _ steps: Int, _ batch: Int, _ hidden: Int
  ) {
    let lengths = Tensor((0..<batch).map { 1 + $0 % steps })
    func expectSame<L: Layer>(
      _ layer: L, _ run: @escaping @Sendable (L, Tensor, Tensor?) -> Tensor
    ) {
      let x = normal([steps, batch, 4])
      for lengths in [nil, lengths] {
        func gradient(_ dtype: DType) -> Pair<L, Tensor> {
          let point = Pair(layer.cast(to: dtype), x.cast(to: dtype))
          return grad({ run($0.first, $0.second, lengths).squared().sum() / batch }, at: point)
        }
        let (single, double) = (gradient(.float32), gradient(.float64))
        for (a, b) in zip(single.tensors(.trainable), double.tensors(.trainable)) {
          expectClose(a, b, 5e-5, "\(layer) \(steps) \(batch) \(hidden)")
        }
      }
    }
    expectSame(LSTM(4, hidden, bidirectional: true)) { $0($1, from: nil, lengths: $2).output }
    expectSame(GRU(4, hidden, bidirectional: true)) { $0($1, from: nil, lengths: $2).output }
    expectSame(GRU(4, hidden, bidirectional: true, resetBefore: true)) {
      $0($1, from: nil, lengths: $2).output
    }
    expectSame(RNN(4, hidden, bidirectional: true)) { $0($1, from: nil, lengths: $2).output }
    expectSame(RNN(4, hidden, nonlinearity: .relu)) { $0($1, from: nil, lengths: $2).output }
  }

  /// A sequence in two parts, the second from the state after the first, is the sequence as a whole.
  @Test func statesGoOn() {
    let x = normal([6, 2, 3])
    let lstm = LSTM(3, 4, layers: 2)
    let (whole, end) = lstm(x, from: nil)
    let (first, middle) = lstm(x[..<4], from: nil)
    let (second, last) = lstm(x[4...], from: middle)
    expectClose(Tensor.concatenated([first, second]), whole)
    expectClose(last.cell, end.cell)
    expectClose(last.hidden, end.hidden)
    let gru = GRU(3, 4, resetBefore: true)
    let after = gru(x[..<4], from: nil).state
    expectClose(gru(x[4...], from: after).output, gru(x)[4...])
  }

  /// char-rnn's form of a GRU, by its formula.
  @Test func resetBefore() {
    let gru = GRU(3, 4, resetBefore: true)
    let (x, h) = (normal([1, 2, 3]), normal([1, 2, 4], seed: 6))
    let w = gru.weights.directions[0]
    func rows(_ gate: Int, _ tensor: Tensor) -> Tensor { tensor[(4 * gate)..<(4 * gate + 4)] }
    func sum(_ gate: Int, _ h: Tensor) -> Tensor {
      x[0].matmul(rows(gate, w.inputWeight), transposed: true) + rows(gate, w.inputBias ?? x)
        + h.matmul(rows(gate, w.hiddenWeight), transposed: true) + rows(gate, w.hiddenBias ?? x)
    }
    let (r, z) = (sum(0, h[0]).sigmoid(), sum(1, h[0]).sigmoid())
    let n = sum(2, r * h[0]).tanh()
    expectClose(gru(x, from: h).state[0], (1 - z) * n + z * h[0])
  }

  @Test func sameBitsAtAnyNumberOfThreads() {
    let layer = LSTM(8, 96, layers: 2)
    let x = normal([10, 50, 8])
    func bits() -> [Float] {
      let gradient = grad({ $0(x).squared().sum() }, at: layer)
      return gradient.tensors(.trainable).flatMap { $0.array(of: Float.self) }
    }
    let before = Machine.threads
    defer { Machine.threads = before }
    Machine.threads = 1
    let alone = bits()
    for count in [2, 3, 5] {
      Machine.threads = count
      #expect(bits() == alone, "\(count) threads")
    }
  }

  @Test func secondOrderInSinglePrecision() {
    let layer = LSTM(2, 3)
    let x = normal([3, 2, 2])
    func sharpness(_ dtype: DType) -> LSTM {
      grad(
        { layer in
          let g = grad({ $0(x.cast(to: dtype)).squared().sum() }, at: layer)
          return dot(g, g)
        }, at: layer.cast(to: dtype))
    }
    let (single, double) = (sharpness(.float32), sharpness(.float64))
    for (a, b) in zip(single.parameters, double.parameters) {
      expectClose(a.tensor, b.tensor, 1e-4, a.name)
    }
  }

  @Test func mapped() {
    let layer = LSTM(2, 3)
    let x = normal([4, 3, 2, 2])
    let rows = vmap(over: x) { layer($0) }
    for i in 0..<4 { expectClose(rows[i], layer(x[i])) }
  }

  @Test func namesAreTorchs() {
    let names = LSTM(2, 3, layers: 2, bidirectional: true).parameters.map(\.name)
    let base = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    #expect(
      names
        == ["_l0", "_l0_reverse", "_l1", "_l1_reverse"].flatMap { end in base.map { $0 + end } })
    #expect(GRUCell(2, 3).parameters.map(\.name) == base)
    #expect(LSTM(65, 128, layers: 2).parameterCount == 231_936)
  }

  @Test func singleSequences() {
    let layer = GRU(3, 4, bidirectional: true)
    let x = normal([5, 3])
    let (y, state) = layer(x, from: nil)
    #expect(y.shape == [5, 8])
    #expect(state.shape == [2, 4])
    expectClose(y, layer(x.expandedDims(1)).squeezed(1))
    #expect(LSTMCell(3, 4)(x[0]).hidden.shape == [4])
  }

  @Test func mistakesAreNamed() throws {
    let layer = LSTM(3, 4)
    func text(_ body: () -> Void) -> String {
      do { try Diagnostic.catching(body) } catch { return "\(error)" }
      return ""
    }
    #expect(text { _ = layer(.zeros([5, 2, 7])) }.contains("last axis to be 3"))
    #expect(text { _ = layer(.zeros([5, 2], dtype: .int64)) }.contains("oneHot(3)"))
    #expect(text { _ = layer(.zeros([5, 2, 1, 3])) }.contains("[steps, batch, inputs]"))
    #expect(
      text { _ = layer(.zeros([5, 2, 3]), from: nil, lengths: .zeros([2])) }.contains("lengths"))
    let wrong = LSTM.State(hidden: .zeros([1, 1, 4]), cell: .zeros([1, 1, 4]))
    #expect(text { _ = layer(.zeros([5, 2, 3]), from: wrong) }.contains("state [1, 2, 4]"))
    #expect(text { _ = GRUCell(3, 4)(.zeros([2, 5])) }.contains("[batch, 3]"))
  }
}
