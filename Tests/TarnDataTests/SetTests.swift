import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct DigitsTests {
  @Test func theSetIsWhole() {
    let (images, labels) = Digits.load()
    #expect(images.shape == [1797, 1, 8, 8] && images.dtype == .float32)
    #expect(labels.shape == [1797] && labels.dtype == .int64)
    let pixels = images.array(of: Double.self)
    // Counts, total and first row as scikit-learn's load_digits gives them.
    #expect(pixels.reduce(0, +) * 16 == 561_718)
    #expect(pixels.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(pixels[..<8].map { $0 * 16 } == [0, 0, 5, 13, 9, 1, 0, 0])
    var counts = [Int](repeating: 0, count: 10)
    for label in labels.array(of: Int.self) { counts[label] += 1 }
    #expect(counts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
  }

  @Test func theUsualSplit() throws {
    let (train, test) = Digits.split()
    #expect(train.count + test.count == 1797)
    #expect(abs(test.count - 359) <= 5)
    #expect(Set(train.indices).isDisjoint(with: test.indices))
    let labels = try test.all().labels.array(of: Int.self)
    for digit in 0...9 { #expect(abs(labels.count { $0 == digit } - 36) <= 1) }
  }
}

@Suite struct MNISTTests {
  /// A small set in MNIST's form.
  static func write(to folder: TemporaryFolder, dash: String, end: String, labels: Int = 3) throws {
    for part in ["train", "t10k"] {
      let pixels = (0..<(3 * 784)).map { UInt8(truncatingIfNeeded: $0) }
      try IDX.write(
        Tensor(pixels, shape: [3, 28, 28]), to: folder.file("\(part)-images\(dash)idx3-ubyte\(end)")
      )
      try IDX.write(
        Tensor((0..<labels).map { UInt8($0 % 10) }),
        to: folder.file("\(part)-labels\(dash)idx1-ubyte\(end)"))
    }
  }

  @Test(arguments: ["-", "."], ["", ".gz"])
  func namesOfTheFiles(dash: String, end: String) throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder, dash: dash, end: end)
    let mnist = try MNIST(folder: folder.url)
    let batch = try mnist.train.batch(at: [2, 0])
    #expect(batch.features.shape == [2, 1, 28, 28] && batch.features.dtype == .float32)
    #expect(batch.labels.array(of: Int.self) == [2, 0])
    #expect(abs(batch.features.array(of: Float.self)[784 + 51] - 0.2) < 1e-6)
  }

  @Test func whatIsMissingOrWrong() throws {
    let folder = try TemporaryFolder()
    expectDataError(
      .missing, "train-images-idx3-ubyte", "train-images.idx3-ubyte.gz", "dataset-fashion-mnist"
    ) { _ = try MNIST(folder: folder.url) }
    try Self.write(to: folder, dash: "-", end: "", labels: 4)
    expectDataError(.invalid, "4 labels for the 3 pictures") { _ = try MNIST(folder: folder.url) }
    try Self.write(to: folder, dash: "-", end: "")
    try IDX.write(
      Tensor([UInt8](repeating: 0, count: 12), shape: [3, 2, 2]),
      to: folder.file("train-images-idx3-ubyte"))
    expectDataError(.invalid, "[3, 2, 2]", "28, 28") { _ = try MNIST(folder: folder.url) }
    try Self.write(to: folder, dash: "-", end: "")
    try IDX.write(Tensor([1, 2, 11] as [UInt8]), to: folder.file("train-labels-idx1-ubyte"))
    expectDataError(.invalid, "label 2 is 11") { _ = try MNIST(folder: folder.url) }
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func theRealSet() throws {
    let folder = try #require(realData)
    let mnist = try MNIST(folder: folder.appendingPathComponent("mnist"))
    #expect(mnist.train.count == 60_000 && mnist.test.count == 10_000)
    func histogram(_ source: TensorSource) -> [Int] {
      var counts = [Int](repeating: 0, count: 10)
      for label in source.labels.tensor.array(of: Int.self) { counts[label] += 1 }
      return counts
    }
    #expect(
      histogram(mnist.train) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    #expect(histogram(mnist.test) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    // The mean of these, computed with NumPy.
    let some = try mnist.train.batch(at: Array(stride(from: 0, to: 60_000, by: 20)))
    let pixels = some.features.array(of: Double.self)
    #expect(abs(pixels.reduce(0, +) / Double(pixels.count) - 0.12347969) < 1e-6)
    #expect(some.labels.array(of: Int.self)[0] == 5)
  }
}

