import Foundation
import TarnCore
import TarnTrain
import Testing

/// Compared with scikit-learn 1.9.
@Suite struct MetricTests {
  private let actual = [0, 1, 2, 0, 1, 2, 2, 2, 3, 0]
  private let predicted = [0, 2, 1, 0, 0, 2, 2, 1, 0, 0]

  private func isClose(_ a: Double, _ b: Double) -> Bool {
    (a.isNaN && b.isNaN) || (a - b).magnitude <= 1e-12
  }

  private func expect(_ score: ClassScore, _ values: (Double, Double, Double), _ support: Int) {
    #expect(isClose(score.precision, values.0))
    #expect(isClose(score.recall, values.1))
    #expect(isClose(score.f1, values.2))
    #expect(score.support == support)
  }

  private var matrix: ConfusionMatrix {
    var matrix = ConfusionMatrix(classes: 5)
    matrix.add(predicted: predicted, actual: actual)
    return matrix
  }

  @Test func accuracyCountsInBatches() {
    var accuracy = Accuracy()
    #expect(accuracy.value.isNaN)
    accuracy.add(predicted: Array(predicted[..<3]), actual: Array(actual[..<3]))
    accuracy.add(predicted: Array(predicted[3...]), actual: Array(actual[3...]))
    #expect(accuracy.value == 0.5)
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { accuracy.add(predicted: [1], actual: []) }
    }
    #expect(accuracy.count == 10)
  }

  @Test func topKPrefersLaterClassesOnTies() {
    let scores = [
      [0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1], [0.1, 0.1, 0.1],
      [0.3, 0.3, 0.2],
    ].flatMap { $0 }
    let labels = [0, 1, 2, 2, 0, 0]
    for (k, expected) in [(1, 2.0 / 6), (2, 4.0 / 6), (3, 1), (9, 1)] {
      var metric = TopKAccuracy(k)
      metric.add(scores: scores, classes: 3, actual: labels)
      #expect(isClose(metric.value, expected))
    }
    var metric = TopKAccuracy(2)
    metric.add(scores: [.nan, 1], classes: 2, actual: [1])
    #expect(metric.value == 0)
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { metric.add(scores: [1, 2], classes: 2, actual: [2]) }
    }
  }

  @Test func confusionMatrixCounts() {
    let rows = [
      [3, 0, 0, 0, 0], [1, 0, 1, 0, 0], [0, 2, 2, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0],
    ]
    #expect(matrix.rows == rows)
    #expect(matrix.value == 0.5)
    #expect(matrix[actual: 2, predicted: 1] == 2)
    #expect(ConfusionMatrix(classes: 0).value.isNaN)
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching {
        var small = ConfusionMatrix(classes: 2)
        small.add(predicted: [2], actual: [0])
      }
    }
  }

  @Test func scoresPerClassAndAveraged() {
    let scores = matrix.scores()
    expect(scores.perClass[0], (0.6, 1, 0.75), 3)
    expect(scores.perClass[1], (0, 0, 0), 2)
    expect(scores.perClass[2], (0.6666666666666666, 0.5, 0.5714285714285714), 4)
    expect(scores.perClass[3], (0, 0, 0), 1)
    expect(scores.macro, (0.31666666666666665, 0.375, 0.33035714285714285), 10)
    expect(scores.micro, (0.5, 0.5, 0.5), 10)
    expect(scores.weighted, (0.44666666666666666, 0.5, 0.45357142857142857), 10)
    #expect(isClose(scores.balancedAccuracy, 0.375))
  }

  @Test func sharesOfNothingAreAsAsked() {
    let nan = matrix.scores(undefined: .nan)
    #expect(nan.perClass[3].precision.isNaN)
    expect(nan.macro, (0.4222222222222222, 0.375, 0.33035714285714285), 10)
    expect(nan.weighted, (0.4962962962962963, 0.5, 0.45357142857142857), 10)
    let one = matrix.scores(undefined: 1)
    expect(one.macro, (0.5666666666666667, 0.375, 0.33035714285714285), 10)
    expect(one.weighted, (0.5466666666666666, 0.5, 0.45357142857142857), 10)
  }

  @Test func regressionErrors() {
    var errors = RegressionErrors()
    errors.add(predicted: [2.5, 0], actual: [3, -0.5])
    errors.add(predicted: [2, 8], actual: [2, 7])
    #expect(isClose(errors.meanAbsolute, 0.5))
    #expect(isClose(errors.meanSquared, 0.375))
    #expect(isClose(errors.rootMeanSquared, 0.6123724356957945))
    #expect(isClose(errors.rSquared, 0.9486081370449679))
  }

  @Test(arguments: [
    ([3.0, 2, 1], [1.0, 2, 3], -3.0), ([-2, -2, -2], [-2, -2, -2], 1),
    ([-2, -2, -1.99], [-2, -2, -2], 0), ([2], [1], .nan), ([], [], .nan),
  ])
  func rSquaredAtTheEdges(predicted: [Double], actual: [Double], expected: Double) {
    var errors = RegressionErrors()
    errors.add(predicted: predicted, actual: actual)
    #expect(isClose(errors.rSquared, expected))
    #expect(errors.meanAbsolute.isNaN == actual.isEmpty)
  }

  @Test func farFromZeroNoDigitsAreLost() {
    let actual = (0..<1000).map { 1e9 + Double($0 % 10) }
    var errors = RegressionErrors()
    errors.add(predicted: actual.map { $0 + 1 }, actual: actual)
    #expect((errors.rSquared - (1 - 1 / 8.25)).magnitude < 1e-9)
  }

  @Test func mergedMetricsAreThoseOfAll() {
    let (guesses, truths) = ([1.0, 4, 2, 8, 5, 7], [1.5, 3, 2, 9, 5, 6.0])
    var (all, first, second) = (RegressionErrors(), RegressionErrors(), RegressionErrors())
    all.add(predicted: guesses, actual: truths)
    first.add(predicted: Array(guesses[..<2]), actual: Array(truths[..<2]))
    second.add(predicted: Array(guesses[2...]), actual: Array(truths[2...]))
    first.merge(second)
    #expect(isClose(first.rSquared, all.rSquared) && isClose(first.value, all.value))
    #expect(first.count == 6)
    var twice = matrix
    twice.merge(matrix)
    #expect(twice.total == 20 && twice.value == 0.5)
  }

  @Test func metricsSurviveACheckpoint() throws {
    let data = try JSONEncoder().encode(matrix)
    #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: data) == matrix)
    var errors = RegressionErrors()
    errors.add(predicted: [0.1, 0.7], actual: [0.3, 0.2])
    let copy = try JSONDecoder().decode(RegressionErrors.self, from: JSONEncoder().encode(errors))
    #expect(copy == errors)
  }
}
