/// What a recurrent layer does at each step.
package enum RecurrenceKind: Int, Sendable, Hashable {
  /// i, f, g, o: c' = f c + i g, h' = o tanh c'.
  case lstm
  /// r, z, n = tanh(x + r (U h + b)): h' = (1 − z) n + z h.
  case gru
  /// The same with n = tanh(x + U (r h)).
  case gruResetBefore
  /// h' = tanh(x + U h)
  case tanh
  /// h' = relu(x + U h)
  case relu

  package var gates: Int {
    switch self {
    case .lstm: 4
    case .gru, .gruResetBefore: 3
    case .tanh, .relu: 1
    }
  }

  package var isGRU: Bool { self == .gru || self == .gruResetBefore }
}

/// One direction of one recurrent layer over sequences: a composite, with a gradient that is a composite too.
///
/// Both give planes [batch, hidden] one after another, so that a backend can keep all that the gradient needs:
/// - states: h before the first step and after each, in the order of time (the start comes last if reversed). LSTM: c after all
///   steps, then c before the step at each time, then the gates [steps, batch, 4 hidden]. GRU: r, z, n and what r met,
///   U h + b or r h, as [steps, batch, 4 hidden].
/// - gradient: of the inputs, [steps, batch, gates · hidden]; GRU: of U h + b in n, [steps, batch, hidden]; of h, and of an LSTM's c,
///   before the first step.
package struct Recurrence: Sendable, Hashable {
  package var kind: RecurrenceKind
  package var isReversed: Bool
  package var steps: Int, batch: Int, hidden: Int
  package var hasLengths: Bool

  package init(
    _ kind: RecurrenceKind, isReversed: Bool, steps: Int, batch: Int, hidden: Int, hasLengths: Bool
  ) {
    (self.kind, self.isReversed, self.hasLengths) = (kind, isReversed, hasLengths)
    (self.steps, self.batch, self.hidden) = (steps, batch, hidden)
  }

  package init(attributes: [Scalar]) {
    let numbers = attributes.map { Int($0.int64) }
    self.init(
      RecurrenceKind(rawValue: numbers[0]) ?? .tanh, isReversed: numbers[1] != 0,
      steps: numbers[2], batch: numbers[3], hidden: numbers[4], hasLengths: numbers[5] != 0)
  }

  var attributes: [Scalar] {
    [kind.rawValue, isReversed ? 1 : 0, steps, batch, hidden, hasLengths ? 1 : 0].map {
      .integer(Int64($0))
    }
  }

  /// Where the arguments stand: the inputs' products [steps, batch, gates · hidden], the recurrent weights
  /// [gates · hidden, hidden], the bias [gates · hidden], a GRU's bias of U h in n [hidden], h and an LSTM's c before the first
  /// step [batch, hidden], lengths int64 [batch].
  package struct Places {
    package let inputs = 0, weights = 1, bias = 2
    package let newBias: Int?, hidden: Int, cell: Int?, lengths: Int?

    package init(_ recurrence: Recurrence) {
      newBias = recurrence.kind == .gru ? 3 : nil
      hidden = recurrence.kind == .gru ? 4 : 3
      cell = recurrence.kind == .lstm ? 4 : nil
      let hasFive = recurrence.kind == .gru || recurrence.kind == .lstm
      lengths = recurrence.hasLengths ? (hasFive ? 5 : 4) : nil
    }
  }

  /// Planes that stand before the gates; those a result is taken from come first.
  var isLSTM: Bool { kind == .lstm }
  var shownPlanes: Int { steps + (isLSTM ? 2 : 1) }
  private var gatePlane: Int { isLSTM ? 2 * steps + 2 : steps + 1 }
  private var statePlanes: Int { gatePlane + (kind.gates == 1 ? 0 : 4 * steps) }
  private var metPlane: Int { kind.gates * steps }
  private var startPlane: Int { metPlane + (kind == .gru ? steps : 0) }
  private var gradientPlanes: Int { startPlane + (isLSTM ? 2 : 1) }

  // MARK: Results

  /// h after each step [steps, batch, hidden], h at the end [batch, hidden], and an LSTM's c at the end.
  package func callAsFunction(_ arguments: [Tensor]) -> (
    output: Tensor, hidden: Tensor, cell: Tensor?
  ) {
    let states = Tensor.composite(
      .composite("recurrent", attributes) { self.states($0) }, arguments,
      [statePlanes, batch, hidden])
    let shown = states.narrowed(0, from: 0, to: shownPlanes)
    let result = Tensor.record(
      .call(call), [shown] + arguments + [states], shown.shape, shown.dtype)
    let first = isReversed ? 0 : 1
    return (
      result.narrowed(0, from: first, to: first + steps), plane(result, isReversed ? 0 : steps),
      isLSTM ? plane(result, steps + 1) : nil
    )
  }

  private func plane(_ planes: Tensor, _ number: Int) -> Tensor {
    planes.narrowed(0, from: number, to: number + 1).reshaped([batch, hidden])
  }

  /// The part of the states that results are taken from. Its gradient is the composite's; everything beyond goes through
  /// the primitives.
  private var call: Call {
    Call(
      "recurrentResult", attributes,
      vjp: { x, _, g in gradients(x, g) },
      jvp: { x, _, t in t[x.count - 1].map { $0.narrowed(0, from: 0, to: shownPlanes) } })
  }

  private func gradients(_ x: [Tensor], _ g: Tensor) -> [Tensor?] {
    let (places, states) = (Places(self), x[x.count - 1])
    let arguments = [g, states, x[places.weights]] + (places.lengths.map { [x[$0]] } ?? [])
    let all = Tensor.composite(
      .composite("recurrentGradient", attributes) { self.gradient($0) }, arguments,
      [gradientPlanes, batch, hidden])
    let rows = all.narrowed(0, from: 0, to: metPlane)
      .reshaped([steps * batch, kind.gates * hidden])
    let first = isReversed ? 1 : 0
    let before = states.narrowed(0, from: first, to: first + steps)
      .reshaped([steps * batch, hidden])
    var result = [Tensor?](repeating: nil, count: x.count)
    result[places.inputs] = rows.reshaped([steps, batch, kind.gates * hidden])
    result[places.bias] = rows.sum(axis: 0)
    result[places.hidden] = plane(all, startPlane)
    if let cell = places.cell { result[cell] = plane(all, startPlane + 1) }
    guard kind.isGRU else {
      result[places.weights] = rows.transposed().matmul(before)
      return result
    }
    let gates = rows.narrowed(1, from: 0, to: 2 * hidden).transposed().matmul(before)
    let new: Tensor
    if let place = places.newBias {
      let met = all.narrowed(0, from: metPlane, to: startPlane).reshaped([steps * batch, hidden])
      result[place] = met.sum(axis: 0)
      new = met.transposed().matmul(before)
    } else {
      let met = self.gates(of: states).narrowed(2, from: 3 * hidden, to: 4 * hidden)
        .reshaped([steps * batch, hidden])
      new = rows.narrowed(1, from: 2 * hidden, to: 3 * hidden).transposed().matmul(met)
    }
    result[places.weights] = Tensor.concatenated([gates, new])
    return result
  }
}

