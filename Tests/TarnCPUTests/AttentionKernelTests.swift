import CTarnKernels
import Tarn
import TarnCore
import Testing

/// Attention of the CPU against the primitives on the reference device, and what it promises besides.
@Suite struct AttentionKernelTests {
  /// Lengths that fill vectors, tiles and blocks, and lengths that do not.
  struct Problem: Sendable, CustomTestStringConvertible {
    var front: [Int], queries: Int, keys: Int, width: Int, depth: Int
    var isCausal = false, mask = Mask.none
    enum Mask: Sendable { case none, truth, padding, added, perHead }

    var testDescription: String {
      "\(front) \(queries)×\(keys) of \(width), \(depth)\(isCausal ? ", causal" : ""), \(mask)"
    }

    private func numbers(_ shape: [Int], _ seed: UInt64) -> Tensor {
      Tensor.normal(shape, key: RandomKey(seed: seed)).evaluate()
    }

    var tensors: [Tensor] {
      [
        numbers(front + [queries, width], 1), numbers(front + [keys, width], 2),
        numbers(front + [keys, depth], 3),
      ]
    }

    var gradient: Tensor { numbers(front + [queries, depth], 4) }

    var maskTensor: Tensor? {
      switch mask {
      case .none: nil
      case .truth: numbers([queries, keys], 5) .> -0.3
      case .padding: numbers([front[0]] + front.dropFirst().map { _ in 1 } + [1, keys], 5) .> -0.5
      case .added: numbers([queries, keys], 5)
      case .perHead: numbers(front.dropLast().map { _ in 1 } + [front.last ?? 1, 1, keys], 5)
      }
    }

    func output(_ x: [Tensor], _ mask: Tensor?) -> Tensor {
      Tensor.attention(x[0], x[1], x[2], mask: mask, isCausal: isCausal)
    }
  }

  private static let problems: [Problem] = [
    Problem(front: [1, 1], queries: 1, keys: 1, width: 1, depth: 1),
    Problem(front: [2, 3], queries: 7, keys: 7, width: 5, depth: 5, isCausal: true),
    Problem(front: [2, 3], queries: 33, keys: 50, width: 17, depth: 9, isCausal: true),
    Problem(front: [3, 4], queries: 64, keys: 64, width: 32, depth: 32, isCausal: true),
    Problem(front: [1, 2], queries: 37, keys: 230, width: 8, depth: 33),
    Problem(front: [1, 9], queries: 113, keys: 113, width: 16, depth: 16, isCausal: true),
    Problem(front: [2, 2], queries: 40, keys: 130, width: 33, depth: 12, mask: .truth),
    Problem(front: [2, 5], queries: 18, keys: 121, width: 12, depth: 31, mask: .padding),
    Problem(front: [2, 2], queries: 21, keys: 34, width: 6, depth: 7, mask: .added),
    Problem(front: [3, 3], queries: 16, keys: 49, width: 32, depth: 32, mask: .perHead),
    Problem(
      front: [2, 2], queries: 20, keys: 34, width: 6, depth: 7, isCausal: true, mask: .added),
    Problem(
      front: [2, 2], queries: 20, keys: 34, width: 6, depth: 7, isCausal: true, mask: .truth),
    Problem(front: [1, 4], queries: 1, keys: 100, width: 32, depth: 32, mask: .padding),
    Problem(front: [2, 2], queries: 3, keys: 115, width: 20, depth: 10, isCausal: true),
    Problem(front: [], queries: 6, keys: 9, width: 4, depth: 5),
    Problem(front: [3], queries: 6, keys: 9, width: 4, depth: 5, mask: .padding),
    Problem(front: [2, 2, 3], queries: 6, keys: 9, width: 4, depth: 5),
  ]

  private func isClaimed(_ problem: Problem) -> Bool {
    let rule = AttentionRule(
      isCausal: problem.isCausal, hasMask: problem.mask != .none, scale: 1)
    let x = problem.tensors.map {
      let shape = [Int](repeating: 1, count: max(0, 4 - $0.rank)) + $0.shape.suffix(4)
      return $0.reshaped(shape.count == $0.rank ? $0.shape : shape)
    }
    let mask = problem.maskTensor.map {
      $0.reshaped([Int](repeating: 1, count: 4 - $0.rank) + $0.shape)
    }
    return rule.claimed(x + (mask.map { [$0] } ?? [])) != nil
  }

