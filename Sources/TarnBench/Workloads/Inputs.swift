import Tarn

/// Random numbers that are there already: normal, of this shape, other ones for each `seed`.
func random(_ shape: Int..., seed: UInt64 = 1) -> Tensor {
  .normal(shape, key: RandomKey(seed: seed)).evaluate()
}

/// Random labels.
func labels(_ count: Int, of classes: Int, seed: UInt64 = 1) -> Tensor {
  .randomIntegers([count], in: 0..<classes, key: RandomKey(seed: seed)).evaluate()
}

/// In billions.
func giga(_ count: Int) -> Double { Double(count) / 1e9 }

/// What a training step learns from.
typealias Examples = Pair<Tensor, Tensor>

/// Batches of random numbers with random labels.
func batches(_ count: Int, _ shape: Int..., classes: Int) -> [Examples] {
  (1...count).map { number in
    let seed = UInt64(number)
    let x = Tensor.normal(shape, key: RandomKey(seed: seed)).evaluate()
    return Pair(x, labels(shape[0], of: classes, seed: seed))
  }
}