// MARK: In primitives

extension Recurrence {
  private var times: [Int] { isReversed ? (0..<steps).reversed() : Array(0..<steps) }

  private func gates(of states: Tensor) -> Tensor {
    states.narrowed(0, from: gatePlane, to: statePlanes).reshaped([steps, batch, 4 * hidden])
  }

  /// Element `t` along the first axis, without the axis.
  private func at(_ t: Int, _ x: Tensor) -> Tensor {
    x.narrowed(0, from: t, to: t + 1).reshaped(Array(x.shape.dropFirst()))
  }

  /// `count` gates of [batch, gates · hidden], from one on.
  private func gate(_ number: Int, _ x: Tensor, count: Int = 1) -> Tensor {
    x.narrowed(x.rank - 1, from: number * hidden, to: (number + count) * hidden)
  }

  /// Which rows take a step at time `t`, [batch, 1].
  private func isActive(_ t: Int, _ lengths: Tensor?) -> Tensor? {
    lengths.map { ($0 .> t).expandedDims(1) }
  }

  private func states(_ x: [Tensor]) -> Tensor {
    let places = Places(self)
    let (inputs, weights) = (x[places.inputs] + x[places.bias], x[places.weights])
    var (h, c) = (x[places.hidden], places.cell.map { x[$0] })
    var outputs = [h]
    var cells: [Int: Tensor] = [:]
    var gates: [Int: Tensor] = [:]
    for t in times {
      var step = self.step(at(t, inputs), weights, places.newBias.map { x[$0] }, h, c)
      if let active = isActive(t, places.lengths.map { x[$0] }) {
        step.h = active.select(step.h, h)
        if let old = c, let new = step.c { step.c = active.select(new, old) }
        step.gates = step.gates.map { active.select($0, Tensor.full(like: $0, 0)) }
      }
      (cells[t], gates[t]) = (c, step.gates)
      (h, c) = (step.h, step.c)
      outputs.append(h)
    }
    var planes = isReversed ? outputs.reversed() : outputs
    if let c { planes += [c] + (0..<steps).compactMap { cells[$0] } }
    let parts = planes.map { $0.expandedDims(0) }
    let kept = (0..<steps).compactMap { gates[$0] }.map { $0.reshaped([4, batch, hidden]) }
    return Tensor.concatenated(parts + kept)
  }