  @Test(arguments: problems.filter { $0.front.count == 2 })
  func theCPUHasIt(_ problem: Problem) { #expect(isClaimed(problem)) }

  @Test(arguments: problems) func agreesWithThePrimitives(_ problem: Problem) {
    func results() -> [Tensor] {
      let (x, mask, g) = (problem.tensors, problem.maskTensor, problem.gradient)
      let y = problem.output(x, mask)
      #expect(y.shape == problem.front + [problem.queries, problem.depth])
      return [y] + grad({ (problem.output($0, mask) * g).sum() }, at: x)
    }
    let expected = Device.with(.reference) { results().map { $0.array(of: Float.self) } }
    for (number, pair) in zip(results(), expected).enumerated() {
      let found = pair.0.array(of: Float.self)
      #expect(found.count == pair.1.count)
      let error = zip(found, pair.1).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      #expect(error < 2e-5, "\(number)")
      #expect(!found.contains { $0.isNaN })
    }
  }

  @Test func theGradientOfAnAddedMask() {
    func results() -> [Float] {
      let problem = Problem(
        front: [2, 3], queries: 9, keys: 14, width: 4, depth: 4, mask: .perHead)
      let (x, g) = (problem.tensors, problem.gradient)
      let mask = problem.maskTensor ?? g
      return grad({ (problem.output(x, $0) * g).sum() }, at: mask).array(of: Float.self)
    }
    let expected = Device.with(.reference) { results() }
    #expect(zip(results(), expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  // MARK: Heads beside one another

  @Test(arguments: [(2, 3, 21, 7, false), (1, 4, 64, 32, true), (2, 2, 1, 8, true)])
  func packedHeads(batch: Int, heads: Int, places: Int, width: Int, isCausal: Bool) {
    let shape = [batch, places, 3 * heads * width]
    func results(_ mask: Tensor?) -> [[Float]] {
      let x = Tensor.normal(shape, key: RandomKey(seed: 1))
      let g = Tensor.normal([batch, places, heads * width], key: RandomKey(seed: 2))
      func output(_ x: Tensor) -> Tensor {
        Tensor.selfAttention(x, heads: heads, mask: mask, isCausal: isCausal)
      }
      let gradient = grad({ (output($0) * g).sum() }, at: x)
      return [output(x).array(of: Float.self), gradient.array(of: Float.self)]
    }
    for isMasked in [false, true] {
      func mask() -> Tensor? {
        isMasked ? Tensor.normal([places, places], key: RandomKey(seed: 3)) : nil
      }
      let expected = Device.with(.reference) { results(mask()) }
      for (a, b) in zip(results(mask()), expected) {
        #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 2e-5 })
      }
    }
  }

  @Test func viewsOfQueriesKeysAndValues() {
    let x = Tensor.normal([2, 11, 4, 3, 6], key: RandomKey(seed: 1)).evaluate()
    func part(_ number: Int) -> Tensor {
      x[0..., 0..., 0..., number].permuted(0, 2, 1, 3)
    }
    let plain = (0..<3).map { part($0).evaluate() }
    let expected = Tensor.attention(plain[0], plain[1], plain[2], isCausal: true)
    let found = Tensor.attention(part(0), part(1), part(2), isCausal: true)
    #expect(found.bytes() == expected.bytes())
    // A batch that repeats, turned keys, and values that are rows of something wider.
    let one = Tensor.attention(plain[0], plain[1][0..<1], plain[2].flipped(3), isCausal: true)
    let keys = plain[1][0..<1].broadcast(to: plain[1].shape).evaluate()
    let values = plain[2].flipped(3).evaluate()
    #expect(
      one.bytes() == Tensor.attention(plain[0], keys, values, isCausal: true).bytes())
  }

  // MARK: Other derivatives

  @Test func secondDerivatives() {
    func results() -> [[Float]] {
      let problem = Problem(front: [2, 2], queries: 5, keys: 6, width: 3, depth: 4, isCausal: true)
      let (x, g) = (problem.tensors, problem.gradient)
      let along = x.map { $0.sin().evaluate() }
      let loss: ([Tensor]) -> Tensor = { (problem.output($0, nil).tanh() * g).sum() }
      let forwards = hvp(loss, at: x, along: along)
      let backwards = grad({ dot(grad(loss, at: $0), along) }, at: x)
      let tangent = jvp({ problem.output($0, nil) }, at: x, along: along).tangent
      return (forwards + backwards + [tangent]).map { $0.array(of: Float.self) }
    }
    let expected = Device.with(.reference) { results() }
    for (a, b) in zip(results(), expected) {
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 * max(1, abs($1)) })
    }
    let found = results()
    for i in 0..<3 { #expect(zip(found[i], found[3 + i]).allSatisfy { abs($0 - $1) < 1e-4 }) }
  }

  @Test func batchesOfExamples() {
    let problem = Problem(front: [2, 2], queries: 5, keys: 6, width: 3, depth: 4, isCausal: true)
    let x = problem.tensors
    let many = (0..<3).map { number in x.map { $0 * (1 + 0.3 * Double(number)) } }
    let stacked = (0..<3).map { part in Tensor.stacked(many.map { $0[part] }, axis: 0) }
    let loss: @Sendable ([Tensor]) -> Tensor = { problem.output($0, nil).squared().sum() }
    let found = vmap(over: stacked) { grad(loss, at: $0) }
    for number in 0..<3 {
      for (all, one) in zip(found, grad(loss, at: many[number])) {
        let pairs = zip(all[number].array(of: Float.self), one.array(of: Float.self))
        #expect(pairs.allSatisfy { abs($0 - $1) < 1e-4 * max(1, abs($1)) })
      }
    }
  }