@Suite struct SyntheticTests {
  static func values(_ source: TensorSource) -> (x: [[Double]], y: [Int]) {
    let (features, labels) = (source.features.tensor, source.labels.tensor)
    let (flat, width) = (features.array(of: Double.self), features.shape[1])
    let rows = stride(from: 0, to: flat.count, by: width).map { Array(flat[$0..<($0 + width)]) }
    return (rows, labels.array(of: Int.self))
  }

  @Test func sameSeedSameData() {
    let make: [(UInt64) -> TensorSource] = [
      { Synthetic.linear(20, seed: $0) }, { Synthetic.blobs(20, seed: $0) },
      { Synthetic.moons(20, seed: $0) }, { Synthetic.circles(20, seed: $0) },
      { Synthetic.spirals(20, classes: 3, seed: $0) }, { Synthetic.xor(20, seed: $0) },
      { Synthetic.classification(20, seed: $0) },
    ]
    for set in make {
      #expect(set(1).count == 20)
      #expect(set(1).features.tensor.bytes() == set(1).features.tensor.bytes())
      #expect(set(1).features.tensor.bytes() != set(2).features.tensor.bytes())
    }
  }

  @Test func linearDataLieOnThePlane() throws {
    let batch = try Synthetic.linear(50, weights: [3, -1], bias: 0.5, noise: 0, seed: 4).all()
    let x = batch.features.array(of: Double.self)
    #expect(batch.labels.shape == [50, 1])
    for (i, y) in batch.labels.array(of: Double.self).enumerated() {
      #expect(abs(3 * x[2 * i] - x[2 * i + 1] + 0.5 - y) < 1e-5)
    }
  }

  @Test func shapesWithoutNoise() {
    let circles = Self.values(Synthetic.circles(60, factor: 0.4, noise: 0, seed: 0))
    for (point, label) in zip(circles.x, circles.y) {
      #expect(abs(hypot(point[0], point[1]) - (label == 0 ? 1 : 0.4)) < 1e-6)
    }
    let moons = Self.values(Synthetic.moons(60, noise: 0, seed: 0))
    for (point, label) in zip(moons.x, moons.y) {
      let (x, y) = label == 0 ? (point[0], point[1]) : (1 - point[0], 0.5 - point[1])
      #expect(abs(hypot(x, y) - 1) < 1e-6 && y > -1e-6)
    }
    let xor = Self.values(Synthetic.xor(61, seed: 0))
    for (point, label) in zip(xor.x, xor.y) { #expect((point[0] * point[1] < 0) == (label == 1)) }
  }

  @Test func blobsLieAboutTheirCentres() {
    let blobs = Self.values(
      Synthetic.blobs(3001, centres: [[0, 0], [8, 1], [-5, 4]], deviation: 0.5, seed: 2))
    #expect((0..<3).map { label in blobs.y.count { $0 == label } } == [1001, 1000, 1000])
    let mean = zip(blobs.x, blobs.y).filter { $0.1 == 1 }.reduce(0) { $0 + $1.0[0] } / 1000
    #expect(abs(mean - 8) < 0.06)
  }

  @Test func classificationFollowsItsOptions() throws {
    var options = Synthetic.ClassificationOptions()
    (options.features, options.informative, options.redundant) = (6, 3, 2)
    (options.classes, options.clustersPerClass, options.isShuffled) = (3, 2, false)
    let clean = Self.values(Synthetic.classification(600, options, seed: 7))
    #expect(clean.x[0].count == 6)
    #expect((0..<3).map { label in clean.y.count { $0 == label } } == [200, 200, 200])
    // A redundant feature is a combination of the informative ones: it adds no rank.
    #expect(rank(clean.x.map { Array($0[..<5]) }) == 3)
    #expect(rank(clean.x) == 4)
    options.labelNoise = 0.3
    let noisy = Self.values(Synthetic.classification(600, options, seed: 7))
    #expect(noisy.x == clean.x)
    // Three in ten are drawn anew, of which one in three comes out as it was.
    let changed = zip(noisy.y, clean.y).count { $0 != $1 }
    #expect(abs(changed - 120) < 40)
    var absurd = options
    (absurd.classes, absurd.clustersPerClass) = (16, 4)
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = Synthetic.classification(10, absurd, seed: 0) }
    }
  }

  /// By Gaussian elimination.
  private func rank(_ rows: [[Double]]) -> Int {
    var (rows, rank) = (rows, 0)
    for column in rows[0].indices {
      guard
        let pivot = rows[rank...].indices.max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }
        ),
        abs(rows[pivot][column]) > 1e-4
      else { continue }
      rows.swapAt(rank, pivot)
      for row in (rank + 1)..<rows.count {
        let factor = rows[row][column] / rows[rank][column]
        for i in rows[row].indices { rows[row][i] -= factor * rows[rank][i] }
      }
      rank += 1
    }
    return rank
  }
}
