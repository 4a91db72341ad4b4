import TarnCore

extension Synthetic {
  /// What ``Synthetic/classification(_:_:seed:)`` makes.
  public struct ClassificationOptions: Sendable, Hashable, Codable {
    /// All features; those that are neither informative nor redundant are noise.
    public var features = 2
    /// Features that tell the classes apart.
    public var informative = 2
    /// Random linear combinations of the informative ones.
    public var redundant = 0
    public var classes = 2
    /// Clouds that a class is made of.
    public var clustersPerClass = 1
    /// Half the side of the cube on whose corners the clouds sit: the larger, the easier.
    public var separation = 1.0
    /// The share of labels that are drawn anew at random.
    public var labelNoise = 0.0
    /// Whether the features are put in random order; otherwise informative ones come first, then
    /// redundant ones.
    public var isShuffled = true

    public init() {}
  }

  /// A problem with informative, redundant and useless features, after scikit-learn's
  /// `make_classification` (the numbers differ): clouds of normal points, each stretched by a
  /// random linear map, on the corners of a cube of side 2 · separation.
  ///
  /// I. Guyon, *Design of Experiments for the NIPS 2003 Variable Selection Benchmark*, 2003.
  ///
  /// ```swift
  /// var options = Synthetic.ClassificationOptions()
  /// options.labelNoise = 0.1
  /// options.separation = 1.5
  /// let data = Synthetic.classification(1000, options, seed: 0)
  /// ```
  public static func classification(
    _ count: Int, _ options: ClassificationOptions = .init(), seed: UInt64
  ) -> TensorSource {
    let options = checked(options)
    var generator = SeededGenerator(seed: seed)
    let clouds = options.classes * options.clustersPerClass
    let corners = corners(clouds, options.informative, &generator)
    let maps = (0..<clouds).map { _ in
      matrix(options.informative, options.informative, &generator)
    }
    let mixing = matrix(options.redundant, options.informative, &generator)
    let useless = options.features - options.informative - options.redundant
    let order =
      options.isShuffled
      ? generator.permutation(options.features) : Array(0..<options.features)
    let clean = points(count, classes: clouds, &generator) { cloud, _, generator in
      let normal = (0..<options.informative).map { _ in generator.normal() }
      let point = zip(product(maps[cloud], normal), corners[cloud]).map {
        $0 + options.separation * $1
      }
      let all =
        point + product(mixing, point) + (0..<useless).map { _ in generator.normal() }
      return order.map { all[$0] }
    } label: {
      $0 % options.classes
    }
    return flipping(clean, options, &generator)
  }

  private static func flipping(
    _ clean: TensorSource, _ options: ClassificationOptions, _ generator: inout SeededGenerator
  ) -> TensorSource {
    guard options.labelNoise > 0 else { return clean }
    let labels = clean.labels.tensor.array(of: Int64.self).map { label in
      generator.chance(options.labelNoise)
        ? Int64(generator.integer(below: options.classes)) : label
    }
    return TensorSource(features: clean.features, labels: Rows(Tensor(labels)))
  }

  /// Different corners, each coordinate -1 or 1.
  private static func corners(
    _ count: Int, _ dimensions: Int, _ generator: inout SeededGenerator
  ) -> [[Double]] {
    var seen: Set<[Double]> = []
    var corners: [[Double]] = []
    while corners.count < count {
      let corner = (0..<dimensions).map { _ in generator.chance(0.5) ? 1.0 : -1.0 }
      if seen.insert(corner).inserted { corners.append(corner) }
    }
    return corners
  }

  /// Entries uniform in [-1, 1).
  private static func matrix(
    _ rows: Int, _ columns: Int, _ generator: inout SeededGenerator
  ) -> [[Double]] {
    (0..<rows).map { _ in (0..<columns).map { _ in generator.uniform(from: -1, to: 1) } }
  }

  private static func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// The options, or the nearest sound ones with a diagnostic.
  private static func checked(_ options: ClassificationOptions) -> ClassificationOptions {
    var sound = options
    sound.classes = max(2, options.classes)
    sound.clustersPerClass = max(1, options.clustersPerClass)
    sound.redundant = max(0, options.redundant)
    let clouds = sound.classes * sound.clustersPerClass
    let needed = clouds > 1 ? Int.bitWidth - (clouds - 1).leadingZeroBitCount : 1
    sound.informative = max(needed, options.informative)
    sound.features = max(sound.informative + sound.redundant, options.features)
    if sound != options {
      Diagnostic.report(
        Diagnostic(
          operation: "Synthetic.classification", reason: "the numbers of features do not fit",
          facts: [
            "features \(options.features), informative \(options.informative), "
              + "redundant \(options.redundant)",
            "classes \(options.classes), clusters of each \(options.clustersPerClass)",
          ],
          hint: "\(clouds) clouds need \(needed) informative features, as 2^informative corners "
            + "are there, and features ≥ informative + redundant"))
    }
    return sound
  }
}