  private func step(_ x: Tensor, _ w: Tensor, _ newBias: Tensor?, _ h: Tensor, _ c: Tensor?)
    -> (h: Tensor, c: Tensor?, gates: Tensor?)
  {
    func product(_ first: Int, _ count: Int, _ h: Tensor) -> Tensor {
      h.matmul(w.narrowed(0, from: first * hidden, to: (first + count) * hidden), transposed: true)
    }
    switch kind {
    case .tanh: return ((x + product(0, 1, h)).tanh(), nil, nil)
    case .relu: return ((x + product(0, 1, h)).relu(), nil, nil)
    case .lstm:
      let sums = x + product(0, 4, h)
      let (i, f) = (gate(0, sums).sigmoid(), gate(1, sums).sigmoid())
      let (g, o) = (gate(2, sums).tanh(), gate(3, sums).sigmoid())
      let next = f * (c ?? h) + i * g
      return (o * next.tanh(), next, .concatenated([i, f, g, o], axis: 1))
    case .gru, .gruResetBefore:
      let sums = (gate(0, x, count: 2) + product(0, 2, h)).sigmoid()
      let (r, z) = (gate(0, sums), gate(1, sums))
      let met = kind == .gru ? product(2, 1, h) + (newBias ?? h) : r * h
      let n = (gate(2, x) + (kind == .gru ? r * met : product(2, 1, met))).tanh()
      return (n + z * (h - n), nil, .concatenated([r, z, n, met], axis: 1))
    }
  }