  // MARK: Ends

  @Test func aQueryThatMayLookAtNothing() {
    let x = (1...3).map { Tensor.normal([2, 2, 40, 8], key: RandomKey(seed: $0)) }
    let mask = (Tensor.arange(40) .!= 35).reshaped([40, 1])
    let loss: ([Tensor]) -> Tensor = { Tensor.attention($0[0], $0[1], $0[2], mask: mask).sum() }
    let y = Tensor.attention(x[0], x[1], x[2], mask: mask)
    #expect(y[0..., 0..., 35].array(of: Float.self).allSatisfy { $0 == 0 })
    #expect(y[0..., 0..., 34].array(of: Float.self).allSatisfy { $0 != 0 })
    let gradient = grad(loss, at: x)
    #expect(gradient.allSatisfy { !$0.array(of: Float.self).contains { $0.isNaN } })
    #expect(gradient[0][0..., 0..., 35].array(of: Float.self).allSatisfy { $0 == 0 })
    let first = Tensor.attention(x[0][0..., 0..., 35...35], x[1], x[2], mask: mask[35...35])
    #expect(first.array(of: Float.self).allSatisfy { $0 == 0 })
  }

  @Test func infiniteMasks() {
    let x = (1...3).map { Tensor.normal([1, 2, 12, 8], key: RandomKey(seed: $0)) }
    let seen = Tensor.arange(12) .< 5
    let added = which(seen, Tensor.zeros([12]), -Double.infinity)
    let expected = Tensor.attention(x[0], x[1], x[2], mask: seen).array(of: Float.self)
    let found = Tensor.attention(x[0], x[1], x[2], mask: added).array(of: Float.self)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    // As with the primitives, a softmax of nothing.
    let none = Tensor.full([12], -Double.infinity)
    let nothing = Tensor.attention(x[0], x[1], x[2], mask: none).array(of: Float.self)
    #expect(nothing.allSatisfy { $0.isNaN })
  }

  @Test func whatIsNotANumberStaysWhereItIs() {
    var numbers = (0..<2 * 20 * 4).map { Float($0 % 7) * 0.1 }
    numbers[4 * 3] = .nan
    numbers[4 * 25] = .infinity
    let q = Tensor(numbers).reshaped([1, 2, 20, 4])
    let x = Tensor.normal([1, 2, 20, 4], key: RandomKey(seed: 1))
    let rows = Tensor.attention(q, x, x).reshaped([40, 4])
    for row in 0..<40 {
      let hasNaN = rows[row].array(of: Float.self).contains { $0.isNaN }
      #expect(hasNaN == (row == 3 || row == 25), "row \(row)")
    }
  }

  @Test func largeScoresDoNotOverflow() {
    let x = Tensor.normal([1, 2, 50, 8], key: RandomKey(seed: 1)) * 300
    let y = Tensor.attention(x, x, x)
    #expect(!y.array(of: Float.self).contains { !$0.isFinite })
    #expect((y.abs() .<= x.abs().max() * 1.0001).all().item(as: Bool.self))
  }

  @Test func nothingAtAll() {
    for (front, queries, keys) in [([0, 2], 3, 4), ([2, 0], 3, 4), ([1, 2], 0, 4)] {
      let q = Tensor.zeros(front + [queries, 5]), k = Tensor.zeros(front + [keys, 5])
      #expect(Tensor.attention(q, k, k).array(of: Float.self).isEmpty)
    }
  }

  @Test func otherTypesGoThroughThePrimitives() {
    let x = (1...3).map { Tensor.normal([1, 2, 5, 4], key: RandomKey(seed: $0), dtype: .float64) }
    let y = Tensor.attention(x[0], x[1], x[2], isCausal: true)
    let narrow = x.map { $0.cast(to: .float32) }
    let z = Tensor.attention(narrow[0], narrow[1], narrow[2], isCausal: true)
    #expect(y.dtype == .float64)
    let pairs = zip(y.array(of: Double.self), z.array(of: Float.self))
    #expect(pairs.allSatisfy { abs($0 - Double($1)) < 1e-5 })
  }

  @Test(arguments: problems.filter { $0.front.count == 2 })
  func theSameBitsAtAnyThreadCount(_ problem: Problem) {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    let (x, mask, g) = (problem.tensors, problem.maskTensor, problem.gradient)
    var first: [[UInt8]]?
    for threads: Int32 in [1, 2, 3] {
      tarn_set_threads(threads)
      let gradients = grad({ (problem.output($0, mask) * g).sum() }, at: x)
      let bits = ([problem.output(x, mask)] + gradients).map { $0.bytes() }
      #expect(first == nil || first == bits, "\(threads) threads")
      first = first ?? bits
    }
  }
}
