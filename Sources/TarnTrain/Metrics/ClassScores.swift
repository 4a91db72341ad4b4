/// Precision, recall and F₁ of one class, or averaged.
public struct ClassScore: Codable, Sendable, Equatable {
  /// Of those predicted, the share that is right: `TP / (TP + FP)`.
  public let precision: Double
  /// Of those actual, the share that is found: `TP / (TP + FN)`.
  public let recall: Double
  /// Their harmonic mean, `2 TP / (2 TP + FP + FN)`.
  public let f1: Double
  /// How many examples are actually of the class.
  public let support: Int
}

/// Precision, recall and F₁ for each class and averaged, as scikit-learn's
/// `precision_recall_fscore_support` defines them.
public struct ClassScores: Codable, Sendable, Equatable {
  /// Every class, also those that do not occur.
  public let perClass: [ClassScore]
  /// The plain mean over the classes that occur, as actual or as predicted ones.
  public let macro: ClassScore
  /// From the counts of all classes together; equal to the accuracy.
  public let micro: ClassScore
  /// The mean weighted by the support.
  public let weighted: ClassScore
  /// The mean recall of the classes that actually occur.
  public let balancedAccuracy: Double
}

extension ConfusionMatrix {
  /// Precision, recall and F₁.
  ///
  /// - Parameter undefined: What stands for a share of nothing, such as the precision of a class
  ///   that is never
  ///   predicted: 0 as a rule. When NaN, such classes are left out of the means.
  public func scores(undefined: Double = 0) -> ClassScores {
    func share(_ part: Int, _ whole: Int) -> Double {
      whole == 0 ? undefined : Double(part) / Double(whole)
    }
    func score(right: Int, predicted: Int, actual: Int) -> ClassScore {
      ClassScore(
        precision: share(right, predicted), recall: share(right, actual),
        f1: share(2 * right, predicted + actual), support: actual)
    }
    let right = (0..<classes).map { self[actual: $0, predicted: $0] }
    let actual = (0..<classes).map { row in
      (0..<classes).reduce(0) { $0 + self[actual: row, predicted: $1] }
    }
    let predicted = (0..<classes).map { column in
      (0..<classes).reduce(0) { $0 + self[actual: $1, predicted: column] }
    }
    let each = (0..<classes).map {
      score(right: right[$0], predicted: predicted[$0], actual: actual[$0])
    }
    let present = (0..<classes).filter { actual[$0] + predicted[$0] > 0 }.map { each[$0] }

    func mean(_ weights: [Double]) -> ClassScore {
      ClassScore(
        precision: Self.mean(present.map(\.precision), weights),
        recall: Self.mean(present.map(\.recall), weights),
        f1: Self.mean(present.map(\.f1), weights),
        support: total)
    }
    let actualOnes = present.filter { $0.support > 0 }
    return ClassScores(
      perClass: each, macro: mean(present.map { _ in 1 }),
      micro: score(right: right.reduce(0, +), predicted: total, actual: total),
      weighted: mean(present.map { Double($0.support) }),
      balancedAccuracy: Self.mean(actualOnes.map(\.recall), actualOnes.map { _ in 1 }))
  }

  /// The weighted mean of what is a number; NaN of nothing.
  private static func mean(_ values: [Double], _ weights: [Double]) -> Double {
    let known = zip(values, weights).filter { !$0.0.isNaN }
    let weight = known.reduce(0) { $0 + $1.1 }
    return weight == 0 ? .nan : known.reduce(0) { $0 + $1.0 * $1.1 } / weight
  }
}
