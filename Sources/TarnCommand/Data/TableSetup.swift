import ArgumentParser
import Foundation
import Tarn

/// What is predicted from a table.
enum TableTask: String, Codable, CaseIterable, ExpressibleByArgument {
  case classification, regression
}

/// How a table's rows become samples: kept with the run, so that new rows are treated as those learned from.
struct TableSetup: Codable, Hashable {
  var target: String
  var task: TableTask
  /// Classes in the order of their numbers; empty for regression.
  var classes: [String]
  var encoder: FeatureEncoder
  /// What numbers to predict were standardised with.
  var mean = 0.0
  var deviation = 1.0
  /// Columns that are not used, being free text.
  var ignored: [String]
  /// Share of the rows that is tested on.
  var testFraction: Double

  /// Learns from the rows of a table that are not tested on.
  init(
    fitting table: Table, target: String, task: TableTask?, testFraction: Double, seed: UInt64
  ) throws {
    let column = try table.column(target)
    self.target = target
    self.task = task ?? Self.likelyTask(column)
    self.testFraction = testFraction
    let sound = Self.rowsWithTarget(table, column)
    guard sound.rowCount >= 5 else {
      throw DataError(
        .invalid, file: table.name,
        reason: "has \(sound.rowCount) rows with a value of '\(target)'; at least 5 are needed",
        hint: "give a table with more rows")
    }
    classes = self.task == .classification ? try sound.classes(target).names : []
    if let long = classes.first(where: { $0.utf8.count > 256 }) {
      throw DataError(
        .invalid, file: table.name,
        reason: "the column '\(target)' has a value of \(long.utf8.count) bytes, "
          + "too long for a class: '\(long.prefix(40))…'",
        hint: "look for a quote that is not closed, or choose another column as --target")
    }
    if self.task == .classification && classes.count < 2 {
      throw DataError(
        .invalid, file: table.name, reason: "the column '\(target)' has the same value everywhere",
        hint: "choose a column with two values or more as --target")
    }
    if self.task == .regression && column.kind != .number {
      throw DataError(
        .invalid, file: table.name, reason: "the column '\(target)' is not one of numbers",
        hint: "leave --task regression out to tell its values apart as classes")
    }
    ignored = table.columns.filter { $0.kind == .text && $0.name != target }.map(\.name)
    let parts = try Self.split(sound, self.task, target, testFraction, seed)
    let learning = sound.rows(parts.learning)
    encoder = try FeatureEncoder(fitting: learning, except: [target], missing: .mean)
    guard encoder.width > 0 else {
      throw DataError(
        .invalid, file: table.name,
        reason: "has no column of numbers or categories beside '\(target)'",
        hint: "columns of free text, where most values occur once, are not used")
    }
    if self.task == .regression, case .numbers(let all) = try learning.column(target).values {
      let mean = all.reduce(0, +) / Double(all.count)
      let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
      guard mean.isFinite && variance.isFinite else {
        throw DataError(
          .invalid, file: table.name,
          reason: "the column '\(target)' holds numbers that are infinite or too large",
          hint: "take such rows out")
      }
      (self.mean, deviation) = (mean, variance > 0 ? variance.squareRoot() : 1)
    }
  }

  /// Classes for categories, texts, and whole numbers of ten values at most; otherwise regression.
  private static func likelyTask(_ column: Column) -> TableTask {
    guard case .numbers(let numbers) = column.values else { return .classification }
    let values = Set(numbers.filter { !$0.isNaN })
    let isWhole = values.allSatisfy { $0 == $0.rounded() }
    return isWhole && values.count <= 10 && 2 * values.count <= numbers.count
      ? .classification : .regression
  }

  private static func rowsWithTarget(_ table: Table, _ column: Column) -> Table {
    table.rows((0..<table.rowCount).filter { !column.isMissing($0) })
  }

  private static func split(
    _ table: Table, _ task: TableTask, _ target: String, _ share: Double, _ seed: UInt64
  ) throws -> (learning: [Int], test: [Int]) {
    let rows = ArraySource(Array(0..<table.rowCount))
    let shares = [1 - share, share]
    let parts =
      task == .classification
      ? rows.stratifiedSplit(
        shares, by: try table.classes(target).labels.array(of: Int.self), seed: seed)
      : rows.split(shares, seed: seed)
    return (parts[0].indices, parts[1].indices)
  }

  /// The table's rows as samples, cut as when this was made.
  func samples(_ table: Table, split: Split) throws -> Samples {
    let column = try table.column(target)
    let sound = Self.rowsWithTarget(table, column)
    let all = TensorSource(features: try encoder.encode(sound), labels: try labels(sound))
    let parts = try Self.split(sound, task, target, testFraction, split.seed)
    return try Samples(
      name: table.name, learning: all.subset(parts.learning), test: all.subset(parts.test),
      split: split, classes: classes)
  }

  /// All rows of a table as samples.
  func allSamples(_ table: Table) throws -> Subset<TensorSource> {
    let sound = Self.rowsWithTarget(table, try table.column(target))
    let all = TensorSource(features: try encoder.encode(sound), labels: try labels(sound))
    return all.take(all.count)
  }

  /// Class numbers [rows], or standardised numbers [rows, 1].
  private func labels(_ table: Table) throws -> Tensor {
    let column = try table.column(target)
    if task == .regression {
      guard case .numbers(let numbers) = column.values else {
        throw DataError(
          .invalid, file: table.name, reason: "the column '\(target)' is not one of numbers",
          hint: "in training it was")
      }
      return Tensor(
        numbers.map { Float(($0 - mean) / deviation) }, shape: [numbers.count, 1])
    }
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Int64($0)) })
    return Tensor(
      try (0..<table.rowCount).map { row in
        let text = column.text(row) ?? ""
        guard let place = places[text] else {
          throw DataError(
            .invalid, file: table.name,
            reason: "row \(row + 1), column '\(target)': '\(text)' is no class of this run",
            hint: "its classes are \(classes.joined(separator: ", "))")
        }
        return place
      })
  }

  /// The two features' names and scales where a decision can be drawn over a plane.
  var planeFeatures: [(name: String, mean: Double, deviation: Double)]? {
    guard task == .classification, encoder.width == 2, encoder.fields.count == 2 else { return nil }
    let features = encoder.fields.compactMap {
      field -> (name: String, mean: Double, deviation: Double)? in
      guard case .number(let name, let mean, let deviation) = field else { return nil }
      return (name, mean, deviation)
    }
    return features.count == 2 ? features : nil
  }
}
