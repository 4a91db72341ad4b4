import TarnCore

/// Cells whose activity goes with something about the text (Karpathy, Johnson and Li, *Visualizing and Understanding Recurrent
/// Networks*, 2015).
public struct CellSearch: Sendable {
  /// A cell and what it goes with.
  public struct Match: Codable, Hashable, Sendable {
    public var feature: String
    /// From 0, and the cell in it, from 0.
    public var layer: Int
    public var cell: Int
    /// Pearson's r, from −1 to 1.
    public var correlation: Double
  }

  /// For each feature that occurs in the text, the cell that goes with it best; strongest first.
  public let byFeature: [Match]
  /// For each cell, the feature it goes with best.
  public let byCell: [Match]

  /// |r| from which a cell is said to keep track of a feature.
  public static let threshold = 0.5

  /// The share of cells that keep track of a feature.
  public var interpretable: Double {
    byCell.isEmpty
      ? 0
      : Double(byCell.count { $0.correlation.magnitude >= Self.threshold }) / Double(byCell.count)
  }

  /// - Parameters:
  ///   - reading: of a recurrent model; with others nothing is found.
  ///   - vocabulary: of the model, to know the text.
  public init(
    _ reading: TextReading, _ vocabulary: Vocabulary, features: [TextFeature] = TextFeature.all
  ) {
    let rows = reading.symbols.count
    let known = Self.occurring(features, Self.scalars(reading.symbols, vocabulary))
    guard reading.cellCount > 0, rows > 1, !known.isEmpty else {
      (byFeature, byCell) = ([], [])
      return
    }
    let cells = Tensor(reading.cells, shape: [rows, reading.cellCount]).standardizedColumns
    let values = known.map { Tensor($0.values.map(Float.init)) }
    let targets = Tensor.stacked(values, axis: 1).standardizedColumns
    let table = (cells.transposed().matmul(targets) / Double(rows)).array(of: Double.self)
    func match(_ cell: Int, _ feature: Int) -> Match {
      Match(
        feature: known[feature].name, layer: cell / reading.size, cell: cell % reading.size,
        correlation: table[cell * known.count + feature])
    }
    func size(_ match: Match) -> Double { match.correlation.magnitude }
    byFeature = known.indices.compactMap { feature in
      (0..<reading.cellCount).map { match($0, feature) }.max { size($0) < size($1) }
    }.sorted { size($0) > size($1) }
    byCell = (0..<reading.cellCount).compactMap { cell in
      known.indices.map { match(cell, $0) }.max { size($0) < size($1) }
    }
  }

  /// Of a symbol of several scalars the last counts.
  private static func scalars(_ symbols: [Int], _ vocabulary: Vocabulary) -> [Unicode.Scalar] {
    symbols.map { vocabulary.text(of: $0).unicodeScalars.last ?? " " }
  }

  /// Features that are neither the same all along nor as good as never there.
  private static func occurring(
    _ features: [TextFeature], _ text: [Unicode.Scalar]
  ) -> [(name: String, values: [Double])] {
    features.compactMap { feature in
      let values = feature.values(in: text)
      guard values.count == text.count, let first = values.first else { return nil }
      let different = values.count { $0 != first }
      let share = Double(different) / Double(values.count)
      return share > 0.002 && different >= 10 ? (feature.name, values) : nil
    }
  }
}

extension Tensor {
  /// (x − μ) / σ of each column; 0 where a column is constant.
  fileprivate var standardizedColumns: Tensor {
    let centred = self - mean(axis: 0, keepDims: true)
    let deviation = centred.squared().mean(axis: 0, keepDims: true).sqrt()
    return centred / (deviation + 1e-12)
  }
}
