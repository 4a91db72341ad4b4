/// What came of the cases of ONNX's test suite, by operator: the table in `Docs/ONNX.md`.
package struct ONNXTable {
  private var passed: [String: Int] = [:]
  private var total: [String: Int] = [:]
  private var counts = (passed: 0, failed: 0, refused: 0)
  private var claimed = (passed: 0, total: 0)
  private var failures: [(name: String, reason: String)] = []

  package init() {}

  /// Counts a case for each operator in its file.
  package mutating func add(_ item: ONNXCase, _ outcome: ONNXCase.Outcome) {
    let operators = (try? item.operators()) ?? []
    for name in operators {
      total[name, default: 0] += 1
      if outcome == .passed { passed[name, default: 0] += 1 }
    }
    if operators.allSatisfy({ Self.versions[$0] != nil }) {
      claimed.total += 1
      if outcome == .passed { claimed.passed += 1 }
    }
    switch outcome {
    case .passed: counts.passed += 1
    case .refused(let reason):
      counts.refused += 1
      if operators.allSatisfy({ Self.versions[$0] != nil }) { failures.append((item.name, reason)) }
    case .failed(let reason):
      counts.failed += 1
      failures.append((item.name, reason))
    }
  }

  private static let versions: [String: [Int]] = Dictionary(
    ONNXOperators.all.map {
      ($0.domain.isEmpty ? $0.name : "\($0.domain).\($0.name)", $0.versions)
    },
    uniquingKeysWith: { first, _ in first })

  /// Every operator that is claimed.
  package static var operators: [String] { versions.keys.sorted() }

  /// Of the cases that need no other operators, those that pass.
  package var share: Double { Double(claimed.passed) / Double(Swift.max(1, claimed.total)) }

  package var summary: String {
    "\(Self.versions.count) operators; of the \(claimed.total) cases that need no others "
      + "\(claimed.passed) pass; all cases: \(counts.passed) pass, \(counts.failed) fail, "
      + "\(counts.refused) are refused"
  }

  /// Why cases cannot pass, by the beginnings of their names.
  private static let reasons: [(prefix: String, reason: String)] = [
    ("test_bernoulli", "the suite has NumPy's random numbers"),
    ("test_training_dropout", "the suite has NumPy's random numbers"),
    (
      "test_qlinearmatmul",
      "the suite's data wraps around where the standard saturates; ONNX Runtime gives what Tarn gives"
    ),
    (
      "test_averagepool_3d",
      "the suite counts fewer elements of the padding; ONNX Runtime gives what Tarn gives"
    ),
    ("test_adam_multiple", "the suite's data was made with another ε than its file says"),
    (
      "test_cast_FLOAT_to_BFLOAT16",
      "the suite's data is cut off where the standard rounds to nearest"
    ),
    (
      "test_castlike_FLOAT_to_BFLOAT16",
      "the suite's data is cut off where the standard rounds to nearest"
    ),
    ("test_cast", "texts are not supported"), ("test_equal_string", "texts are not supported"),
  ]

  /// The page.
  package var markdown: String {
    var lines = [
      "# ONNX operators", "",
      "Made by `swift run TarnONNXCheck cases FOLDER --table Docs/ONNX.md` from the node tests of ONNX's own suite; do not edit.",
      "", "\(summary[...].prefix(1).uppercased())\(summary.dropFirst()).", "",
      "A case counts for each operator in its file: passed / all. Versions are the operator sets from which on an operator has",
      "the meaning that is followed; 7 to 21 are read.", "", "| operator | versions | cases |",
      "|---|---|---|",
    ]
    for name in Self.versions.keys.sorted() {
      let versions = (Self.versions[name] ?? []).map(String.init).joined(separator: ", ")
      lines.append("| \(name) | \(versions) | \(passed[name] ?? 0) / \(total[name] ?? 0) |")
    }
    lines += ["", "## Cases of these operators that do not pass", ""]
    for failure in failures {
      let known = Self.reasons.first { failure.name.hasPrefix($0.prefix) }?.reason
      let reason = known ?? failure.reason.split(separator: "\n").joined(separator: " ")
      lines.append("- `\(failure.name)`: \(reason.prefix(200))")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