  /// Of (gradient of the planes shown, states, weights, lengths).
  private func gradient(_ x: [Tensor]) -> Tensor {
    let (g, states, weights) = (x[0], x[1], x[2])
    var dh = Tensor.full(like: plane(g, 0), 0)
    var dc = isLSTM ? plane(g, steps + 1) : dh
    var inputs: [Int: Tensor] = [:]
    var met: [Int: Tensor] = [:]
    for (number, t) in times.enumerated().reversed() {
      let step = Step(
        h: plane(states, isReversed ? t : t + 1), before: plane(states, isReversed ? t + 1 : t),
        gates: kind.gates == 1 ? [] : (0..<4).map { gate($0, at(t, gates(of: states))) },
        c: isLSTM ? cell(after: number, states) : nil,
        cBefore: isLSTM ? cell(after: number - 1, states) : nil)
      let total = dh + plane(g, isReversed ? t : t + 1)
      var slopes = self.slopes(step, weights, total, dc)
      if let active = isActive(t, hasLengths ? x[3] : nil) {
        let zero = Tensor.full([], .integer(0), dtype: g.dtype, device: g.device)
        func kept(_ x: Tensor) -> Tensor { active.select(x, zero) }
        slopes.inputs = kept(slopes.inputs)
        slopes.met = slopes.met.map(kept)
        slopes.dh = active.select(slopes.dh, total)
        slopes.dc = active.select(slopes.dc, dc)
      }
      (inputs[t], met[t]) = (slopes.inputs, slopes.met)
      (dh, dc) = (slopes.dh, slopes.dc)
    }
    let rows = (0..<steps).compactMap { inputs[$0]?.reshaped([kind.gates, batch, hidden]) }
    let others = (0..<steps).compactMap { met[$0]?.expandedDims(0) }
    let starts = [dh + plane(g, isReversed ? steps : 0)] + (isLSTM ? [dc] : [])
    return Tensor.concatenated(rows + others + starts.map { $0.expandedDims(0) })
  }

  /// c after the step of this number; before the first for −1.
  private func cell(after number: Int, _ states: Tensor) -> Tensor {
    plane(states, steps + 1 + (number == steps - 1 ? 0 : 1 + times[number + 1]))
  }

  private struct Step {
    var h: Tensor, before: Tensor, gates: [Tensor], c: Tensor?, cBefore: Tensor?
  }

  /// Gradients of the inputs and of U h + b in n, and what goes on to h and c before the step.
  private func slopes(_ step: Step, _ w: Tensor, _ dh: Tensor, _ dc: Tensor)
    -> (inputs: Tensor, met: Tensor?, dh: Tensor, dc: Tensor)
  {
    func back(_ slopes: [Tensor], from first: Int = 0) -> Tensor {
      Tensor.concatenated(slopes, axis: 1).matmul(
        w.narrowed(0, from: first * hidden, to: (first + slopes.count) * hidden))
    }
    switch kind {
    case .tanh, .relu:
      let slope =
        kind == .tanh ? dh * (1 - step.h * step.h) : dh * (step.h .> 0).cast(to: dh.dtype)
      return (slope, nil, back([slope]), dc)
    case .lstm:
      let (i, f, g, o) = (step.gates[0], step.gates[1], step.gates[2], step.gates[3])
      let squashed = (step.c ?? step.h).tanh()
      let dc = dc + dh * o * (1 - squashed * squashed)
      let slopes = [
        dc * g * i * (1 - i), dc * (step.cBefore ?? step.h) * f * (1 - f), dc * i * (1 - g * g),
        dh * squashed * o * (1 - o),
      ]
      return (.concatenated(slopes, axis: 1), nil, back(slopes), dc * f)
    case .gru, .gruResetBefore:
      let (r, z, n, met) = (step.gates[0], step.gates[1], step.gates[2], step.gates[3])
      let dn = dh * (1 - z) * (1 - n * n)
      let dz = dh * (step.before - n) * z * (1 - z)
      if kind == .gru {
        let slopes = [dn * met * r * (1 - r), dz, dn]
        let past = back([slopes[0], dz, dn * r])
        return (.concatenated(slopes, axis: 1), dn * r, dh * z + past, dc)
      }
      let product = back([dn], from: 2)
      let slopes = [product * step.before * r * (1 - r), dz]
      let past = dh * z + product * r + back(slopes)
      return (.concatenated(slopes + [dn], axis: 1), nil, past, dc)
    }
  }
}
