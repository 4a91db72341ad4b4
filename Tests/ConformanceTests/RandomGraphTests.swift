import Tarn
import Testing
import _TarnTestKit

/// Graphs made by chance, run as one plan: fusion, views and memory sharing must not change a value.
@Suite struct RandomGraphTests {
  /// A graph over square matrices and vectors, grown by `count` operations, every value bounded.
  private func results(seed: UInt64, count: Int) -> [Tensor] {
    var generator = SeededGenerator(seed: seed)
    func pick(_ bound: Int) -> Int { generator.integer(below: bound) }
    let n = 3 + pick(60)
    func data(_ salt: Int) -> Tensor {
      Tensor((0..<(n * n)).map { Double(($0 * 37 + salt * 11) % 101) / 50 - 1 }, shape: [n, n])
    }
    var pool = (0..<3).map { data($0).evaluate() }
    for step in 0..<count {
      let a = pool[pick(pool.count)]
      let b = pool[pick(pool.count)]
      let next: Tensor =
        switch pick(14) {
        case 0: a + b
        case 1: a * b
        case 2: a - 0.375 * b
        case 3: a.tanh()
        case 4: a.transposed()
        case 5: a.matmul(b) / Double(n)
        case 6: a.transposed().matmul(b) / Double(n)
        case 7: a - a.mean(pick(2), keepDims: true)
        case 8: a.flipped([pick(2)])
        case 9: which(a .> b, a, b * 0.5)
        case 10: a[1..., .all].padded([(0, 1), (0, 0)])
        case 11: .concatenated([a[0..<1, .all], b[1..., .all]], axis: 0)
        case 12: a.reshaped(n * n).flipped([0]).reshaped(n, n).relu()
        default: a.softmax(axis: pick(2))
        }
      pool.append(step % 5 == 0 ? next.clamped(min: -4, max: 4) : next.tanh())
    }
    var chosen = [pool[pool.count - 1]]
    for _ in 0..<3 { chosen.append(pool[pick(pool.count)]) }
    return chosen + [grad({ ($0 * chosen[0]).sum().tanh() }, at: data(9))]
  }

  @Test(arguments: 0..<60) func theCPUAgreesWithTheReference(_ seed: Int) {
    func run(_ device: Device) -> [[Double]] {
      Device.with(device) {
        let tensors = results(seed: UInt64(seed), count: 10 + seed)
        Tensor.evaluate(tensors)
        return tensors.map { $0.array(of: Double.self) }
      }
    }
    let (found, expected) = (run(.cpu), run(.reference))
    for (a, b) in zip(found, expected) {
      let worst = zip(a, b).map { Swift.abs($0 - $1) }.max() ?? 0
      #expect(worst < 1e-9, "seed \(seed)")
    }
  }
}
