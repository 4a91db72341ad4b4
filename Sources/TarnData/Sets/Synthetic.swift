import Foundation
import TarnCore

/// Made-up data of known shape, the same everywhere for the same seed.
///
/// All give features `float32`, [count, dimensions], and class labels `int64`, [count], in random
/// order.
///
/// ```swift
/// let moons = Synthetic.moons(500, noise: 0.1, seed: 0)
/// let (train, test) = moons.split(fraction: 0.8, seed: 1)
/// ```
public enum Synthetic {
  /// Points on a line or plane: y = w·x + b + noise, x uniform in [-1, 1).
  /// - Parameters:
  ///   - weights: w, one for each feature.
  ///   - noise: deviation of the normal noise.
  /// - Returns: labels are `float32`, [count, 1].
  public static func linear(
    _ count: Int, weights: [Double] = [2], bias: Double = 1, noise: Double = 0.1, seed: UInt64
  ) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    var (features, labels): ([Float], [Float]) = ([], [])
    for _ in 0..<max(0, count) {
      let x = weights.map { _ in generator.uniform(from: -1, to: 1) }
      let y = zip(weights, x).reduce(bias) { $0 + $1.0 * $1.1 } + noise * generator.normal()
      features += x.map { Float($0) }
      labels.append(Float(y))
    }
    return TensorSource(
      features: Tensor(features, shape: [labels.count, weights.count]),
      labels: Tensor(labels, shape: [labels.count, 1]))
  }

  /// Round clouds of normal points about centres, one a class.
  /// - Parameter centres: nil: `classes` centres drawn uniformly from [-10, 10) in each of two
  ///   dimensions.
  public static func blobs(
    _ count: Int, classes: Int = 3, centres: [[Double]]? = nil, deviation: Double = 1, seed: UInt64
  ) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    let centres =
      centres
      ?? (0..<max(1, classes)).map { _ in
        [generator.uniform(from: -10, to: 10), generator.uniform(from: -10, to: 10)]
      }
    return points(count, classes: centres.count, &generator) { label, _, generator in
      centres[label].map { $0 + deviation * generator.normal() }
    }
  }

  /// Two half circles, one hooked into the other.
  public static func moons(_ count: Int, noise: Double = 0.1, seed: UInt64) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    return points(count, classes: 2, &generator) { label, share, generator in
      let angle = Double.pi * share
      let point =
        label == 0 ? [cos(angle), sin(angle)] : [1 - cos(angle), 0.5 - sin(angle)]
      return point.map { $0 + noise * generator.normal() }
    }
  }

  /// Two circles about the origin, the outer of radius 1 (class 0), the inner of radius `factor`
  /// (class 1).
  public static func circles(
    _ count: Int, factor: Double = 0.5, noise: Double = 0.05, seed: UInt64
  ) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    return points(count, classes: 2, &generator) { label, share, generator in
      let (angle, radius) = (2 * Double.pi * share, label == 0 ? 1 : factor)
      return [radius * cos(angle), radius * sin(angle)].map { $0 + noise * generator.normal() }
    }
  }

  /// Arms wound about the origin, one a class; the noise grows outwards no more than elsewhere.
  public static func spirals(
    _ count: Int, classes: Int = 2, turns: Double = 1.5, noise: Double = 0.02, seed: UInt64
  ) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    return points(count, classes: max(1, classes), &generator) { label, share, generator in
      let radius = 0.05 + 0.95 * share
      let angle = 2 * Double.pi * (turns * share + Double(label) / Double(max(1, classes)))
      return [radius * cos(angle), radius * sin(angle)].map { $0 + noise * generator.normal() }
    }
  }

  /// Points uniform in the square [-1, 1)², of class 1 where the signs of the coordinates differ.
  public static func xor(_ count: Int, noise: Double = 0, seed: UInt64) -> TensorSource {
    var generator = SeededGenerator(seed: seed)
    return points(count, classes: 4, &generator) { quadrant, _, generator in
      let x = generator.uniform() * (quadrant & 1 == 0 ? 1 : -1)
      let y = generator.uniform() * (quadrant & 2 == 0 ? 1 : -1)
      return [x, y].map { $0 + noise * generator.normal() }
    } label: {
      ($0 & 1) ^ ($0 >> 1)
    }
  }

  /// Points of each group in turn, then all in random order. `place` gets the group, how far along
  /// its points this one is (0…1), and the generator.
  static func points(
    _ count: Int, classes: Int, _ generator: inout SeededGenerator,
    place: (Int, Double, inout SeededGenerator) -> [Double],
    label: (Int) -> Int = { $0 }
  ) -> TensorSource {
    var rows: [(point: [Double], label: Int)] = []
    for group in 0..<classes {
      let size = (max(0, count) + classes - 1 - group) / classes
      for i in 0..<size {
        let share = size > 1 ? Double(i) / Double(size - 1) : 0
        rows.append((place(group, share, &generator), label(group)))
      }
    }
    generator.shuffle(&rows)
    let width = rows.first?.point.count ?? 2
    return TensorSource(
      features: Tensor(rows.flatMap { $0.point.map { Float($0) } }, shape: [rows.count, width]),
      labels: Tensor(rows.map { Int64($0.label) }))
  }
}
